"""Requests must come whole and in time, answers must be taken: a client that dribbles or holds much is hung up on.

uvicorn waits for ever for a request that has begun. Here a head has so many seconds, a body as many and more for what
has come of it (as Apache's ``RequestReadTimeout`` counts), so that a large upload over a slow line gets through; an
answer has as many, and more for what is still to be taken of it. One address holds so many connections, and so many
bytes of bodies that are not answered yet.
"""

import asyncio
import json
import socket
import struct
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from kb_service.counted_requests import CountedConnection

HungUp = Literal["connections", "bodies", "slow", "malformed"]

HEAD_SECONDS = 15.0
BODY_SECONDS = 20.0
LEAST_BYTES_A_SECOND = 16 * 1024
MOST_CONNECTIONS = 256
# Two of the largest, as bulk imports are
MOST_BODY_BYTES = 128 * 1024 * 1024
_H11_MOST = 16 * 1024


def protocol(
    *,
    head_seconds: float = HEAD_SECONDS,
    body_seconds: float = BODY_SECONDS,
    most_connections: int = MOST_CONNECTIONS,
    most_body_bytes: int = MOST_BODY_BYTES,
    least_bytes_a_second: float = LEAST_BYTES_A_SECOND,
    is_proxy: Callable[[str], bool] = lambda _address: False,
    hung_up: Callable[[HungUp], None] = lambda _why: None,
) -> type[H11Protocol]:
    """uvicorn's protocol with these limits; a proxy may hold any number of connections and bytes.

    ``hung_up`` is told of each connection that is ended, and why.
    """
    held: Counter[str] = Counter()
    bodies: Counter[str] = Counter()

    class Timed(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None
        _untaken: asyncio.TimerHandle | None = None
        _began = 0.0
        _received = 0
        _address = ""

        def __init__(self, config: uvicorn.Config, *given: Any, **named: Any) -> None:
            super().__init__(config, *given, **named)
            self.conn = self._counted = CountedConnection(config.h11_max_incomplete_event_size or _H11_MOST)

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
            super().connection_made(transport)
            self._address = self.client[0] if self.client else ""
            held[self._address] += 1
            if held[self._address] > most_connections and not is_proxy(self._address):
                hung_up("connections")
                transport.abort()
            else:
                self._wait(head_seconds)

        def connection_lost(self, exc: Exception | None) -> None:
            self._done()
            self._forget_body()
            self.resume_writing()
            held[self._address] -= 1
            if not held[self._address]:
                del held[self._address]
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            head_came = self.conn.their_state is not h11.IDLE
            super().data_received(data)
            if self.transport.is_closing():
                return
            state = self.conn.their_state
            if state is h11.SEND_BODY:
                if not head_came:
                    self._began = self.loop.time()
                self._received += len(data)
                bodies[self._address] += len(data)
                if bodies[self._address] > most_body_bytes and not is_proxy(self._address):
                    hung_up("bodies")
                    self.transport.abort()
                    return
                since = self.loop.time() - self._began
                self._wait(body_seconds + self._received / least_bytes_a_second - since)
            elif state is not h11.IDLE:
                self._done()
            elif head_came or self._deadline is None:
                self._wait(head_seconds)

        def on_response_complete(self) -> None:
            self._forget_body()
            super().on_response_complete()
            if self.transport.is_closing():
                self._wait_for_taking()
            # From here on uvicorn waits for the next request, as long as it keeps a connection
            if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
                self._done()

        def timeout_keep_alive_handler(self) -> None:
            super().timeout_keep_alive_handler()
            self._wait_for_taking()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._wait_for_taking()

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._untaken is not None:
                self._untaken.cancel()
                self._untaken = None

        def send_400_response(self, msg: str) -> None:
            if self._counted.has_too_many_lines:
                self._refuse(431, "Request Header Fields Too Large", "The request has too many headers: send fewer.")
            else:
                said = "Its head is malformed or longer than 1 MiB, its body not as it says, or in tiny chunks."
                self._refuse(400, "Bad Request", f"{msg} {said}")

        def _refuse(self, status: int, title: str, said: str) -> None:
            """The one shape of errors, for what does not reach the service; nothing where it has answered already."""
            hung_up("malformed")
            if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": said}).encode()
                headers = [
                    ("content-type", "application/problem+json"),
                    ("content-length", str(len(body))),
                    ("connection", "close"),
                ]
                for event in (
                    h11.Response(status_code=status, headers=headers, reason=title),
                    h11.Data(data=body),
                    h11.EndOfMessage(),
                ):
                    self.transport.write(self.conn.send(event) or b"")
            self.transport.close()
            self._wait_for_taking()

        def _forget_body(self) -> None:
            bodies[self._address] -= self._received
            self._received = 0
            if not bodies[self._address]:
                del bodies[self._address]

        def _wait_for_taking(self) -> None:
            left = self.transport.get_write_buffer_size()
            if left and self._untaken is None:
                seconds = body_seconds + left / least_bytes_a_second
                self._untaken = self.loop.call_later(seconds, self._drop)

        def _drop(self) -> None:
            hung_up("slow")
            # Else the system keeps on its own what is not taken, and tries for minutes
            taken: socket.socket = self.transport.get_extra_info("socket")
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

        def _wait(self, seconds: float) -> None:
            self._done()
            self._deadline = self.loop.call_later(max(0.0, seconds), self._hang_up)

        def _done(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _hang_up(self) -> None:
            # Where the service has not taken up yet what came, the client is not to blame
            if self.flow.read_paused:
                self._wait(body_seconds)
            else:
                hung_up("slow")
                self.transport.abort()

    return cast(type[H11Protocol], Timed)
