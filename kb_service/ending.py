"""How the service ends: what was begun is answered, within the time that who stops it gives, and the exit code is 0.

Docker waits for 10 s, systemd for 90, before they kill. What is not done by then (a publish, vectors of an import) is
gone on with by the next start; what was acknowledged is on disk already. A second signal ends it at once. Where only
another process can go on, it ends itself in the same way, and its exit code is 3.
"""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from indexer.errors import KnowledgeBaseError

# So long a request may take that has begun; all of it may take so long
REQUEST_SECONDS = 6
GRACE_SECONDS = 9.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_log = logging.getLogger("kb.service")
# As of each command that could not be done
_FAILED = 3
_failed = threading.Event()


class Server(uvicorn.Server):
    """uvicorn's, which would wait for ever, take no notice of a second SIGTERM, and end by the signal."""

    def serve_until_ended(self, sockets: list[socket.socket]) -> None:
        """Raises KnowledgeBaseError where it ended itself."""
        self.run(sockets)
        if _failed.is_set():
            raise KnowledgeBaseError("the service ended itself, since only another process can go on", "Start it again")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            if not self.should_exit:
                for number, handler in before.items():
                    signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 (a handler is called with both)
        self.should_exit = True
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        late = threading.Timer(GRACE_SECONDS, _end_now)
        late.daemon = True
        late.start()


def end_in_failure() -> None:
    """Let the service end itself, so that whoever watches over it starts it again; nothing where it ends already."""
    # From the first signal on the next would end it at once
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        _failed.set()
        os.kill(os.getpid(), signal.SIGTERM)


def _end_now() -> None:
    _log.warning("not done within %.0f s: the rest is cut off, and gone on with by the next start", GRACE_SECONDS)
    os._exit(_FAILED if _failed.is_set() else 0)
