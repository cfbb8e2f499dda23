"""A target at work: what goes wrong is told, once for each place, with an input as small as it gets."""

import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from tests.conftest import REPOSITORY

# Of the processor's time, so that a machine that is busy with other things makes nothing slow
MOST_SECONDS = 2.0
_SHRINK_SECONDS = 20.0


class TooSlowError(Exception):
    """An input took longer than any may."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An input that showed a fault, what was raised, and where."""

    data: bytes
    error: str
    place: str

    def __str__(self) -> str:
        return f"{self.error}\n  at {self.place}\n  input: {self.data!r}"


class Trial:
    """Calls a target, and tells each fault once; goes on after it, so that one does not hide the next."""

    def __init__(self, target: Callable[[bytes], None], tell: Callable[[Fault], None]) -> None:
        self._target, self._tell = target, tell
        self._places: set[str] = set()

    def __call__(self, data: bytes) -> None:
        fault = self._fault(data)
        if fault is not None and fault.place not in self._places:
            self._places.add(fault.place)
            self._tell(self._shrunk(fault))

    def _fault(self, data: bytes) -> Fault | None:
        signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
        try:
            self._target(data)
        except Exception as error:
            return Fault(data, f"{type(error).__name__}: {str(error)[:600]}", _place(error))
        return None

    def _shrunk(self, fault: Fault) -> Fault:
        """The shortest input found that fails at the same place, by leaving pieces out."""
        best, end = fault, time.process_time() + _SHRINK_SECONDS
        size = max(1, len(best.data) // 2)
        while size:
            at = 0
            while at < len(best.data) and time.process_time() < end:
                less = self._fault(best.data[:at] + best.data[at + size :])
                if less is not None and less.place == fault.place:
                    best = less
                else:
                    at += size
            size //= 2
        return best


@contextmanager
def bounded() -> Iterator[None]:
    """In the block, what takes too long raises TooSlowError where it is at."""

    def too_slow(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlowError(f"over {MOST_SECONDS:.0f} s of the processor")

    before = signal.signal(signal.SIGPROF, too_slow)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _place(error: Exception) -> str:
    """The line that raised it, and the last one of ours on the way there; where it only took long, that is anywhere."""
    if isinstance(error, TooSlowError):
        return "a text that takes long"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if one.filename.startswith(str(REPOSITORY))]
    names = (f"{one.filename.removeprefix(f'{REPOSITORY}/')}:{one.lineno}" for one in (ours[-1], frames[-1]))
    return ", ".join(dict.fromkeys(names))
