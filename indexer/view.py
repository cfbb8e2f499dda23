"""What a filter lets through of one generation, kept while it stays the same, and followed from one to the next.

Filters are applied before either lane ranks anything, so that what one may not see moves nothing.
"""

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from indexer.chosen import Chosen
from indexer.columns import Columns, Owners
from indexer.grouped import Grouped
from indexer.postings import Scope
from indexer.retrieval import Filter
from indexer.words import Statistics, WordStatistics

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Figures = NDArray[np.float64]
Pair = tuple[str, str]
# Roles, groups and what pages narrow by, each for a handful of callers; a view of a million records takes some 2 MB
_MOST_VIEWS = 16
# Of so few owners the passages are found by going through the owners, of more by going through all passages
_FEW_OWNERS = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """``allowed`` is over owners; ``bodies`` and ``names`` are the passages that the meaning lane may choose from.

    ``passages`` are both.
    ``scopes`` hold all of it. ``key`` is the same for the same view of one generation. ``known`` are words that were
    looked for in it, and whether it says them.
    """

    key: tuple[object, ...]
    scopes: tuple[Scope, ...]
    allowed: Mask
    count: int
    words: WordStatistics
    bodies: Chosen
    names: Chosen
    passages: Chosen
    known: dict[str, bool] = field(default_factory=dict)


class Views:
    """The owners of one generation by everything that they can be filtered by. One serves all threads."""

    def __init__(self, connection: sqlite3.Connection, columns: Columns, before: "Views | None" = None) -> None:
        """``before`` are those of an earlier generation whose columns these go on from."""
        self._columns = columns
        scopes = connection.execute("SELECT key, audiences FROM scopes ORDER BY key").fetchall()
        self._scopes: dict[Scope, frozenset[str]] = {key: frozenset(json.loads(text)) for key, text in scopes}
        owners, first = columns.owners, len(before._columns.owners) if before else 0
        self._texts = len(owners.texts)
        self._having: dict[Pair, list[int]] = before._having if before else {}
        for number in range(before._texts if before else 0, self._texts):
            for pair in _pairs(owners.texts[number]):
                self._having.setdefault(pair, []).append(number)
        bounds = np.concatenate([owners.valid_from[first:], np.nextafter(owners.valid_to[first:], np.inf)])
        held = before._bounds if before else bounds[:0]
        self._bounds: Figures = np.union1d(held, bounds[np.isfinite(bounds)])
        self._earlier: dict[tuple[object, ...], View] = {**before._earlier, **before._kept} if before else {}
        self._kept: OrderedDict[tuple[object, ...], View] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, wanted: Filter) -> View:
        """What a filter lets through, but for what it excludes: that is little, and another at every turn."""
        key = self._key(wanted)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
            earlier = self._earlier.get(key)
        made = self._make(key, wanted) if earlier is None else self._follow(earlier, wanted)
        with self._lock:
            self._earlier.pop(key, None)
            self._kept[key] = made
            while len(self._kept) > _MOST_VIEWS:
                self._kept.popitem(last=False)
            while len(self._kept) + len(self._earlier) > _MOST_VIEWS:
                del self._earlier[next(iter(self._earlier))]
        return made

    def _key(self, wanted: Filter) -> tuple[object, ...]:
        """Between two moments at which something begins or ends nothing changes."""
        moment = int(np.searchsorted(self._bounds, wanted.at.timestamp(), "right"))
        since = float(self._bounds[moment - 1]) if moment and wanted.validity != "any" else -np.inf
        facets = tuple(sorted((name, values) for name, values in wanted.facets.items()))
        return wanted.audiences, wanted.services, facets, wanted.validity, since

    def _make(self, key: tuple[object, ...], wanted: Filter) -> View:
        owners, passages = self._columns.owners, self._columns.passages
        allowed = self._lets_through(wanted, slice(0, len(owners))) & owners.alive
        visible = allowed[passages.owner_of]
        bodies, names = visible & ~passages.is_name, visible & passages.is_name
        words = WordStatistics(
            *(
                Statistics.of(*of)
                for of in ((owners.length, allowed), (passages.length, bodies), (passages.length, names))
            )
        )
        return View(
            key=key,
            scopes=self.scopes(wanted),
            allowed=allowed,
            count=int(np.count_nonzero(allowed)),
            words=words,
            bodies=Chosen(passages.keys, words.bodies.count, lambda: self._positions(allowed, is_name=False)),
            names=Chosen(passages.keys, words.names.count, lambda: self._positions(allowed, is_name=True)),
            passages=Chosen(
                passages.keys, words.bodies.count + words.names.count, lambda: self._positions(allowed, is_name=None)
            ),
        )

    def _follow(self, earlier: View, wanted: Filter) -> View:
        """The same view of this generation, by what is gone and what has come since."""
        owners, passages, first = self._columns.owners, self._columns.passages, len(earlier.allowed)
        new = self._lets_through(wanted, slice(first, len(owners))) & owners.alive[first:]
        gone = np.flatnonzero(earlier.allowed & ~owners.alive[:first])
        come = first + np.flatnonzero(new)
        allowed = np.concatenate([earlier.allowed, new])
        allowed[gone] = False
        passages_gone, passages_come = (_of_owners(owners, places) for places in (gone, come))

        def chosen(held: Chosen, kind: Mask | None, *, is_name: bool | None) -> Chosen:
            went, came = (
                positions if kind is None else positions[kind[positions]]
                for positions in (passages_gone, passages_come)
            )
            return held.changed(went, came, passages.keys, lambda: self._positions(allowed, is_name=is_name))

        bodies, names = (np.asarray(kind) for kind in (~passages.is_name, passages.is_name))
        words = WordStatistics(
            earlier.words.articles.changed(owners.length[gone], owners.length[come]),
            *(
                held.changed(*(passages.length[some[kind[some]]] for some in (passages_gone, passages_come)))
                for held, kind in ((earlier.words.bodies, bodies), (earlier.words.names, names))
            ),
        )
        return View(
            key=earlier.key,
            scopes=self.scopes(wanted),
            allowed=allowed,
            count=earlier.count - len(gone) + len(come),
            words=words,
            bodies=chosen(earlier.bodies, bodies, is_name=False),
            names=chosen(earlier.names, names, is_name=True),
            passages=chosen(earlier.passages, None, is_name=None),
        )

    def _lets_through(self, wanted: Filter, rows: slice) -> Mask:
        """Which owners a filter lets through, of some places, alive or not."""
        owners = self._columns.owners
        allowed = np.isin(owners.scope_of[rows], self.scopes(wanted))
        facets_of = owners.facets_of[rows]
        if wanted.services is not None:
            has_one = self._texts_with([pair for pair in list(self._having) if pair[0] == "service"])
            allowed &= (~has_one | self._texts_with([("service", value) for value in wanted.services]))[facets_of]
        for name, values in wanted.facets.items():
            allowed &= self._texts_with([(name, value) for value in values])[facets_of]
        if wanted.validity != "any":
            moment = wanted.at.timestamp()
            scheduled, expired = moment < owners.valid_from[rows], moment > owners.valid_to[rows]
            allowed &= {"current": ~scheduled & ~expired, "scheduled": scheduled, "expired": expired}[wanted.validity]
        return allowed

    def _texts_with(self, pairs: Iterable[Pair]) -> Mask:
        """Which of the texts of facets have one of these values, whatever its case."""
        mask = np.zeros(self._texts, np.bool_)
        for name, value in pairs:
            numbers = np.array(self._having.get((name, value.casefold()), []), np.int64)
            mask[numbers[numbers < self._texts]] = True
        return mask

    def _positions(self, allowed: Mask, *, is_name: bool | None) -> Numbers:
        """The passages of the allowed owners that are names, or that are none; all of them for None."""
        passages, owners = self._columns.passages, self._columns.owners
        places = np.flatnonzero(allowed)
        if len(places) < len(allowed) * _FEW_OWNERS:
            positions: Numbers = np.sort(_of_owners(owners, places))
            some: Numbers = positions if is_name is None else positions[passages.is_name[positions] == is_name]
            return some
        visible = allowed[passages.owner_of]
        return np.flatnonzero(visible if is_name is None else visible & (passages.is_name == is_name))

    def scopes(self, wanted: Filter) -> tuple[Scope, ...]:
        """The scopes that a filter lets through, at least some of."""
        return tuple(key for key, audiences in self._scopes.items() if audiences & wanted.audiences)

    def having(self, facet: str, value: str, places: Numbers) -> Mask:
        """Which of the owners at some places have a value of a facet, whatever its case."""
        return self._texts_with([(facet, value)])[self._columns.owners.facets_of[places]]

    def facets_of(self, place: int) -> dict[str, list[str]]:
        """What an owner has of each facet, as its author wrote it."""
        owners = self._columns.owners
        facets: dict[str, list[str]] = json.loads(owners.texts[owners.facets_of[place]])
        return facets


def _of_owners(owners: Owners, places: Numbers) -> Numbers:
    """The positions of the passages of some owners."""
    return Grouped.of(owners.starts, owners.ends, places).values


def _pairs(text: str) -> Iterator[Pair]:
    values: dict[str, list[str]] = json.loads(text)
    yield from {(name, value.casefold()) for name in values for value in values[name]}
