"""A running service whose clients mean no good, and the others who are served meanwhile.

Every test attacks from an address of its own: all of 127.0.0.0/8 is this machine.
"""

import json
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.authors import StandaloneService

MIB = 1024 * 1024
SECONDS = 10.0
PROXY, NO_PROXY = "127.0.0.7", "127.0.0.8"
WRONG = "kb_aaaaaaaa_" + "x" * 43
JSON = "Content-Type: application/json"


@dataclass(frozen=True)
class Attacked:
    """A service that runs, and an agent's key of it. It is asked in ``usual`` seconds where nobody attacks."""

    port: int
    key: str
    pid: int
    data: Path
    log: Path
    usual: float

    def client(self, source: str) -> httpx2.Client:
        transport = httpx2.HTTPTransport(local_address=source)
        return httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", transport=transport, timeout=SECONDS)

    def connection(self, source: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), SECONDS, (source, 0))

    def raw(self, sent: bytes, source: str) -> list[bytes]:
        """Every answer that comes until the service hangs up; what it does not take any more is not sent."""
        with closing(self.connection(source)) as one, ThreadPoolExecutor(1) as sending:
            done = sending.submit(send_all, one, sent)
            received = b""
            with suppress(OSError):
                while part := one.recv(MIB):
                    received += part
            done.result()
        return [b"HTTP/1.1 " + answer for answer in received.split(b"HTTP/1.1 ")[1:]]

    def bearer(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", **more}

    def head(self, request: str, *lines: str, host: str | None = "localhost") -> bytes:
        """A request's head that asks with the key, and for no other request after it."""
        given = [request, f"Authorization: Bearer {self.key}", "Connection: close", *lines]
        return "\r\n".join([*given, *([f"Host: {host}"] if host is not None else []), "", ""]).encode("latin-1")

    @property
    def held(self) -> int:
        """How many connections it has open."""
        count = 0
        for one in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                count += str(one.readlink()).startswith("socket:")
        return count

    @property
    def memory(self) -> int:
        """What it holds now, in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def send_all(one: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        one.sendall(data)


@contextmanager
def attacked(folder: Path, **settings: str) -> Iterator[Attacked]:
    content = folder / "content"
    content.mkdir()
    (content / "vpn.md").write_text("---\ntitle: VPN drops\naudience: public\n---\nRestart the wombat client.\n")
    running = StandaloneService(folder / "data", KB_CONTENT=str(content), KB_HOOK_SECRET="s" * 32, **settings)
    key = running.kb("keys", "create", "--role", "agent").strip()
    with running.running() as client:
        assert client.base_url.port is not None
        usual = statistics.median(seconds_to_ask(client) for _ in range(9))
        yield Attacked(client.base_url.port, key, running.pid, folder / "data", running.log, usual)
    assert "Traceback" not in running.log.read_text(), "what clients do wrong is no fault of the service"


def seconds_to_ask(client: httpx2.Client) -> float:
    """For next to nothing."""
    started = time.perf_counter()
    client.get("/healthz")
    return time.perf_counter() - started


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def refused(answers: list[bytes], *statuses: int) -> str:
    """Refused once, in the one shape of errors; gives what is said."""
    assert len(answers) == 1, answers
    head, _, body = answers[0].partition(b"\r\n\r\n")
    assert status_of(head) in statuses, answers
    assert b"content-type: application/problem+json" in head
    said = json.loads(body)
    assert said["status"] == status_of(head)
    return str(said["detail"])


@contextmanager
def others(service: Attacked, source: str, most_seconds: float = 1.0) -> Iterator[None]:
    """Another client asks all the while, and is served each time, soon, as far as the machine is quick at all."""
    over = threading.Event()
    took: list[float] = []

    def ask() -> None:
        with service.client(source) as client:
            while not over.wait(0.02) or not took:
                started = time.perf_counter()
                answer = client.get("/api/search", params={"q": "wombat"}, headers=service.bearer())
                took.append(time.perf_counter() - started)
                assert answer.status_code == 200, answer.text

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield
        finally:
            over.set()
        asking.result()
    print(
        f"others: {len(took)} served, median {statistics.median(took) * 1e3:.0f} ms, longest {max(took) * 1e3:.0f} ms"
    )
    assert max(took) < most_seconds + 200 * service.usual, (max(took), service.usual)
