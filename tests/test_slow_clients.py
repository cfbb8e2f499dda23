"""Clients that dribble or hold connections are hung up on; others are served meanwhile."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import BadStatusLine, HTTPResponse

import h11
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from kb_service.counted_requests import MOST_LINES, CountedConnection
from kb_service.slow_clients import protocol
from tests.conftest import eventually

pytestmark = pytest.mark.breaking


async def length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def slow(_request: Request) -> PlainTextResponse:
    await asyncio.sleep(1.0)
    return PlainTextResponse("slow")


@pytest.fixture
def port() -> Iterator[int]:
    app = Starlette(routes=[Route("/", length, methods=["GET", "POST"]), Route("/slow", slow)])
    limited = protocol(head_seconds=0.3, body_seconds=0.3, most_connections=8)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=limited, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    eventually(lambda: server.started)
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()


def answer(connection: socket.socket) -> bytes:
    """One whole answer's body, or nothing where the connection is closed before."""
    connection.settimeout(10)
    response = HTTPResponse(connection)
    try:
        response.begin()
        return response.read()
    except (ConnectionError, BadStatusLine):
        return b""


def test_a_head_that_does_not_come_is_hung_up_on(port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port))) as one:
        started = time.monotonic()
        assert answer(one) == b""
        assert 0.2 < time.monotonic() - started < 5


def dribbled(connection: socket.socket) -> bool:
    """Whether one more byte could be sent."""
    try:
        return connection.send(b"a") == 1
    except ConnectionError:
        return False


def test_dribbling_does_not_put_it_off(port: int) -> None:
    for begun in (b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n"):
        with closing(socket.create_connection(("127.0.0.1", port))) as one:
            one.sendall(begun)
            started = time.monotonic()
            eventually(lambda: not dribbled(one))
            assert time.monotonic() - started < 5


def test_a_large_body_gets_through_at_its_pace(port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port))) as one:
        one.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40960\r\n\r\n")
        turn = threading.Event()
        for _ in range(10):
            one.sendall(b"x" * 4096)
            turn.wait(0.08)
        assert answer(one) == b"40960"


def test_a_slow_answer_and_the_next_request_are_waited_for(port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port))) as one:
        one.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer(one) == b"slow"
        threading.Event().wait(0.6)
        one.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer(one) == b"0"
        one.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer(one) == b"0"
        one.sendall(b"GET / HTTP/1.1\r\nHo")
        assert answer(one) == b"", "half a request behind a whole one is not waited for either"


HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"


def is_whole(sent: bytes, size: int) -> bool:
    """Whether a request, which comes in pieces of a size, is read to its end; False where its lines are too many."""
    connection = CountedConnection(1024 * 1024)
    event: object = None
    try:
        for at in range(0, len(sent), size):
            connection.receive_data(sent[at : at + size])
            while (event := connection.next_event()) is not h11.NEED_DATA and event is not h11.PAUSED:
                if isinstance(event, h11.EndOfMessage):
                    return True
    except h11.RemoteProtocolError:
        assert connection.has_too_many_lines
    return False


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
def test_lines_are_counted_in_whatever_pieces_they_come(size: int) -> None:
    for begun, already in ((HEAD, 2), (CHUNKED, 0)):
        for line, end in ((b"X: y\r\n", b"\r\n"), (b"X:\n", b"\n")):
            most = MOST_LINES - already - 1
            assert is_whole(begun + line * most + end, size)
            assert not is_whole(begun + line * (most + 1) + end, size)
            assert not is_whole(begun + line * (most + 2), size)
    assert is_whole(CHUNKED + b"\r\n" + HEAD * 200, size), "what comes after is the next request's"


def test_one_address_holds_so_many_connections(port: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
    with closing(socket.create_connection(("127.0.0.1", port))) as one:
        assert answer(one) == b""
    for connection in held:
        connection.close()

    def served() -> bool:
        with closing(socket.create_connection(("127.0.0.1", port))) as again:
            again.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            return answer(again) == b"0"

    eventually(served)
