"""Clients that guess keys, are slow, or ask without end: what they get, and that others are served meanwhile."""

import multiprocessing
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from multiprocessing.queues import Queue
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from kb_service.slow_clients import protocol
from tests.attacked import JSON, MIB, NO_PROXY, PROXY, SECONDS, WRONG, Attacked, attacked, others, send_all, status_of
from tests.conftest import eventually

pytestmark = pytest.mark.breaking


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with attacked(tmp_path_factory.mktemp("attacked"), KB_RATE_ADDRESS="600/minute", KB_RATE_REFUSED="10/hour") as made:
        yield made


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """One behind a reverse proxy, which is named by an address of its network."""
    with attacked(tmp_path_factory.mktemp("behind"), KB_PROXIES="127.0.0.7/32, 10.1.2.3/8", KB_HOSTS="kb") as made:
        yield made


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
            send_all(connection, one)
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
            send_all(connection, one)
        started = time.monotonic()
        assert service.held > before + 50
        while service.held > before + 2:
            assert time.monotonic() - started < 90
            threading.Event().wait(0.5)
        print(f"all hung up on after {time.monotonic() - started:.0f} s")


# How often


def flood(port: int, source: str, count: int, told: "Queue[dict[int, int]]") -> None:
    """One client that asks so often, as fast as it can, a few requests at a time."""
    request = b"GET /api/search?q=wombat HTTP/1.1\r\nHost: localhost\r\n\r\n"
    statuses: Counter[int] = Counter()
    with socket.create_connection(("127.0.0.1", port), SECONDS, (source, 0)) as one:
        received = b""
        for _ in range(count // 8):
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


def flooded(service: Attacked, source: str, other: str, count: int) -> None:
    spawned = multiprocessing.get_context("spawn")
    told: Queue[dict[int, int]] = spawned.Queue()
    attacker = spawned.Process(target=flood, args=(service.port, source, count, told))
    started = time.monotonic()
    attacker.start()
    eventually(lambda: established(service.port) > 0)
    with others(service, other):
        statuses = told.get(timeout=60)
    attacker.join()
    print(f"{count / (time.monotonic() - started):.0f} requests a second: {statuses}")
    assert statuses.keys() == {401, 429}
    assert 600 <= statuses[401] < 700, "over a window that slides"
    assert statuses[401] + statuses[429] == count


def test_a_flood_from_one_address_gets_429_and_another_is_served(service: Attacked) -> None:
    flooded(service, "127.0.1.14", "127.0.0.2", 1_600)


@pytest.mark.long
def test_a_long_flood(service: Attacked) -> None:
    flooded(service, "127.0.1.15", "127.0.2.15", 6_000)


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
