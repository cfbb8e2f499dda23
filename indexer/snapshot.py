"""One generation of an index as a reader holds it: who owns which passage, what may be seen, and both lanes.

Filters are applied before either lane ranks anything, so that what one may not see moves nothing.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.encoder import Vectors
from indexer.meaning import MeaningLane
from indexer.passages import Passage, Role
from indexer.retrieval import Asked, Candidate, Filter, Found
from indexer.spelling import Keys, Spelling, all_spellings
from indexer.words import Scope, WordsLane, names_beginning

Positions = NDArray[np.int64]
Mask = NDArray[np.bool_]

DEPTH = 200
# Callers of so many combinations of groups at a time have their lists of spellings at hand
_MOST_SPELLINGS = 16
_PASSAGES = (
    "SELECT p.key, o.id, p.heading_path, p.anchor, p.text, p.role FROM passages p JOIN owners o ON o.key = p.owner"
)
_NAME_ROLES = frozenset({"title", "name"})


class Snapshot:
    """Immutable; made once for a generation and shared by all threads. Connections belong to the callers."""

    def __init__(self, connection: sqlite3.Connection, generation: int, meaning: MeaningLane) -> None:
        self.generation = generation
        self._meaning = meaning
        rows = connection.execute(
            "SELECT key, owner, role, length, text_hash IS NOT NULL FROM passages ORDER BY key"
        ).fetchall()
        owners = connection.execute("SELECT * FROM owners ORDER BY key").fetchall()
        scopes = connection.execute("SELECT key, audiences FROM scopes ORDER BY key").fetchall()
        self.owner_ids: list[str] = [row[1] for row in owners]
        self.position_of = {owner_id: position for position, owner_id in enumerate(self.owner_ids)}
        owner_keys = np.array([row[0] for row in owners], np.int64)
        self._scopes: dict[Scope, frozenset[str]] = {key: frozenset(json.loads(text)) for key, text in scopes}
        self._scope_of = np.array([row[2] for row in owners], np.int64)
        self._told_facets: list[str] = [row[3] for row in owners]
        self._facets = _inverted(self._told_facets)
        self._valid_from = np.array([-np.inf if row[4] is None else row[4] for row in owners], np.float64)
        self._valid_to = np.array([np.inf if row[5] is None else row[5] for row in owners], np.float64)
        self._keys = np.array([row[0] for row in rows], np.int64)
        self._owner_of = np.searchsorted(owner_keys, np.array([row[1] for row in rows], np.int64))
        self._is_name = np.array([row[2] in _NAME_ROLES for row in rows], np.bool_)
        self._is_outcome = np.array([row[2] == "resolution" for row in rows], np.bool_)
        self._is_meant = np.array([row[4] for row in rows], np.bool_)
        self._waits = self._without_vector()
        self._length = np.array([row[3] for row in rows], np.float32)
        self._words = WordsLane(self._keys, self._owner_of, self._length, self._is_name, len(owners))
        self._order = np.argsort(self._owner_of, kind="stable")
        self._no_service = np.ones(len(owners), np.bool_)
        for (facet, _), places in self._facets.items():
            if facet == "service":
                self._no_service[places] = False
        self._spellings: dict[tuple[Scope, ...], list[str]] = {}
        self._starts = np.searchsorted(self._owner_of[self._order], np.arange(len(owners) + 1))

    def with_meaning(self, meaning: MeaningLane) -> "Snapshot":
        """The same generation with further vectors."""
        other = object.__new__(Snapshot)
        other.__dict__.update(self.__dict__)
        other._meaning = meaning
        other._waits = other._without_vector()
        return other

    def _without_vector(self) -> Mask:
        """Which passages are to have a vector and have none yet."""
        keys = self._meaning.keys
        there: Mask = np.searchsorted(keys, self._keys, "right") > np.searchsorted(keys, self._keys)
        return self._is_meant & ~there

    def encoded_share(self, wanted: Filter) -> float:
        """Of the passages that a filter lets through and that are to have a vector, the share that has one, 0..1."""
        if not self._waits.any():
            return 1.0
        seen = self.select(wanted)[self._owner_of]
        meant = int((seen & self._is_meant).sum())
        return 1.0 - int((seen & self._waits).sum()) / meant if meant else 1.0

    def select(self, wanted: Filter) -> Mask:
        """Which owners a filter lets through."""
        mask = np.isin(self._scope_of, self.scopes(wanted))
        if wanted.services is not None:
            mask &= self._no_service | self._any_of("service", wanted.services)
        moment = wanted.at.timestamp()
        scheduled, expired = moment < self._valid_from, moment > self._valid_to
        mask &= {
            "current": ~scheduled & ~expired,
            "scheduled": scheduled,
            "expired": expired,
            "any": np.ones(len(mask), np.bool_),
        }[wanted.validity]
        for name, values in wanted.facets.items():
            mask &= self._any_of(name, values)
        mask[[self.position_of[owner] for owner in wanted.exclude if owner in self.position_of]] = False
        return mask

    def scopes(self, wanted: Filter) -> tuple[Scope, ...]:
        """The scopes that a filter lets through, at least some of."""
        return tuple(key for key, audiences in self._scopes.items() if audiences & wanted.audiences)

    def _any_of(self, facet: str, values: Iterable[str]) -> Mask:
        mask = np.zeros(len(self.owner_ids), np.bool_)
        for value in values:
            mask[self._facets.get((facet, value.casefold()), [])] = True
        return mask

    def owners_with(self, facet: str, value: str) -> list[str]:
        """The ids of the owners that have a value of a facet, whatever its case; seen or not."""
        return [self.owner_ids[position] for position in self._facets.get((facet, value.casefold()), [])]

    def facets_of(self, owner_id: str) -> dict[str, list[str]]:
        """What an owner has of each facet, as its author wrote it."""
        facets: dict[str, list[str]] = json.loads(self._told_facets[self.position_of[owner_id]])
        return facets

    def owner_vectors(self, owner_ids: Iterable[str]) -> tuple[list[str], Vectors]:
        """Those of the owners that have vectors, and what each is about, ``(n, dimension)`` float32, unit length.

        The mean over its passages, without what they say of how it ended.
        """
        ids = [owner_id for owner_id in owner_ids if owner_id in self.position_of]
        passages = [self._positions(self.position_of[owner_id]) for owner_id in ids]
        place = np.repeat(np.arange(len(ids)), [len(positions) for positions in passages])
        positions = np.concatenate([*passages, np.zeros(0, np.int64)]).astype(np.int64)
        telling = ~self._is_outcome[positions]
        place, keys = place[telling], self._keys[positions[telling]]
        there, vectors = self._meaning.vectors(keys)
        sums = np.zeros((len(ids), self._meaning.dimension), np.float32)
        at = np.searchsorted(there, keys)
        known = at < len(there)
        known[known] = there[at[known]] == keys[known]
        np.add.at(sums, place[known], vectors[at[known]])
        lengths = np.linalg.norm(sums, axis=1)
        kept = np.flatnonzero(lengths > 0)
        return [ids[one] for one in kept], sums[kept] / lengths[kept, None]

    def search(self, connection: sqlite3.Connection, asked: Asked, wanted: Filter) -> Found:
        """Every owner that either lane puts among its best or that holds an identifier, scored by both lanes."""
        allowed, scopes = self.select(wanted), self.scopes(wanted)
        words = self._words.score(connection, asked.terms, scopes, allowed, asked.beside)
        holders = {code: self._holders(connection, code, scopes, allowed) for code in asked.codes}
        chosen = {int(owner) for owner in _best(words.article, DEPTH)} | {int(o) for o in _best(words.title, DEPTH)}
        chosen.update(owner for found in holders.values() for owner in found)
        named = (self.position_of[owner] for owner in asked.owners if owner in self.position_of)
        chosen.update(owner for owner in named if allowed[owner])
        if asked.vector is not None:
            for names, k in ((False, DEPTH * 2), (True, DEPTH)):
                keys = self._keys[allowed[self._owner_of] & (self._is_name == names)]
                near, _ = self._meaning.nearest(asked.vector, keys, k)
                chosen.update(self._owner_of[np.searchsorted(self._keys, near)].tolist())
        meanings = self._meanings(asked.vector, sorted(chosen))
        candidates = []
        for owner in sorted(chosen):
            positions = self._positions(owner)
            bodies = positions[~self._is_name[positions]]
            best = int(bodies[np.argmax(words.passage[bodies])]) if len(bodies) else None
            found_by_words = best is not None and words.passage[best] > 0
            meaning = meanings.get(owner, _NO_MEANING)
            candidates.append(
                Candidate(
                    owner_id=self.owner_ids[owner],
                    article_words=float(words.article[owner]),
                    passage_words=float(words.passage[best]) if best is not None else 0.0,
                    title_words=float(words.title[owner]),
                    title_share=float(words.title_share[owner]),
                    said=int(words.said[owner]),
                    passage_meaning=meaning.passage,
                    title_meaning=meaning.title,
                    mean_meaning=meaning.mean,
                    words_passage=int(self._keys[best]) if found_by_words else None,
                    meaning_passage=meaning.passage_key,
                    lead=int(self._keys[bodies[0]]) if len(bodies) else None,
                    exact=tuple(code for code, found in holders.items() if owner in found),
                    named=tuple(code for code, found in holders.items() if found.get(owner)),
                    in_window=bool(np.isfinite(self._valid_to[owner])),
                )
            )
        counts = {code: len(found) for code, found in holders.items()}
        return Found(tuple(candidates), int(np.count_nonzero(allowed)), counts, words.asked, words.ceiling)

    def spelling(self, connection: sqlite3.Connection, wanted: Filter) -> Spelling:
        """The words of what a filter lets through."""
        visible, scopes = self.select(wanted)[self._owner_of], self.scopes(wanted)

        def holders(term: str) -> Keys:
            positions, _ = self._words.postings(connection, scopes, term)
            return self._keys[positions[visible[positions]]]

        return Spelling(connection, scopes, holders, lambda: self._all_spellings(connection, scopes))

    def _all_spellings(self, connection: sqlite3.Connection, scopes: tuple[Scope, ...]) -> list[str]:
        if scopes not in self._spellings:
            if len(self._spellings) >= _MOST_SPELLINGS:
                self._spellings.clear()
            self._spellings[scopes] = all_spellings(connection, scopes)
        return self._spellings[scopes]

    def passages_saying(self, connection: sqlite3.Connection, words: Sequence[str], wanted: Filter) -> list[int]:
        """The keys of the passages that hold all of these index terms, none for no terms."""
        scopes = self.scopes(wanted)
        found: Positions | None = None
        for word in words:
            positions, _ = self._words.postings(connection, scopes, word)
            found = positions if found is None else np.intersect1d(found, positions, assume_unique=True)
        if found is None:
            return []
        keys: list[int] = self._keys[found[self.select(wanted)[self._owner_of[found]]]].tolist()
        return keys

    def complete(self, connection: sqlite3.Connection, typed: str, wanted: Filter, most: int) -> list[tuple[str, str]]:
        """Names that hold the words typed, the last one perhaps only begun, with their owners' ids.

        Those that begin as typed come first, then the shorter ones.
        """
        keys = np.array(names_beginning(connection, self.scopes(wanted), typed), np.int64)
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

    def _holders(
        self, connection: sqlite3.Connection, code: str, scopes: Sequence[Scope], allowed: Mask
    ) -> dict[int, bool]:
        """The owners that hold an identifier, and whether it is the whole of one of their names."""
        rows = connection.execute(
            "SELECT i.passage, p.role IN ('title', 'name') AND lower(p.text) = i.identifier"
            " FROM identifiers i JOIN passages p ON p.key = i.passage"
            f" WHERE i.identifier = ? AND i.scope IN ({','.join('?' * len(scopes))}) ORDER BY i.passage",
            (code, *scopes),
        ).fetchall()
        owners = self._owner_of[np.searchsorted(self._keys, np.array([row[0] for row in rows], np.int64))]
        holders: dict[int, bool] = {}
        for owner, (_, is_its_name) in zip(owners.tolist(), rows, strict=True):
            if allowed[owner]:
                holders[owner] = holders.get(owner, False) or bool(is_its_name)
        return holders

    def _meanings(self, vector: Vectors | None, owners: Sequence[int]) -> dict[int, "_Meaning"]:
        """Of each owner that has vectors, how near it is to the query."""
        if vector is None or not owners:
            return {}
        keys = self._keys[np.concatenate([self._positions(owner) for owner in owners])]
        near, scores = self._meaning.nearest(vector, keys, len(keys))
        positions = np.searchsorted(self._keys, near)
        of_owner: dict[int, list[tuple[int, float, bool]]] = {}
        columns = (near, scores, self._owner_of[positions], self._is_name[positions])
        for key, score, owner, is_name in zip(*(column.tolist() for column in columns), strict=True):
            of_owner.setdefault(owner, []).append((key, score, is_name))
        return {owner: _Meaning.of(found) for owner, found in of_owner.items()}


@dataclass(frozen=True, slots=True)
class _Meaning:
    """How near one owner is: its best name, its best passage with its key, and its passages on the whole."""

    title: float | None = None
    passage: float | None = None
    mean: float | None = None
    passage_key: int | None = None

    @classmethod
    def of(cls, found: Sequence[tuple[int, float, bool]]) -> "_Meaning":
        """From key, score and is-name of each of its vectors, the nearest first."""
        names = [score for _, score, is_name in found if is_name]
        bodies = [(key, score) for key, score, is_name in found if not is_name]
        title = names[0] if names else None
        if not bodies:
            return cls(title)
        return cls(title, bodies[0][1], sum(score for _, score in bodies) / len(bodies), bodies[0][0])


_NO_MEANING = _Meaning()


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
