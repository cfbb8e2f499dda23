"""The threads that search: as many as there are cores, since more of them only stand in each other's way.

With a thread for each of eight clients a third fewer are answered, and the slowest wait twice as long. What would have
to wait too long is turned away at once, to be asked again: a search that comes after a second is of no use while
somebody types, and nobody's answers come later for it.
"""

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from math import ceil
from typing import ParamSpec, TypeVar

from indexer.errors import KnowledgeBaseError

MOST_SECONDS = 1.0
# How much the latest says of how long one takes
_SHARE_OF_LATEST = 0.05

P = ParamSpec("P")
R = TypeVar("R")


class OverloadedError(KnowledgeBaseError):
    """There is more to answer than can be; ``seconds`` until there is room again."""

    def __init__(self, waiting: int, seconds: float) -> None:
        self.seconds = max(1, ceil(seconds))
        super().__init__(
            f"The service has more to answer than it can: {waiting} wait already", f"Try again in {self.seconds} s"
        )


class SearchThreads:
    """So many threads, and who waits for them. Serves any number of event loops."""

    def __init__(self, count: int, most_seconds: float = MOST_SECONDS) -> None:
        self._count, self._most_seconds = count, most_seconds
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="search")
        self._lock = threading.Lock()
        self._unfinished = 0
        self._mean_seconds = 0.0

    async def run(self, work: Callable[[], R]) -> R:
        """Do it on one of the threads, in turn. Raises OverloadedError where its turn would come too late."""
        with self._lock:
            wait = max(0, self._unfinished - self._count + 1) * self._mean_seconds / self._count
            if wait > self._most_seconds:
                raise OverloadedError(self._unfinished, wait)
            self._unfinished += 1
        try:
            # With what belongs to the request, so that its log lines name it
            timed = partial(copy_context().run, self._timed, work)
            return await asyncio.get_running_loop().run_in_executor(self._threads, timed)
        finally:
            with self._lock:
                self._unfinished -= 1

    def _timed(self, work: Callable[[], R]) -> R:
        started = time.perf_counter()
        try:
            return work()
        finally:
            took = time.perf_counter() - started
            with self._lock:
                self._mean_seconds += _SHARE_OF_LATEST * (took - self._mean_seconds)


_THREADS = SearchThreads(os.cpu_count() or 1)


def on_search_threads(endpoint: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """An endpoint whose work is done by these threads."""

    @wraps(endpoint)
    async def run(*arguments: P.args, **named: P.kwargs) -> R:
        return await _THREADS.run(partial(endpoint, *arguments, **named))

    return run
