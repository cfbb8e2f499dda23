"""Processes that search beside the service's own, so that more cores answer more: threads share one interpreter.

Each has the index open for itself and follows it from one publish to the next; what it reads of files is in memory once
for all. They are asked through pipes, as readers of files are (``indexer.readers``), and end with the service, however
that ends. Where none is free, or one has died, the service searches by itself.
"""

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from indexer.index import PassageIndex
from indexer.pipes import says_something
from kb_service.confidence import Kind
from kb_service.memory import hold_little
from kb_service.query import Query
from kb_service.query_vectors import QueryVectors
from kb_service.search import Results, Searcher
from kb_service.settings import Settings

_STOP_SECONDS = 5.0
_MOST_SECONDS = 60.0
# Of a pipe whose other end is gone, or that was closed here
_GONE = (OSError, EOFError, ValueError, pickle.UnpicklingError)
_log = logging.getLogger("kb.workers")


class Workers:
    """So many processes, ready a moment after they are made. One serves all threads."""

    def __init__(self, settings: Settings, count: int) -> None:
        self._settings = settings
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._every: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._stopped = False
        for _ in range(count):
            self._start()

    @property
    def pids(self) -> list[int]:
        """Of those that run."""
        return [process.pid for process in self._every]

    def of(self, kind: Kind) -> Callable[[Query], Results | None]:
        """What answers queries about articles or incidents; None where no process is free for it."""
        return lambda query: self._ask(kind, query)

    def close(self) -> None:
        """End them after what they are at."""
        with self._lock:
            self._stopped = True
        for process in self._every:
            _end(process)

    def _start(self) -> None:
        """Begin another one; it is asked when it is ready, for which a thread waits."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", "from kb_service.workers import serve; serve()"]
        with self._lock:
            if self._stopped:
                return
            process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._every.append(process)
        threading.Thread(target=self._wait_for, args=(process,), name="worker", daemon=True).start()

    def _wait_for(self, process: "subprocess.Popen[bytes]") -> None:
        try:
            if _said(process, self._settings) is True:
                self._idle.put(process)
        except _GONE:
            if not self._stopped:
                _log.exception("a process that was to search beside the service did not start; there is one less")

    def _ask(self, kind: Kind, query: Query) -> Results | None:
        try:
            process = self._idle.get_nowait()
        except Empty:
            return None
        try:
            answer = _said(process, (kind, query))
        except _GONE:
            if not self._stopped:
                _log.warning("a process that searched beside the service has ended; another takes its place")
                self._every.remove(process)
                _end(process)
                self._start()
            return None
        self._idle.put(process)
        return answer if isinstance(answer, Results) else None


def _said(process: "subprocess.Popen[bytes]", asked: object) -> object:
    """What a process answers."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 (they are pipes)
    pickle.dump(asked, process.stdin)
    process.stdin.flush()
    # One answer is waited for at a time, so that nothing of it can be here already
    if not says_something(process.stdout, _MOST_SECONDS):
        process.kill()
        raise TimeoutError(f"no answer within {_MOST_SECONDS:.0f} s")
    answer: object = pickle.load(process.stdout)  # noqa: S301 (of a process of ours)
    return answer


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(OSError, ValueError, subprocess.TimeoutExpired):
        process.communicate(timeout=_STOP_SECONDS)
    if process.poll() is None:
        process.kill()
        process.wait()


def serve() -> None:
    """What each of the processes does: answer queries until there are no more."""
    # Ctrl+C is for the one that is asked; what anything prints is not an answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hold_little()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    asked = sys.stdin.buffer
    with suppress(EOFError, BrokenPipeError):
        settings: Settings = pickle.load(asked)  # noqa: S301 (of the service)
        searchers = _searchers(settings)
        answer: object = True
        while True:
            pickle.dump(answer, answers)
            answers.flush()
            kind, query = pickle.load(asked)  # noqa: S301 (of the service)
            try:
                answer = searchers[kind].search(query)
            except Exception:
                # The service tries by itself then, and says what is wrong
                _log.exception("a search in a process beside the service failed")
                answer = None


def _searchers(settings: Settings) -> dict[Kind, Searcher]:
    encoder = settings.open_encoder()
    vectors = QueryVectors(encoder)
    files: dict[Kind, str] = {"articles": "index.db", "incidents": "incidents.db"}
    return {
        kind: Searcher(PassageIndex(settings.data / name, encoder), encoder, settings.strong, kind, vectors)
        for kind, name in files.items()
    }
