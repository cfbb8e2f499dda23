"""Answers that were given a moment ago: pages, widgets and typing ask for the same again and again.

One counts while nothing of it can have changed: the same generation and vectors, and nothing begun or ended since. It
is kept for those alone who see the same.
"""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

from indexer.snapshot import Snapshot
from kb_service.query import Query, filter_of

R = TypeVar("R")
_MOST = 128
# A larger page is of a program that reads everything once
_MOST_HITS = 20


class RecentAnswers(Generic[R]):
    """The latest of one searcher. One serves all threads."""

    def __init__(self) -> None:
        self._of: Snapshot | None = None
        self._kept: OrderedDict[tuple[object, ...], R] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, snapshot: Snapshot, query: Query) -> R | None:
        """What was answered to the same query."""
        with self._lock:
            if self._of is not snapshot:
                self._of = snapshot
                self._kept.clear()
                return None
            key = _key(snapshot, query)
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, snapshot: Snapshot, query: Query, results: R) -> None:
        """For whoever asks next. What depends on more than the index is not kept."""
        if query.evidence or query.limit > _MOST_HITS:
            return
        with self._lock:
            if self._of is snapshot:
                self._kept[_key(snapshot, query)] = results
                while len(self._kept) > _MOST:
                    self._kept.popitem(last=False)


def _key(snapshot: Snapshot, query: Query) -> tuple[object, ...]:
    prefer = tuple(sorted(query.prefer.items()))
    asked = (query.text, query.state, query.limit, query.offset, query.exclude, query.shown, prefer)
    return (*asked, query.words_only, query.with_facets, bool(query.evidence), *snapshot.view(filter_of(query)).key)
