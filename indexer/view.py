"""What a filter lets through of one generation, made once and kept while it stays the same.

Filters are applied before either lane ranks anything, so that what one may not see moves nothing.
"""

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.meaning import Chosen
from indexer.postings import Scope
from indexer.retrieval import Filter
from indexer.words import WordsLane, WordStatistics

Mask = NDArray[np.bool_]
Positions = NDArray[np.int64]
# Roles, groups and what pages narrow by, each for a handful of callers; a view of a million records takes some 6 MB
_MOST_VIEWS = 16


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """``allowed`` is over owners; ``bodies`` and ``names`` are the passages that the meaning lane may choose from.

    ``scopes`` hold all of it. ``key`` is the same for the same view of one generation.
    """

    key: tuple[object, ...]
    scopes: tuple[Scope, ...]
    allowed: Mask
    count: int
    words: WordStatistics
    bodies: Chosen
    names: Chosen


class Views:
    """The owners of one generation by everything that they can be filtered by. One serves all threads."""

    def __init__(self, connection: sqlite3.Connection, lane: WordsLane, keys: Positions) -> None:
        """``keys`` are those of the passages, in the order of the words lane."""
        owners = connection.execute("SELECT scope, facets, valid_from, valid_to FROM owners ORDER BY key").fetchall()
        scopes = connection.execute("SELECT key, audiences FROM scopes ORDER BY key").fetchall()
        self._lane, self._keys = lane, keys
        self._scopes: dict[Scope, frozenset[str]] = {key: frozenset(json.loads(text)) for key, text in scopes}
        self._scope_of = np.array([row[0] for row in owners], np.int64)
        self._told_facets: list[str] = [row[1] for row in owners]
        self._facets = _inverted(self._told_facets)
        self._valid_from = np.array([-np.inf if row[2] is None else row[2] for row in owners], np.float64)
        self._valid_to = np.array([np.inf if row[3] is None else row[3] for row in owners], np.float64)
        bounds = np.concatenate([self._valid_from, np.nextafter(self._valid_to, np.inf)])
        self._bounds = np.unique(bounds[np.isfinite(bounds)])
        self.in_window: Mask = np.isfinite(self._valid_to)
        self._no_service = np.ones(len(owners), np.bool_)
        for (facet, _), places in self._facets.items():
            if facet == "service":
                self._no_service[places] = False
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
        made = self._make(key, wanted)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > _MOST_VIEWS:
                self._kept.popitem(last=False)
        return made

    def _key(self, wanted: Filter) -> tuple[object, ...]:
        """Between two moments at which something begins or ends nothing changes."""
        moment = int(np.searchsorted(self._bounds, wanted.at.timestamp(), "right"))
        facets = tuple(sorted((name, values) for name, values in wanted.facets.items()))
        return wanted.audiences, wanted.services, facets, wanted.validity, 0 if wanted.validity == "any" else moment

    def _make(self, key: tuple[object, ...], wanted: Filter) -> View:
        scopes = self.scopes(wanted)
        allowed = np.isin(self._scope_of, scopes)
        if wanted.services is not None:
            allowed &= self._no_service | self._any_of("service", wanted.services)
        allowed &= self._valid(wanted)
        for name, values in wanted.facets.items():
            allowed &= self._any_of(name, values)
        visible = allowed[self._lane.owner_of]
        is_name = self._lane.is_name
        bodies, names = (self._chosen(visible & kind) for kind in (~is_name, is_name))
        words = self._lane.statistics(allowed, visible)
        return View(key, scopes, allowed, int(np.count_nonzero(allowed)), words, bodies, names)

    def _chosen(self, mask: Mask) -> Chosen:
        positions = np.flatnonzero(mask)
        return Chosen(self._keys[positions], positions)

    def _valid(self, wanted: Filter) -> Mask | bool:
        if wanted.validity == "any":
            return True
        moment = wanted.at.timestamp()
        scheduled, expired = moment < self._valid_from, moment > self._valid_to
        states: dict[str, Mask] = {
            "current": ~scheduled & ~expired, "scheduled": scheduled, "expired": expired,
        }  # fmt: skip
        return states[wanted.validity]

    def scopes(self, wanted: Filter) -> tuple[Scope, ...]:
        """The scopes that a filter lets through, at least some of."""
        return tuple(key for key, audiences in self._scopes.items() if audiences & wanted.audiences)

    def having(self, facet: str, value: str) -> Sequence[int]:
        """The places of the owners that have a value of a facet, whatever its case."""
        return self._facets.get((facet, value.casefold()), [])

    def facets_of(self, place: int) -> dict[str, list[str]]:
        """What an owner has of each facet, as its author wrote it."""
        facets: dict[str, list[str]] = json.loads(self._told_facets[place])
        return facets

    def _any_of(self, facet: str, values: Iterable[str]) -> Mask:
        mask = np.zeros(len(self._scope_of), np.bool_)
        for value in values:
            mask[self.having(facet, value)] = True
        return mask


def _inverted(facets: Sequence[str]) -> dict[tuple[str, str], list[int]]:
    """Where each value of each facet stands; many owners have the same ones, which are read once."""
    alike: dict[str, list[int]] = {}
    for position, text in enumerate(facets):
        alike.setdefault(text, []).append(position)
    inverted: dict[tuple[str, str], list[int]] = {}
    for text, positions in alike.items():
        values: dict[str, list[str]] = json.loads(text)
        for pair in {(name, value.casefold()) for name in values for value in values[name]}:
            inverted.setdefault(pair, []).extend(positions)
    return inverted
