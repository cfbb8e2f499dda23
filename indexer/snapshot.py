"""One generation of an index as a reader holds it: who owns which passage, what may be seen, and both lanes.

Filters are applied before either lane ranks anything, so that what one may not see moves nothing.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.candidates import NO_KEY, ROWS, Candidates
from indexer.encoder import Vectors
from indexer.grouped import NONE, Grouped
from indexer.meaning import MeaningLane
from indexer.names import names_beginning
from indexer.nearness import Nearness
from indexer.passages import Passage, Role
from indexer.postings import Scope
from indexer.retrieval import Asked, Filter, Found
from indexer.spelling import Keys, Spelling, all_spellings
from indexer.view import View, Views
from indexer.words import WordScores, WordsLane

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
        owners = connection.execute("SELECT key, id FROM owners ORDER BY key").fetchall()
        self.owner_ids: list[str] = [row[1] for row in owners]
        self.position_of = {owner_id: position for position, owner_id in enumerate(self.owner_ids)}
        owner_keys = np.array([row[0] for row in owners], np.int64)
        self._keys = np.array([row[0] for row in rows], np.int64)
        self._owner_of = np.searchsorted(owner_keys, np.array([row[1] for row in rows], np.int64))
        self._is_name = np.array([row[2] in _NAME_ROLES for row in rows], np.bool_)
        self._is_outcome = np.array([row[2] == "resolution" for row in rows], np.bool_)
        self._is_meant = np.array([row[4] for row in rows], np.bool_)
        self._take_up_vectors()
        self._length = np.array([row[3] for row in rows], np.float32)
        self._words = WordsLane(self._keys, self._owner_of, self._length, self._is_name, len(owners))
        self._views = Views(connection, self._words, self._keys)
        self._order = np.argsort(self._owner_of, kind="stable")
        self._spellings: dict[tuple[Scope, ...], list[str]] = {}
        self._starts = np.searchsorted(self._owner_of[self._order], np.arange(len(owners) + 1))

    def with_meaning(self, meaning: MeaningLane) -> "Snapshot":
        """The same generation with further vectors."""
        other = object.__new__(Snapshot)
        other.__dict__.update(self.__dict__)
        other._meaning = meaning
        other._take_up_vectors()
        return other

    def _take_up_vectors(self) -> None:
        """For each passage which of the lane's vectors it has, -1 for none; and whether it is to get one yet."""
        keys = self._meaning.keys
        rows = np.searchsorted(keys, self._keys)
        there = rows < len(keys)
        there[there] = keys[rows[there]] == self._keys[there]
        self._rows = np.where(there, rows, -1)
        waits = self._is_meant & ~there
        self._waits = waits if waits.any() else None

    def encoded_share(self, wanted: Filter) -> float:
        """Of the passages that a filter lets through and that are to have a vector, the share that has one, 0..1."""
        if self._waits is None:
            return 1.0
        seen = self.select(wanted)[self._owner_of]
        meant = int((seen & self._is_meant).sum())
        return 1.0 - int((seen & self._waits).sum()) / meant if meant else 1.0

    def view(self, wanted: Filter) -> View:
        """What a filter lets through, but for what it excludes."""
        return self._views.of(wanted)

    def select(self, wanted: Filter) -> Mask:
        """Which owners a filter lets through."""
        allowed = self._views.of(wanted).allowed
        excluded = self._excluded(wanted)
        if len(excluded):
            allowed = allowed.copy()
            allowed[excluded] = False
        return allowed

    def _excluded(self, wanted: Filter) -> Positions:
        there = (self.position_of[owner] for owner in wanted.exclude if owner in self.position_of)
        return np.fromiter(there, np.int64)

    def owners_with(self, facet: str, value: str) -> list[str]:
        """The ids of the owners that have a value of a facet, whatever its case; seen or not."""
        return [self.owner_ids[position] for position in self._views.having(facet, value)]

    def facets_of(self, owner_id: str) -> dict[str, list[str]]:
        """What an owner has of each facet, as its author wrote it."""
        return self._views.facets_of(self.position_of[owner_id])

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
        view, excluded = self._views.of(wanted), self._excluded(wanted)
        words = self._words.score(connection, asked.terms, view.scopes, view.allowed, view.words, asked.beside)
        words.article[excluded] = words.title[excluded] = 0
        holders = {code: self._holders(connection, code, view, excluded) for code in asked.codes}
        named = (self.position_of[owner] for owner in asked.owners if owner in self.position_of)
        chosen = [_best(words.article, DEPTH), _best(words.title, DEPTH)]
        chosen += [np.fromiter(found, np.int64) for found in holders.values()]
        chosen.append(np.fromiter((owner for owner in named if view.allowed[owner]), np.int64))
        near = None
        if asked.vector is not None:
            near = Nearness(self._meaning, self._keys, self._rows, asked.vector)
        more = sum(len(self._positions(owner)) for owner in excluded.tolist())
        if near is not None:
            chosen += [
                self._owner_of[near.nearest(kind, k + more)]
                for kind, k in ((view.bodies, DEPTH * 2), (view.names, DEPTH))
            ]
        places = np.unique(np.concatenate(chosen))
        if len(excluded):
            places = places[~np.isin(places, excluded)]
        return Found(
            candidates=self._candidates(places, words, near, holders),
            visible=view.count - int(view.allowed[excluded].sum()),
            holders={code: len(found) for code, found in holders.items()},
            asked=words.asked,
            words_ceiling=words.ceiling,
        )

    def _candidates(
        self, places: Positions, words: WordScores, near: Nearness | None, holders: Mapping[str, Mapping[int, bool]]
    ) -> Candidates:
        """The owners of these places, scored by both lanes, with their best passages."""
        places = places[self._starts[places + 1] > self._starts[places]]
        rows = np.zeros(len(places), ROWS)
        passages = Grouped.of(self._order, self._starts, places)
        names = self._is_name[passages.values]
        said = np.where(names, -1.0, words.passage[passages.values])
        best = passages.best(said)
        rows["passage_words"] = np.maximum(passages.most(said), 0)
        rows["words_passage"] = np.where(rows["passage_words"] > 0, self._keys[best], NO_KEY)
        first = passages.first(~names)
        rows["lead"] = np.where(first == NONE, NO_KEY, self._keys[first])
        rows["article_words"], rows["title_words"] = words.article[places], words.title[places]
        rows["title_share"], rows["said"] = words.title_share[places], words.said[places]
        rows["in_window"] = self._views.in_window[places]
        meant = near.scores(passages.values) if near else np.full(len(names), np.nan, np.float32)
        bodies, titles = (np.where(kind & ~np.isnan(meant), meant, -np.inf) for kind in (~names, names))
        for column, figures in (("passage_meaning", bodies), ("title_meaning", titles)):
            most = passages.most(figures)
            rows[column] = np.where(np.isneginf(most), np.nan, most)
        has_vector = ~np.isnan(rows["passage_meaning"])
        rows["mean_meaning"] = passages.mean(bodies, ~np.isneginf(bodies))
        rows["meaning_passage"] = np.where(has_vector, self._keys[passages.best(bodies)], NO_KEY)
        row_of = {place: row for row, place in enumerate(places.tolist())} if holders else {}
        exact: dict[int, tuple[str, ...]] = {}
        named: dict[int, tuple[str, ...]] = {}
        for code, found in holders.items():
            for place, is_its_name in found.items():
                row = row_of[place]
                exact[row] = (*exact.get(row, ()), code)
                if is_its_name:
                    named[row] = (*named.get(row, ()), code)
        return Candidates([self.owner_ids[place] for place in places.tolist()], rows, exact, named)

    def spelling(self, connection: sqlite3.Connection, wanted: Filter) -> Spelling:
        """The words of what a filter lets through."""
        allowed, scopes = self.select(wanted), self._views.of(wanted).scopes

        def holders(term: str) -> Keys:
            positions = self._words.postings(connection, scopes, term).positions
            return self._keys[positions[allowed[self._owner_of[positions]]]]

        return Spelling(connection, scopes, holders, lambda: self._all_spellings(connection, scopes))

    def _all_spellings(self, connection: sqlite3.Connection, scopes: tuple[Scope, ...]) -> list[str]:
        if scopes not in self._spellings:
            if len(self._spellings) >= _MOST_SPELLINGS:
                self._spellings.clear()
            self._spellings[scopes] = all_spellings(connection, scopes)
        return self._spellings[scopes]

    def passages_saying(self, connection: sqlite3.Connection, words: Sequence[str], wanted: Filter) -> list[int]:
        """The keys of the passages that hold all of these index terms, none for no terms."""
        scopes = self._views.of(wanted).scopes
        found: Positions | None = None
        for word in words:
            positions = self._words.postings(connection, scopes, word).positions
            found = positions if found is None else np.intersect1d(found, positions, assume_unique=True)
        if found is None:
            return []
        keys: list[int] = self._keys[found[self.select(wanted)[self._owner_of[found]]]].tolist()
        return keys

    def complete(
        self, connection: sqlite3.Connection, typed: Sequence[str], wanted: Filter, most: int
    ) -> list[tuple[str, str]]:
        """Names that hold the words of one of the texts, its last one perhaps only begun, with their owners' ids.

        Those that begin as typed come first, then the shorter ones.
        """
        keys = np.array(names_beginning(connection, self._views.of(wanted).scopes, typed), np.int64)
        positions = np.searchsorted(self._keys, keys)
        seen = self.select(wanted)[self._owner_of[positions]]
        shortest = keys[seen][np.lexsort((keys[seen], self._length[positions[seen]]))][: most * 10]
        marks = ",".join("?" * len(shortest))
        rows = connection.execute(f"SELECT rowid, text FROM names WHERE rowid IN ({marks})", shortest.tolist())
        starts = tuple(text.strip().casefold() for text in typed)
        found = sorted((not text.casefold().startswith(starts), len(text), text, key) for key, text in rows)
        names: dict[str, str] = {}
        for _, _, text, key in found:
            names.setdefault(text, self.owner_ids[self._owner_of[np.searchsorted(self._keys, key)]])
        return list(names.items())[:most]

    def _positions(self, owner: int) -> Positions:
        return self._order[self._starts[owner] : self._starts[owner + 1]]

    def _holders(self, connection: sqlite3.Connection, code: str, view: View, excluded: Positions) -> dict[int, bool]:
        """The owners that hold an identifier, and whether it is the whole of one of their names."""
        rows = connection.execute(
            "SELECT i.passage, p.role IN ('title', 'name') AND lower(p.text) = i.identifier"
            " FROM identifiers i JOIN passages p ON p.key = i.passage"
            f" WHERE i.identifier = ? AND i.scope IN ({','.join('?' * len(view.scopes))}) ORDER BY i.passage",
            (code, *view.scopes),
        ).fetchall()
        owners = self._owner_of[np.searchsorted(self._keys, np.array([row[0] for row in rows], np.int64))]
        holders: dict[int, bool] = {}
        for owner, (_, is_its_name) in zip(owners.tolist(), rows, strict=True):
            if view.allowed[owner] and owner not in excluded:
                holders[owner] = holders.get(owner, False) or bool(is_its_name)
        return holders


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
