"""Requests must come whole and in time: a client that dribbles, or holds hundreds of connections, is hung up on.

uvicorn waits for ever for a request that has begun. Here a head has so many seconds, a body as many and more for what
has come of it (as Apache's ``RequestReadTimeout`` counts), so that a large upload over a slow line gets through.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0
BODY_SECONDS = 20.0
LEAST_BYTES_A_SECOND = 16 * 1024
MOST_CONNECTIONS = 256


def protocol(
    *,
    head_seconds: float = HEAD_SECONDS,
    body_seconds: float = BODY_SECONDS,
    most_connections: int = MOST_CONNECTIONS,
    is_proxy: Callable[[str], bool] = lambda _address: False,
) -> type[H11Protocol]:
    """uvicorn's protocol with these limits; a proxy may hold any number of connections."""
    held: Counter[str] = Counter()

    class Timed(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None
        _began = 0.0
        _received = 0
        _address = ""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._address = self.client[0] if self.client else ""
            held[self._address] += 1
            if held[self._address] > most_connections and not is_proxy(self._address):
                transport.abort()
            else:
                self._wait(head_seconds)

        def connection_lost(self, exc: Exception | None) -> None:
            self._done()
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
                    self._began, self._received = self.loop.time(), 0
                self._received += len(data)
                since = self.loop.time() - self._began
                self._wait(body_seconds + self._received / LEAST_BYTES_A_SECOND - since)
            elif state is not h11.IDLE:
                self._done()
            elif head_came or self._deadline is None:
                self._wait(head_seconds)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # From here on uvicorn waits for the next request, as long as it keeps a connection
            if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
                self._done()

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
                self.transport.abort()

    return cast(type[H11Protocol], Timed)
