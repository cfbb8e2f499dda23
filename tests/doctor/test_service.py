"""kb doctor on the service and its port."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.doctor.house import House


@contextmanager
def answering(body: bytes | None, asked_by: list[str] | None = None) -> Iterator[str]:
    """Another program on a port: one that answers so, or one that takes connections and says nothing.

    ``asked_by`` gets the names that it is asked by.
    """
    if body is None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            yield str(silent.getsockname()[1])
        return
    told = body

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if asked_by is not None:
                asked_by.append(self.headers["Host"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"hello", "another program"), (b'{"status": "up"}', "another program"), (None, "does not answer within")],
)
def test_a_port_that_another_holds_and_a_service_that_hangs_are_told(
    house: House, body: bytes | None, said: str
) -> None:
    with answering(body) as port:
        house.settings["KB_PORT"] = port
        house.only("service", "error", said)


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("KB_HOSTS", "kb.example.org, other.example.org", "kb.example.org"),
        ("KB_URL", "https://kb.example.org/kb", "kb.example.org"),
        ("KB_HOSTS", "::1", "[::1]"),
        ("KB_HOST", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_the_service_is_asked_by_its_own_name(house: House, setting: str, value: str, name: str) -> None:
    asked_by: list[str] = []
    with answering(b'{"status": "ok"}', asked_by) as port:
        house.settings.update({"KB_PORT": port, setting: value})
        house.doctor()
    assert asked_by == [name, name]
