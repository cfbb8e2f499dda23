"""A running service whose clients mean no good: what they get, and that others are served meanwhile.

Every test attacks from an address of its own: all of 127.0.0.0/8 is this machine.
"""

import json
import multiprocessing
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from kb_service.slow_clients import MOST_BODY_BYTES, protocol
from tests.authors import Service
from tests.conftest import eventually

MIB = 1024 * 1024
SECONDS = 10.0
PROXY, NO_PROXY = "127.0.0.7", "127.0.0.8"
WRONG = "kb_aaaaaaaa_" + "x" * 43


@dataclass(frozen=True)
class Attacked:
    """A service that runs, and an agent's key of it."""

    port: int
    key: str
    pid: int
    data: Path
    log: Path

    def client(self, source: str) -> httpx2.Client:
        transport = httpx2.HTTPTransport(local_address=source)
        return httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", transport=transport, timeout=SECONDS)

    def connection(self, source: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), SECONDS, (source, 0))

    def raw(self, sent: bytes, source: str) -> list[bytes]:
        """Every answer that comes until the service hangs up; what it does not take any more is not sent."""
        with closing(self.connection(source)) as one, ThreadPoolExecutor(1) as sending:
            done = sending.submit(_sent, one, sent)
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


def _sent(one: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        one.sendall(data)


@contextmanager
def attacked(folder: Path, **settings: str) -> Iterator[Attacked]:
    content = folder / "content"
    content.mkdir()
    (content / "vpn.md").write_text("---\ntitle: VPN drops\naudience: public\n---\nRestart the wombat client.\n")
    running = Service(folder / "data", KB_CONTENT=str(content), KB_HOOK_SECRET="s" * 32, **settings)
    key = running.kb("keys", "create", "--role", "agent").strip()
    with running.running() as client:
        assert running.process is not None
        assert client.base_url.port is not None
        yield Attacked(client.base_url.port, key, running.process.pid, folder / "data", running.log)
    assert "Traceback" not in running.log.read_text(), "what clients do wrong is no fault of the service"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with attacked(tmp_path_factory.mktemp("attacked"), KB_RATE_ADDRESS="600/minute", KB_RATE_REFUSED="10/hour") as made:
        yield made


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """One behind a reverse proxy, which is named by an address of its network."""
    with attacked(tmp_path_factory.mktemp("behind"), KB_PROXIES="127.0.0.7/32, 10.1.2.3/8", KB_HOSTS="kb") as made:
        yield made


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
    """Another client asks all the while, and is served each time, soon."""
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
    assert max(took) < most_seconds, max(took)


# Keys


def files(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_whoever_tries_keys_is_stopped_and_nothing_is_written(service: Attacked) -> None:
    with service.client("127.0.1.1") as client, service.client("127.0.1.2") as other:
        assert client.get("/api/me", headers=service.bearer()).status_code == 200
        before = files(service.data)
        shown = [{"X-API-Key": WRONG}, {"Authorization": f"Bearer {service.key[:-1]}!"}] * 5
        assert [client.get("/api/me", headers=one).status_code for one in shown] == [401] * 10
        stopped = client.get("/api/me", headers={"X-API-Key": WRONG})
        assert stopped.status_code == 429
        assert 1 <= int(stopped.headers["retry-after"]) <= 3600
        assert files(service.data) == before
        assert client.get("/api/me", headers=service.bearer()).status_code == 200
        assert other.get("/api/me", headers={"X-API-Key": WRONG}).status_code == 401


def test_trying_many_keys_at_once_finds_no_more_of_them_out(service: Attacked) -> None:
    with service.client("127.0.1.3") as client, ThreadPoolExecutor(20) as pool:
        tried = pool.map(lambda _: client.get("/api/me", headers={"X-API-Key": WRONG}).status_code, range(60))
        assert Counter(tried) == {401: 10, 429: 50}


# What is too large

ENDPOINTS = [
    ("POST", "/api/feedback", 2 * MIB),
    ("POST", "/api/suggest", 2 * MIB),
    ("PUT", "/api/incidents/INC1", 2 * MIB),
    ("POST", "/api/incidents", 64 * MIB),
    ("POST", "/hooks/git", 25 * MIB),
    ("POST", "/login", 16 * 1024),
]
JSON = "Content-Type: application/json"


@pytest.mark.parametrize(("method", "path", "most"), ENDPOINTS)
def test_a_body_that_says_it_is_too_large_is_not_waited_for(
    service: Attacked, method: str, path: str, most: int
) -> None:
    kind = "Content-Type: application/x-ndjson" if path == "/api/incidents" else JSON
    for length in (most + 1, 10**15):
        sent = service.head(f"{method} {path} HTTP/1.1", kind, f"Content-Length: {length}") + b"{"
        assert "too large" in refused(service.raw(sent, "127.0.1.4"), 413)


@pytest.mark.parametrize(("method", "path", "most"), [one for one in ENDPOINTS if one[2] <= 2 * MIB])
def test_a_body_that_does_not_say_how_large_it_is_is_cut_off(
    service: Attacked, method: str, path: str, most: int
) -> None:
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    sent = service.head(f"{method} {path} HTTP/1.1", JSON, "Transfer-Encoding: chunked") + chunk * (most // 0x4000 + 2)
    with others(service, "127.0.2.5"):
        assert "too large" in refused(service.raw(sent, "127.0.1.5"), 413)


PATHS = ["/", "/a/vpn", "/login", "/healthz", "/readyz", "/static/style.css", "/api/me", "/api/search", "/nothing"]


@pytest.mark.parametrize("path", PATHS)
def test_headers_and_parameters_by_the_hundred_are_refused(service: Attacked, path: str) -> None:
    headers, source = [f"X-{number}: 1" for number in range(150)], "127.0.1.6"
    assert "headers" in refused(service.raw(service.head(f"GET {path} HTTP/1.1", *headers), source), 431)
    sent = service.head(f"GET {path}?{'type=a&' * 5000} HTTP/1.1")
    assert "parameters" in refused(service.raw(sent, source), 414)


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\n", b"GET /" + b"a" * 2 * MIB + b" HTTP/1.1\r\n", b""])
def test_a_head_is_not_read_without_end(service: Attacked, begun: bytes) -> None:
    before = service.memory
    with others(service, "127.0.2.7"), ThreadPoolExecutor(8) as pool:
        for lines in (b"X: y\r\n" * 300_000, b"X: " + b"y" * 3 * MIB, b" folded\r\n" * 100_000):
            sent = begun + lines
            for answers in pool.map(service.raw, [sent] * 8, ["127.0.1.7"] * 8):
                assert not answers or refused(answers, 400, 431)
    grown = service.memory - before
    print(f"memory grew by {grown} MiB")
    assert grown < 100


def test_a_head_of_many_lines_holds_nobody_up(service: Attacked) -> None:
    sent = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a:b\r\n" * 180_000 + b"\r\n"
    with others(service, "127.0.2.25"), ThreadPoolExecutor(6) as pool:
        for answers in pool.map(service.raw, [sent] * 12, ["127.0.1.25"] * 12):
            assert not answers or refused(answers, 431)


TOO_MANY_LINES = "The request has too many headers: send fewer."


@pytest.mark.parametrize("lines", [b"X: y\r\n" * 201, b"X: y\r\n" + b" folded\n" * 201, b"a:\n" * 30_000])
def test_a_second_request_is_counted_like_the_first(service: Attacked, lines: bytes) -> None:
    """Whole, and in one read with the first."""
    sent = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\n"
    with others(service, "127.0.2.8"):
        answers = service.raw(sent, "127.0.1.8")
    assert status_of(answers[0]) == 200
    assert refused(answers[1:], 431) == TOO_MANY_LINES


def test_a_request_is_not_counted_together_with_the_one_before(service: Attacked) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 90
    answers = service.raw((one + b"\r\n") * 4 + one + b"Connection: close\r\n\r\n", "127.0.1.8")
    assert [status_of(answer) for answer in answers] == [200] * 5


@pytest.mark.parametrize("ends", [b"\r\n", b""])
def test_lines_behind_a_body_in_chunks_are_counted_and_hold_nobody_up(service: Attacked, ends: bytes) -> None:
    head = service.head("POST /api/suggest HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    sent = head + b"2\r\n{}\r\n0\r\n" + b"a:\r\n" * 240_000 + ends
    with others(service, "127.0.2.26", 0.4), ThreadPoolExecutor(4) as pool:
        for answers in pool.map(service.raw, [sent] * 12, ["127.0.1.26"] * 12):
            assert not answers or refused(answers, 431) == TOO_MANY_LINES


def test_a_few_lines_behind_a_body_in_chunks_are_taken(service: Attacked) -> None:
    head = service.head("POST /api/suggest HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    text = json.dumps({"text": "the wombat client does not start"}).encode()
    sent = head + b"%x\r\n%s\r\n0\r\n" % (len(text), text) + b"a: b\r\n" * 20 + b"\r\n"
    (answer,) = service.raw(sent, "127.0.1.26")
    assert status_of(answer) == 200, answer


def test_everything_wrong_is_not_answered_by_more_than_was_sent(service: Attacked) -> None:
    with others(service, "127.0.2.9"):
        sent = service.head(f"GET /api/search?q=a{'&type=a' * 990} HTTP/1.1")
        (answer,) = service.raw(sent, "127.0.1.9")
    assert status_of(answer) == 422
    assert len(answer) < len(sent)


def test_a_query_has_so_many_letters(service: Attacked) -> None:
    assert "200000" in refused(
        service.raw(service.head(f"GET /api/search?q={'a' * 200_001} HTTP/1.1"), "127.0.1.9"), 422
    )


def test_a_body_in_crumbs_is_refused_and_holds_nobody_up(service: Attacked) -> None:
    head = service.head("POST /api/feedback HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    with others(service, "127.0.2.10"), ThreadPoolExecutor(4) as pool:
        for answers in pool.map(service.raw, [head + b"1\r\n \r\n" * 500_000] * 4, ["127.0.1.10"] * 4):
            assert "tiny chunks" in refused(answers, 400)


def test_a_body_in_pieces_of_some_size_is_taken(service: Attacked) -> None:
    head = service.head("POST /api/suggest HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    text = json.dumps({"text": "the wombat client does not start"}).encode()
    pieces = [text[:9], *([b" " * 100] * 2000), text[9:]]
    (answer,) = service.raw(
        head + b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n", "127.0.1.10"
    )
    assert status_of(answer) == 200, answer


@pytest.mark.parametrize(("method", "path", "most"), ENDPOINTS)
def test_a_body_that_breaks_off_is_no_fault_of_the_service(
    service: Attacked, method: str, path: str, most: int
) -> None:
    kind = "Content-Type: application/x-ndjson" if path == "/api/incidents" else JSON
    with closing(service.connection("127.0.1.24")) as one:
        one.sendall(service.head(f"{method} {path} HTTP/1.1", kind, f"Content-Length: {most}") + b"{")
    with service.client("127.0.1.24") as client:
        assert client.get("/healthz").status_code == 200
    assert "Traceback" not in service.log.read_text()


@pytest.mark.long
def test_bodies_that_are_never_ended_take_so_much_memory(service: Attacked) -> None:
    """Thirty pushes of 24 MiB at once, of which no last byte comes: 720 MiB."""
    before, most = service.memory, 0
    head = service.head("POST /hooks/git HTTP/1.1", JSON, f"Content-Length: {24 * MIB}")
    with others(service, "127.0.2.11", 3.0), ExitStack() as held, ThreadPoolExecutor(30) as pool:
        connections = [held.enter_context(closing(service.connection("127.0.1.11"))) for _ in range(30)]
        sending = [pool.submit(_sent, one, head + b" " * (24 * MIB - 1)) for one in connections]
        while not all(one.done() for one in sending):
            most = max(most, service.memory - before)
    print(f"memory grew by at most {most} MiB")
    assert most < 2.5 * MOST_BODY_BYTES / MIB


# Who is slow


def test_others_are_served_while_hundreds_are_slow(service: Attacked) -> None:
    text = "ab+cd+" * 30_000
    begun = [
        b"",
        b"GET /api/me HT",
        service.head("POST /api/feedback HTTP/1.1", JSON, "Content-Length: 1000") + b"{",
        b"".join([service.head(f"GET /api/search?q={text} HTTP/1.1").replace(b"Connection: close\r\n", b"")] * 2),
    ]
    before = service.memory
    with ExitStack() as held:
        for number, one in zip(
            range(240), [*[begun[0]] * 80, *[begun[1]] * 80, *[begun[2]] * 76, *[begun[3]] * 4], strict=True
        ):
            connection = held.enter_context(closing(service.connection("127.0.1.12")))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(0.2)
            _sent(connection, one)
            assert number < 256
        with others(service, "127.0.2.12"):
            turn = threading.Event()
            for _ in range(10):
                turn.wait(0.1)
    print(f"memory grew by {service.memory - before} MiB")


@contextmanager
def limited(limits: dict[str, float]) -> Iterator[int]:
    """The protocol with small limits, in this process; gives the port."""

    async def length(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    async def large(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("x" * 16 * MIB)

    app = Starlette(routes=[Route("/", length, methods=["GET", "POST"]), Route("/large", large)])
    listening = socket.create_server(("127.0.0.1", 0))
    made = protocol(**limits)  # type: ignore[arg-type]
    server = uvicorn.Server(uvicorn.Config(app, http=made, log_level="warning", lifespan="off", timeout_keep_alive=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    eventually(lambda: server.started)
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def established(port: int) -> int:
    """How many connections the service holds open, of which it may have closed its own side."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1].endswith(f":{port:04X}") and line[3] in {"01", "04", "08", "09"} for line in lines)


@pytest.mark.parametrize("closing_head", [b"", b"Connection: close\r\n"])
def test_whoever_never_takes_the_answer_is_hung_up_on(closing_head: bytes) -> None:
    limits = {"body_seconds": 0.2, "least_bytes_a_second": 64.0 * MIB}
    with limited(limits) as port, closing(socket.socket()) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", port))
        one.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n" + closing_head + b"\r\n")
        eventually(lambda: established(port) == 1)
        eventually(lambda: established(port) == 0)


def test_whoever_takes_the_answer_slowly_gets_all_of_it() -> None:
    limits = {"body_seconds": 0.2, "least_bytes_a_second": 4.0 * MIB}
    with limited(limits) as port, closing(socket.create_connection(("127.0.0.1", port), SECONDS)) as one:
        one.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received, turn = 0, threading.Event()
        while part := one.recv(256 * 1024):
            received += len(part)
            turn.wait(0.01)
    assert received > 16 * MIB


def test_whoever_took_the_answer_in_time_may_ask_again() -> None:
    limits = {"body_seconds": 0.4, "least_bytes_a_second": 1024.0 * MIB}
    with limited(limits) as port, closing(socket.create_connection(("127.0.0.1", port), SECONDS)) as one:
        one.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        received = 0
        while received < 16 * MIB:
            received += len(one.recv(MIB))
        threading.Event().wait(0.8)
        one.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"HTTP/1.1 200 OK" in b"".join(iter(lambda: one.recv(MIB), b""))


def test_one_address_has_so_many_bytes_waiting() -> None:
    with limited({"most_body_bytes": 100_000}) as port, ExitStack() as held:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"

        def begun(source: str) -> socket.socket:
            one = socket.create_connection(("127.0.0.1", port), SECONDS, (source, 0))
            one.sendall(head + b"x" * 59_999)
            return held.enter_context(closing(one))

        first, second = begun("127.0.0.1"), begun("127.0.0.1")
        other = begun("127.0.0.2")
        assert second.recv(100) == b""
        for one in (first, other):
            one.sendall(b"x")
            assert one.recv(100).startswith(b"HTTP/1.1 200")
        again = begun("127.0.0.1")
        again.sendall(b"x")
        assert again.recv(100).startswith(b"HTTP/1.1 200"), "what is answered does not count any more"


@pytest.mark.long
def test_whoever_is_slow_is_hung_up_on_in_the_end(service: Attacked) -> None:
    text = "ab+cd+" * 30_000
    ask = service.head(f"GET /api/search?q={text} HTTP/1.1").replace(b"Connection: close\r\n", b"")
    before = service.held
    with ExitStack() as held, others(service, "127.0.2.13", 2.0):
        for one in [b""] * 50 + [b"GET / HT"] * 50 + [ask * 3] * 20:
            connection = held.enter_context(closing(service.connection("127.0.1.13")))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(0.2)
            _sent(connection, one)
        started = time.monotonic()
        assert service.held > before + 50
        while service.held > before + 2:
            assert time.monotonic() - started < 90
            threading.Event().wait(0.5)
        print(f"all hung up on after {time.monotonic() - started:.0f} s")


# How often


def flood(port: int, source: str, seconds: float, told: "Queue[dict[int, int]]") -> None:
    """One client that asks as often as it can, a few requests at a time."""
    request = b"GET /api/search?q=wombat HTTP/1.1\r\nHost: localhost\r\n\r\n"
    statuses: Counter[int] = Counter()
    end = time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", port), SECONDS, (source, 0)) as one:
        received = b""
        while time.monotonic() < end:
            one.sendall(request * 8)
            for _ in range(8):
                while b"\r\n\r\n" not in received:
                    received += one.recv(65536)
                head, _, received = received.partition(b"\r\n\r\n")
                statuses[status_of(head)] += 1
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                while len(received) < length:
                    received += one.recv(65536)
                received = received[length:]
    told.put(dict(statuses))


def flooded(service: Attacked, source: str, other: str, seconds: float) -> None:
    spawned = multiprocessing.get_context("spawn")
    told: Queue[dict[int, int]] = spawned.Queue()
    attacker = spawned.Process(target=flood, args=(service.port, source, seconds, told))
    attacker.start()
    eventually(lambda: established(service.port) > 0)
    with others(service, other):
        statuses = told.get(timeout=seconds + SECONDS)
    attacker.join()
    print(f"{sum(statuses.values()) / seconds:.0f} requests a second: {statuses}")
    assert statuses.keys() == {401, 429}
    assert 600 <= statuses[401] < 700, "over a window that slides"
    assert statuses[429] > 600


def test_a_flood_from_one_address_gets_429_and_another_is_served(service: Attacked) -> None:
    flooded(service, "127.0.1.14", "127.0.0.2", 2)


@pytest.mark.long
def test_a_flood_of_half_a_minute(service: Attacked) -> None:
    flooded(service, "127.0.1.15", "127.0.2.15", 20)


# By which name

OWN = ["localhost", "localhost:{port}", "LOCALHOST", "127.0.0.1", "127.0.0.1:{port}", "127.8.9.10", "[::1]", "[::1]:80"]
FOREIGN = [
    "evil.example",
    "evil.example:{port}",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "localhost.",
    "127.0.0.1.",
    "0.0.0.0",  # noqa: S104
    "[::]",
    "192.168.1.1",
    "[fe80::1]",
    "2130706433",
    "0x7f000001",
    "127.1",
    "evil@localhost",
    "localhost@evil",
    "localhost:80@evil",
    "localhost:evil",
    "127.0.0.1:80:90",
    "localhost/evil",
    "localhost/readyz",
    "localhost?evil",
    "localhost#evil",
    "localhost\\evil",
    "[::1",
    "::1",
    "[::1]evil",
    "[::1].evil",
    "localhost evil",
    "localhost,evil",
    "l\xf6calhost",
    "",
]


@pytest.mark.parametrize("host", OWN)
def test_the_machine_s_own_names_are_answered(service: Attacked, host: str) -> None:
    sent = service.head("GET /api/me HTTP/1.1", host=host.format(port=service.port))
    assert [status_of(one) for one in service.raw(sent, "127.0.1.16")] == [200]


@pytest.mark.parametrize("host", FOREIGN)
def test_no_other_name_is_answered_on_loopback(service: Attacked, host: str) -> None:
    sent = service.head("GET /api/me HTTP/1.1", host=host.format(port=service.port))
    assert refused(service.raw(sent, "127.0.1.17"), 400, 403)


def test_a_name_that_is_missing_or_doubled_is_refused(service: Attacked) -> None:
    source = "127.0.1.18"
    refused(service.raw(service.head("GET /api/me HTTP/1.1", host=None), source), 400)
    refused(service.raw(service.head("GET /api/me HTTP/1.1", "Host: localhost"), source), 400)
    refused(service.raw(service.head("GET /api/me HTTP/1.1", "Host: evil.example"), source), 400)
    assert "names no host" in refused(service.raw(service.head("GET /api/me HTTP/1.0", host=None), source), 403)


@pytest.mark.parametrize("target", ["http://localhost/api/me", "http://evil.example/api/me", "//evil.example/api/me"])
def test_a_whole_address_as_the_target_leads_nowhere(service: Attacked, target: str) -> None:
    refused(service.raw(service.head(f"GET {target} HTTP/1.1"), "127.0.1.19"), 404)
    refused(service.raw(service.head(f"GET {target} HTTP/1.1", host="evil.example"), "127.0.1.19"), 403)


# From where


def tried(service: Attacked, source: str, forwarded: Callable[[int], str | list[str]], times: int = 11) -> list[int]:
    """What so many wrong keys get, each with what a proxy says of where it comes from."""
    with service.client(source) as client:
        statuses = []
        for number in range(times):
            said = forwarded(number)
            headers = [("X-Forwarded-For", one) for one in ([said] if isinstance(said, str) else said)]
            answer = client.get("/api/me", headers=[("Host", "kb"), ("X-API-Key", WRONG), *headers])
            statuses.append(answer.status_code)
        return statuses


STOPPED = [401] * 10 + [429]


def test_what_no_proxy_of_ours_says_does_not_count(behind: Attacked) -> None:
    assert tried(behind, NO_PROXY, lambda number: f"203.0.113.{number}") == STOPPED


def test_a_client_is_told_by_what_our_proxy_says(behind: Attacked) -> None:
    assert tried(behind, PROXY, lambda number: f"203.0.113.{number}") == [401] * 11


@pytest.mark.parametrize(
    "forwarded",
    [
        lambda number: f"203.0.113.{100 + number}, 198.51.100.1",
        lambda number: [f"203.0.113.{100 + number}", "198.51.100.2"],
        lambda number: f"198.51.100.3:{1000 + number}",
        lambda number: f"127.0.0.1, 198.51.100.4, 10.9.8.{number}",
        lambda number: f"2001:db8:1:1::{number:x}",
        lambda number: f"[2001:db8:1:2::{number:x}]:443",
        lambda number: f"2001:db8:1:3:{number:x}:{number:x}:{number:x}:1",
        lambda number: ["::ffff:198.51.100.5", "198.51.100.5"][number % 2],
    ],
)
def test_no_client_passes_for_many(behind: Attacked, forwarded: Callable[[int], str | list[str]]) -> None:
    assert tried(behind, PROXY, forwarded) == STOPPED


def test_another_network_is_another_client(behind: Attacked) -> None:
    assert tried(behind, PROXY, lambda number: f"2001:db8:2:{number:x}::1") == [401] * 11


# Where one request ends and the next begins

NEXT = b"GET /api/me HTTP/1.1\r\nHost: localhost\r\n\r\n"
SMUGGLED = [
    ["Content-Length: 6", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked", "Content-Length: 6"],
    ["Content-Length: 5", "Content-Length: 60"],
    ["Content-Length: 5, 60"],
    ["Content-Length: +5"],
    ["Content-Length: -1"],
    ["Content-Length: 0x5"],
    ["Content-Length: 5 5"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ["Transfer-Encoding: identity, chunked"],
    ["Transfer-Encoding: xchunked"],
    ["Transfer-Encoding: chunked, identity"],
    ["Transfer-Encoding: \x0bchunked"],
    ["Transfer-Encoding : chunked"],
    ["X: y\r\n\x00Transfer-Encoding: chunked"],
    ["Content-Length : 5"],
]


@pytest.mark.parametrize("lines", SMUGGLED)
def test_a_body_of_two_lengths_is_refused_with_all_that_follows(service: Attacked, lines: list[str]) -> None:
    sent = service.head("POST /api/suggest HTTP/1.1", *lines).replace(b"Connection: close\r\n", b"")
    refused(service.raw(sent + b"0\r\n\r\n" + NEXT, "127.0.1.20"), 400)


def test_chunks_by_an_old_protocol_are_refused(service: Attacked) -> None:
    sent = service.head("POST /api/suggest HTTP/1.0", "Transfer-Encoding: chunked", "Connection: keep-alive")
    refused(service.raw(sent + b"0\r\n\r\n" + NEXT, "127.0.1.20"), 400)


@pytest.mark.parametrize(
    "body", [b"zz\r\n\r\n", b"-1\r\n", b"1\nx\n0\n\n", b"1\r\nxy\r\n0\r\n\r\n", b"1" * 30 + b"\r\n"]
)
def test_chunks_that_are_none_are_refused_with_all_that_follows(service: Attacked, body: bytes) -> None:
    head = service.head("POST /api/suggest HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    refused(service.raw(head.replace(b"Connection: close\r\n", b"") + body + NEXT, "127.0.1.21"), 400)


def test_rubbish_behind_an_answer_is_hung_up_on_in_silence(service: Attacked) -> None:
    with closing(service.connection("127.0.1.22")) as one:
        one.sendall(b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        received = b""
        while not received.endswith(b"}"):
            received += one.recv(MIB)
        assert status_of(received) == 401
        one.sendall(b"zz\r\n" + NEXT)
        assert one.recv(MIB) == b""


def test_a_client_that_wants_another_protocol_is_answered_in_this_one(service: Attacked) -> None:
    sent = service.head("GET /api/me HTTP/1.1", "Upgrade: websocket").replace(
        b"Connection: close", b"Connection: Upgrade, close"
    )
    assert [status_of(one) for one in service.raw(sent, "127.0.1.23")] == [200]
