"""Files that processes hold so that one of them at a time does something. The system frees what a killed one held."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.disk import about


@contextmanager
def held(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Held by this process alone; gives whether it is, which without waiting it is not where another has it."""
    with path.open("a") as lock:
        try:
            with about(path):
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
