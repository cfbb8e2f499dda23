"""Processes that search beside the service's own, so that more cores answer more: threads share one interpreter.

Each has the index open for itself and follows it from one publish to the next. Where none is free, or one has died, the
service searches by itself.
"""

import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from indexer.index import PassageIndex
from indexer.processes import GONE, Helper, answer
from kb_service import logs
from kb_service.confidence import Corpus
from kb_service.memory import hold_little
from kb_service.query import Query
from kb_service.query_vectors import QueryVectors
from kb_service.results import Results
from kb_service.search import Searcher
from kb_service.settings import Settings

_STOP_SECONDS = 5.0
_MOST_SECONDS = 60.0
_READY = None
_log = logging.getLogger("kb.workers")


class Workers:
    """So many processes, ready a moment after they are made. One serves all threads."""

    def __init__(self, settings: Settings, count: int) -> None:
        self._settings = settings
        self._idle: SimpleQueue[Helper] = SimpleQueue()
        self._every: list[Helper] = []
        self._lock = threading.Lock()
        self._stopped = False
        for _ in range(count):
            self._start()

    @property
    def pids(self) -> list[int]:
        """Of those that run."""
        with self._lock:
            return [helper.pid for helper in self._every]

    def of(self, kind: Corpus) -> Callable[[Query], Results | None]:
        """What answers queries about articles or incidents; None where no process is free for it."""
        return lambda query: self._ask(kind, query)

    def close(self) -> None:
        """End them after what they are at."""
        with self._lock:
            self._stopped = True
            every, self._every = self._every, []
        for helper in every:
            helper.end(_STOP_SECONDS)

    def _start(self) -> None:
        """Begin another one; it is asked when it is ready, for which a thread waits."""
        with self._lock:
            if self._stopped:
                return
            helper = Helper("kb_service.workers", "serve")
            self._every.append(helper)
        threading.Thread(target=self._wait_for, args=(helper,), name="worker", daemon=True).start()

    def _wait_for(self, helper: Helper) -> None:
        try:
            helper.tell(self._settings)
            helper.ask(_READY, _MOST_SECONDS)
        except GONE:
            if self._gone(helper):
                _log.exception("a process that was to search beside the service did not start; there is one less")
        else:
            self._idle.put(helper)

    def _ask(self, kind: Corpus, query: Query) -> Results | None:
        try:
            helper = self._idle.get_nowait()
        except Empty:
            return None
        try:
            asked = kind, query, logs.REQUEST_ID.get()
            results: Results | None = helper.ask(asked, _MOST_SECONDS)
        except GONE:
            if self._gone(helper):
                _log.warning("a process that searched beside the service has ended; another takes its place")
                self._start()
            return None
        self._idle.put(helper)
        return results

    def _gone(self, helper: Helper) -> bool:
        """Whether that is news: not after all are ended."""
        with self._lock:
            if self._stopped:
                return False
            self._every.remove(helper)
        helper.end(_STOP_SECONDS)
        return True


def serve() -> None:
    """What each of the processes does: answer queries until there are no more."""
    hold_little()
    answer(_begin)


def _begin(settings: Settings) -> Callable[[tuple[Corpus, Query, str] | None], Results | None]:
    logs.configure(settings.log, texts=settings.log_texts)
    encoder = settings.open_encoder()
    vectors = QueryVectors(encoder)
    files: dict[Corpus, str] = {"articles": "index.db", "incidents": "incidents.db"}
    searchers = {
        kind: Searcher(
            PassageIndex(settings.data / name, encoder, settings.spoken), encoder, settings.strong, kind, vectors
        )
        for kind, name in files.items()
    }

    def searched(asked: tuple[Corpus, Query, str] | None) -> Results | None:
        if asked is _READY:
            return None
        kind, query, request = asked
        logs.REQUEST_ID.set(request)
        try:
            return searchers[kind].search(query)
        except Exception:
            # Whatever it is, the service tries by itself then, and says what is wrong
            _log.exception("a search in a process beside the service failed")
            return None

    return searched
