"""A server on loopback that stands for the rest of the world, for what asks other sites."""

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from indexer.check_external import Address, is_public


@dataclass
class World:
    """A server that stands for the internet, and what it was asked."""

    port: int
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def allowed(self, address: Address) -> bool:
        """Only this server's address; to all others the rule applies."""
        return address == ipaddress.ip_address("127.0.0.1") or is_public(address)


@contextmanager
def open_world(secure: ssl.SSLContext | None = None) -> Iterator[World]:
    """A server that answers by the path: ``/404``, ``/gone``, ``/to/ADDRESS``, ``/round``, ``/no-head``, ``/slow``.

    ``/slowly/ADDRESS`` leads there, after a moment.
    """
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            here.asked.append((self.command, self.path))
            name, _, rest = self.path.strip("/").partition("/")
            if name.startswith("slow"):
                done.wait(20 if name == "slow" else 0.3)
            if name == "no-head" and self.command == "HEAD":
                self.send_response(405)
            elif name in {"to", "slowly"}:
                self.send_response(302)
                self.send_header("Location", rest if "://" in rest else f"/{rest}")
            elif name == "round":
                self.send_response(301)
                self.send_header("Location", "/round")
            else:
                self.send_response(int(name) if name.isdigit() else {"gone": 404}.get(name, 200))
            self.end_headers()

        do_GET = do_HEAD  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if secure is not None:
        server.socket = secure.wrap_socket(server.socket, server_side=True)
    here = World(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield here
    finally:
        done.set()
        server.shutdown()
        thread.join()
        server.server_close()
