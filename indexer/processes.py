"""Processes that help with the work, asked through pipes: they end with whoever holds the other end, however that ends.

They know nothing of the program that they help. (Those of ``multiprocessing`` run its script once more.)
"""

import os
import pickle
import select
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, cast

# What asking one raises that is gone, that was ended, or that does not answer
GONE = (OSError, EOFError, ValueError, pickle.UnpicklingError)


class Helper:
    """One process, which does what a function does that calls ``answer``; ask it one thing at a time."""

    def __init__(self, module: str, function: str) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        # Whoever asks is told to end, by Ctrl+C or otherwise, and says when
        deaf = "import signal as s; s.signal(s.SIGINT, s.SIG_IGN); s.signal(s.SIGTERM, s.SIG_IGN)"
        command = [sys.executable, "-c", f"{deaf}; from {module} import {function}; {function}()"]
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._asked, self._answers = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, what: object) -> None:
        """What needs no answer. Raises one of ``GONE``."""
        pickle.dump(what, self._asked)
        self._asked.flush()

    def ask(self, what: object, seconds: float | None = None) -> Any:
        """The answer, which may take so long. Raises one of ``GONE``; one that takes longer is ended."""
        self.tell(what)
        # There is one answer at a time, so that nothing of it can be here already
        if seconds is not None and not says_something(self._answers, seconds):
            self._process.kill()
            raise TimeoutError(f"no answer within {seconds:.0f} s")
        return pickle.load(self._answers)  # noqa: S301 (of a process of ours)

    def do(self, what: object, seconds: float) -> Any:
        """The answer to what takes long: ended after so many seconds wherever it hangs, at listening or answering, too.

        Raises one of ``GONE``; TimeoutError where it was ended.
        """
        ended = threading.Event()

        def kill() -> None:
            ended.set()
            self._process.kill()

        timer = threading.Timer(seconds, kill)
        timer.daemon = True
        timer.start()
        try:
            return self.ask(what)
        except GONE as error:
            raise TimeoutError(f"no answer within {seconds:.0f} s") if ended.is_set() else error from error
        finally:
            timer.cancel()

    def end(self, seconds: float | None = None) -> None:
        """When it is done with what it is at, or after so many seconds."""
        with suppress(OSError, ValueError, subprocess.TimeoutExpired):
            self._process.communicate(timeout=seconds)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def says_something(pipe: IO[bytes], seconds: float) -> bool:
    """Whether something comes, or the pipe ends, in time. What was read into its buffer already does not count."""
    # select() takes no file that was opened after a thousand others
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(round(seconds * 1000)))


def answer(begin: Callable[[Any], Callable[[Any], object]]) -> None:
    """In such a process: ``begin`` with the first thing told, then what it gives answers all others, until the end."""
    # What anything prints is not an answer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    asked = sys.stdin.buffer
    with suppress(EOFError, BrokenPipeError):
        work = begin(pickle.load(asked))  # noqa: S301 (of the process that is helped)
        while True:
            pickle.dump(work(pickle.load(asked)), answers)  # noqa: S301 (the same)
            answers.flush()
