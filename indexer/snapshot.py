"""One generation of an index as a reader holds it: who owns which passage, what may be seen, and both lanes.

Filters are applied before either lane ranks anything, so that what one may not see moves nothing.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexer.encoder import Vectors
from indexer.meaning import MeaningLane
from indexer.passages import Passage, Role
from indexer.words import WordsLane, names_beginning

Positions = NDArray[np.int64]
Mask = NDArray[np.bool_]
Validity = Literal["current", "scheduled", "expired", "any"]

DEPTH = 200
_PASSAGES = (
    "SELECT p.key, o.id, p.heading_path, p.anchor, p.text, p.role FROM passages p JOIN owners o ON o.key = p.owner"
)
_NAME_ROLES = frozenset({"title", "name"})


@dataclass(frozen=True, slots=True)
class Owner:
    """What passages belong to: an article or a record, with everything it can be filtered by."""

    id: str
    audience: str
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a search may see. Every facet must have one of its values, ``validity`` is judged at the moment ``at``."""

    audiences: frozenset[str]
    at: datetime
    facets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    validity: Validity = "current"
    exclude: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One owner and how each lane scores it.

    Words are BM25 sums; meanings are inner products, None where no vector is there yet. The two passage keys are of
    its best passage by words and by meaning, ``lead`` is its first one; ``exact`` are the query's identifiers that it
    holds; ``in_window`` says that it is valid for a limited time only.
    """

    owner_id: str
    article_words: float = 0.0
    passage_words: float = 0.0
    title_words: float = 0.0
    passage_meaning: float | None = None
    title_meaning: float | None = None
    words_passage: int | None = None
    meaning_passage: int | None = None
    lead: int | None = None
    exact: tuple[str, ...] = ()
    in_window: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The candidates of a search, unranked; how many owners it could see; how many of them hold each identifier.

    ``words_ceiling`` is about what an article would score that says every word of the query.
    """

    candidates: tuple[Candidate, ...]
    visible: int
    holders: Mapping[str, int]
    words_ceiling: float


class Snapshot:
    """Immutable; made once for a generation and shared by all threads. Connections belong to the callers."""

    def __init__(self, connection: sqlite3.Connection, generation: int, meaning: MeaningLane) -> None:
        self.generation = generation
        self._meaning = meaning
        rows = connection.execute("SELECT key, owner, role, length FROM passages ORDER BY key").fetchall()
        owners = connection.execute("SELECT * FROM owners ORDER BY key").fetchall()
        self.owner_ids: list[str] = [row[1] for row in owners]
        self.position_of = {owner_id: position for position, owner_id in enumerate(self.owner_ids)}
        owner_keys = np.array([row[0] for row in owners], np.int64)
        self._audience = np.array([row[2] for row in owners], np.str_)
        self._facets = _inverted([json.loads(row[3]) for row in owners])
        self._valid_from = np.array([-np.inf if row[4] is None else row[4] for row in owners], np.float64)
        self._valid_to = np.array([np.inf if row[5] is None else row[5] for row in owners], np.float64)
        self._keys = np.array([row[0] for row in rows], np.int64)
        self._owner_of = np.searchsorted(owner_keys, np.array([row[1] for row in rows], np.int64))
        self._is_name = np.array([row[2] in _NAME_ROLES for row in rows], np.bool_)
        self._length = np.array([row[3] for row in rows], np.float32)
        self._words = WordsLane(self._keys, self._owner_of, self._length, self._is_name, len(owners))
        self._order = np.argsort(self._owner_of, kind="stable")
        self._starts = np.searchsorted(self._owner_of[self._order], np.arange(len(owners) + 1))

    def with_meaning(self, meaning: MeaningLane) -> "Snapshot":
        """The same generation with further vectors."""
        other = object.__new__(Snapshot)
        other.__dict__.update(self.__dict__)
        other._meaning = meaning
        return other

    def select(self, wanted: Filter) -> Mask:
        """Which owners a filter lets through."""
        mask = np.isin(self._audience, list(wanted.audiences))
        moment = wanted.at.timestamp()
        scheduled, expired = moment < self._valid_from, moment > self._valid_to
        mask &= {
            "current": ~scheduled & ~expired,
            "scheduled": scheduled,
            "expired": expired,
            "any": np.ones(len(mask), np.bool_),
        }[wanted.validity]
        for name, values in wanted.facets.items():
            any_of = np.zeros(len(mask), np.bool_)
            for value in values:
                any_of[self._facets.get((name, value.casefold()), [])] = True
            mask &= any_of
        mask[[self.position_of[owner] for owner in wanted.exclude if owner in self.position_of]] = False
        return mask

    def search(
        self,
        connection: sqlite3.Connection,
        terms: Counter[str],
        codes: Iterable[str],
        vector: Vectors | None,
        wanted: Filter,
    ) -> Found:
        """Every owner that either lane puts among its best or that holds an identifier, scored by both lanes.

        ``vector`` is the query's, ``(dimension,)`` float32; None searches by words alone.
        """
        allowed = self.select(wanted)
        words = self._words.score(connection, terms, allowed)
        holders = {code: self._holders(connection, code, allowed) for code in codes}
        chosen = {int(owner) for owner in _best(words.article, DEPTH)} | {int(o) for o in _best(words.title, DEPTH)}
        chosen.update(owner for found in holders.values() for owner in found)
        if vector is not None:
            for names, k in ((False, DEPTH * 2), (True, DEPTH)):
                keys = self._keys[allowed[self._owner_of] & (self._is_name == names)]
                near, _ = self._meaning.nearest(vector, keys, k)
                chosen.update(self._owner_of[np.searchsorted(self._keys, near)].tolist())
        meanings = self._meanings(vector, sorted(chosen))
        candidates = []
        for owner in sorted(chosen):
            positions = self._positions(owner)
            bodies = positions[~self._is_name[positions]]
            best = int(bodies[np.argmax(words.passage[bodies])]) if len(bodies) else None
            found_by_words = best is not None and words.passage[best] > 0
            title_meaning, passage_meaning, meaning_key = meanings.get(owner, (None, None, None))
            candidates.append(
                Candidate(
                    self.owner_ids[owner],
                    float(words.article[owner]),
                    float(words.passage[best]) if best is not None else 0.0,
                    float(words.title[owner]),
                    passage_meaning,
                    title_meaning,
                    int(self._keys[best]) if found_by_words else None,
                    meaning_key,
                    int(self._keys[bodies[0]]) if len(bodies) else None,
                    tuple(code for code, found in holders.items() if owner in found),
                    bool(np.isfinite(self._valid_to[owner])),
                )
            )
        counts = {code: len(found) for code, found in holders.items()}
        return Found(tuple(candidates), int(np.count_nonzero(allowed)), counts, words.ceiling)

    def complete(self, connection: sqlite3.Connection, typed: str, wanted: Filter, most: int) -> list[tuple[str, str]]:
        """Names that hold the words typed, the last one perhaps only begun, with their owners' ids.

        Those that begin as typed come first, then the shorter ones.
        """
        keys = np.array(names_beginning(connection, typed), np.int64)
        positions = np.searchsorted(self._keys, keys)
        seen = self.select(wanted)[self._owner_of[positions]]
        shortest = keys[seen][np.lexsort((keys[seen], self._length[positions[seen]]))][: most * 10]
        marks = ",".join("?" * len(shortest))
        rows = connection.execute(f"SELECT rowid, text FROM names WHERE rowid IN ({marks})", shortest.tolist())
        start = typed.strip().casefold()
        found = sorted((not text.casefold().startswith(start), len(text), text, key) for key, text in rows)
        names: dict[str, str] = {}
        for _, _, text, key in found:
            names.setdefault(text, self.owner_ids[self._owner_of[np.searchsorted(self._keys, key)]])
        return list(names.items())[:most]

    def _positions(self, owner: int) -> Positions:
        return self._order[self._starts[owner] : self._starts[owner + 1]]

    def _holders(self, connection: sqlite3.Connection, code: str, allowed: Mask) -> set[int]:
        rows = connection.execute("SELECT passage FROM identifiers WHERE identifier = ?", (code,)).fetchall()
        owners = self._owner_of[np.searchsorted(self._keys, np.array([row[0] for row in rows], np.int64))]
        return {int(owner) for owner in owners if allowed[owner]}

    def _meanings(
        self, vector: Vectors | None, owners: Sequence[int]
    ) -> dict[int, tuple[float | None, float | None, int | None]]:
        """Of each owner the best name's and the best passage's inner product, and that passage's key."""
        if vector is None or not owners:
            return {}
        keys = self._keys[np.concatenate([self._positions(owner) for owner in owners])]
        found: dict[int, tuple[float | None, float | None, int | None]] = {}
        near, scores = self._meaning.nearest(vector, keys, len(keys))
        positions = np.searchsorted(self._keys, near)
        columns = (near, scores, self._owner_of[positions], self._is_name[positions])
        for key, score, owner, is_name in zip(*(column.tolist() for column in columns), strict=True):
            title, passage, passage_key = found.get(owner, (None, None, None))
            if is_name and title is None:
                found[owner] = (score, passage, passage_key)
            elif not is_name and passage is None:
                found[owner] = (title, score, key)
        return found


def passages_by_key(connection: sqlite3.Connection, keys: Iterable[int]) -> dict[int, Passage]:
    """The passages' texts, for the hits that are shown."""
    wanted = sorted(set(keys))
    marks = ",".join("?" * len(wanted))
    rows = connection.execute(f"{_PASSAGES} WHERE p.key IN ({marks})", wanted)
    return {row[0]: passage_of(row) for row in rows}


def passages_by_role(connection: sqlite3.Connection, roles: Sequence[Role]) -> list[Passage]:
    """All passages of some roles, by owner and in reading order."""
    marks = ",".join("?" * len(roles))
    rows = connection.execute(f"{_PASSAGES} WHERE p.role IN ({marks}) ORDER BY o.id, p.number", list(roles))
    return [passage_of(row) for row in rows]


def passage_of(row: tuple[int, str, str, str, str, Role]) -> Passage:
    """A passage from its row: key, owner id, heading path, anchor, text, role."""
    key, owner_id, heading_path, anchor, text, role = row
    return Passage(f"{owner_id}#{key}", owner_id, tuple(json.loads(heading_path)), anchor, text, role)


def _best(scores: NDArray[np.float32], most: int) -> Positions:
    """Where the highest scores above zero are; all that tie with the last one, so that the cut depends on no order."""
    above = np.flatnonzero(scores)
    if len(above) <= most:
        return above
    least = np.partition(scores[above], len(above) - most)[len(above) - most]
    kept: Positions = above[scores[above] >= least]
    return kept


def _inverted(facets: Sequence[Mapping[str, Sequence[str]]]) -> dict[tuple[str, str], list[int]]:
    inverted: dict[tuple[str, str], list[int]] = {}
    for position, of_owner in enumerate(facets):
        for name, values in of_owner.items():
            for value in values:
                inverted.setdefault((name, value.casefold()), []).append(position)
    return inverted
