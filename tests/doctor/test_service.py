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
def answering(body: bytes | None) -> Iterator[str]:
    """Another program on a port: one that answers so, or one that takes connections and says nothing."""
    if body is None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            yield str(silent.getsockname()[1])
        return
    told = body

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
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
