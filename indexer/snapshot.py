"""One generation of an index as a reader holds it: who owns which passage, what may be seen, and both lanes.

Filters are applied before either lane ranks anything, so that what one may not see moves nothing.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from indexer.candidates import NO_KEY, ROWS, Candidates
from indexer.chosen import Chosen
from indexer.columns import Columns, columns_after, read_columns
from indexer.encoder import Vectors
from indexer.grouped import NONE, Grouped
from indexer.growing import number_of
from indexer.language import Language
from indexer.meaning import MeaningLane
from indexer.names import names_beginning
from indexer.nearness import Nearness
from indexer.passages import Passage, Role
from indexer.retrieval import Asked, Filter, Found
from indexer.row_checks import require_intact
from indexer.spelling import Keys, Spelling
from indexer.view import View, Views
from indexer.words import WordScores, WordsLane

Positions = NDArray[np.int64]
Mask = NDArray[np.bool_]

DEPTH = 200
# What stands in more passages than this is no identifier of anything; all its holders would be candidates
MOST_HOLDERS = 2_000
_PASSAGES = (
    "SELECT p.key, o.id, p.heading_path, p.anchor, p.text, p.role, p.owner, p.crc"
    " FROM passages p JOIN owners o ON o.key = p.owner"
)


class Snapshot:
    """Immutable; made once for a generation and shared by all threads. Connections belong to the callers."""

    def __init__(
        self, generation: int, columns: Columns, views: Views, meaning: MeaningLane, language: Language
    ) -> None:
        self.generation, self.columns, self._views, self.meaning = generation, columns, views, meaning
        self._language = language
        self._words = WordsLane(columns)
        self._rows = meaning.rows(columns.passages.keys) if meaning.is_plain else None
        self._encoded: dict[tuple[object, ...], float] = {}

    @classmethod
    def read(
        cls, connection: sqlite3.Connection, generation: int, meaning: MeaningLane, language: Language
    ) -> "Snapshot":
        """All that is there."""
        columns = read_columns(connection)
        return cls(generation, columns, Views(connection, columns), meaning, language)

    def after(self, connection: sqlite3.Connection, generation: int, meaning: MeaningLane) -> "Snapshot":
        """A later generation, by what has changed since. One thread at a time may make one, of the latest there is."""
        columns, goes_on = columns_after(self.columns, connection)
        views = Views(connection, columns, self._views if goes_on else None)
        return Snapshot(generation, columns, views, meaning, self._language)

    def with_meaning(self, meaning: MeaningLane) -> "Snapshot":
        """The same generation with further vectors."""
        other = copy(self)
        other.meaning, other._encoded = meaning, {}
        other._rows = meaning.rows(self.columns.passages.keys) if meaning.is_plain else None
        return other

    def encoded_share(self, connection: sqlite3.Connection, wanted: Filter) -> float:
        """Of the passages that a filter lets through and that are to have a vector, the share that has one, 0..1.

        Whatever it excludes.
        """
        view = self._views.of(wanted)
        if view.key not in self._encoded:
            self._encoded[view.key] = self._share_of(connection, view)
        return self._encoded[view.key]

    def _share_of(self, connection: sqlite3.Connection, view: View) -> float:
        waits = "SELECT EXISTS (SELECT 1 FROM passages WHERE has_vector = 0 AND text_hash IS NOT NULL)"
        if len(self.meaning) and connection.execute(waits).fetchone() == (0,):
            return 1.0
        passages = self.columns.passages
        meant = np.flatnonzero(view.allowed[passages.owner_of] & passages.is_meant)
        there = int(np.count_nonzero(self.meaning.rows(passages.keys[meant]) != NONE))
        return there / len(meant) if len(meant) else 1.0

    def view(self, wanted: Filter) -> View:
        """What a filter lets through, but for what it excludes."""
        return self._views.of(wanted)

    def select(self, connection: sqlite3.Connection, wanted: Filter) -> Mask:
        """Which owners a filter lets through, by their places."""
        allowed = self._views.of(wanted).allowed
        excluded = self._excluded(connection, wanted)
        if len(excluded):
            allowed = allowed.copy()
            allowed[excluded] = False
        return allowed

    def _excluded(self, connection: sqlite3.Connection, wanted: Filter) -> Positions:
        there = self.columns.places(connection, wanted.exclude) if wanted.exclude else {}
        return np.fromiter(there.values(), np.int64)

    def having(self, facet: str, value: str, places: Positions) -> Mask:
        """Which of the owners at some places have a value of a facet, whatever its case."""
        return self._views.having(facet, value, places)

    def facets_of(self, place: int) -> dict[str, list[str]]:
        """What the owner at a place has of each facet, as its author wrote it."""
        return self._views.facets_of(place)

    def owner_vectors(self, connection: sqlite3.Connection, owner_ids: Iterable[str]) -> tuple[list[str], Vectors]:
        """Those of the owners that have vectors, and what each is about, ``(n, dimension)`` float32, unit length.

        The mean over its passages, without what they say of how it ended.
        """
        wanted = list(owner_ids)
        places = self.columns.places(connection, wanted)
        ids = [owner_id for owner_id in wanted if owner_id in places]
        passages = self._passages_of(np.array([places[owner_id] for owner_id in ids], np.int64))
        rows = self.meaning.rows(self.columns.passages.keys[passages.values])
        telling = (rows != NONE) & ~self.columns.passages.is_outcome[passages.values]
        vectors = np.zeros((len(rows), self.meaning.dimension), np.float32)
        vectors[telling] = self.meaning.vectors(rows[telling])
        sums = passages.sums(vectors)
        lengths = np.linalg.norm(sums, axis=1)
        kept = np.flatnonzero(lengths > 0)
        return [ids[one] for one in kept], sums[kept] / lengths[kept, None]

    def search(self, connection: sqlite3.Connection, asked: Asked, wanted: Filter) -> Found:
        """Every owner that either lane puts among its best or that holds an identifier, scored by both lanes."""
        view, excluded = self._views.of(wanted), self._excluded(connection, wanted)
        started = time.perf_counter()
        words = self._words.score(connection, asked.terms, view.scopes, view.allowed, view.words, asked.beside)
        every = {code: self._holders(connection, code, view, excluded) for code in asked.codes}
        holders = {code: found for code, found in every.items() if found is not None}
        named = self.columns.places(connection, asked.owners).values() if asked.owners else ()
        lists = (words.article, words.title)
        chosen = [(one.without(excluded) if len(excluded) else one).best(DEPTH) for one in lists]
        chosen += [np.fromiter(found, np.int64) for found in holders.values()]
        chosen.append(np.fromiter((owner for owner in named if view.allowed[owner]), np.int64))
        near = None
        said = time.perf_counter()
        if asked.vector is not None:
            near = Nearness(self.meaning, self.columns.passages, self._rows, asked.vector)
            more = len(self._passages_of(excluded).values)
            chosen += [self.columns.passages.owner_of[near.nearest(*among)] for among in self._among(view, more)]
        seconds = {"words": said - started}
        if near is not None:
            seconds["meaning"] = time.perf_counter() - said
        places = np.unique(np.concatenate(chosen))
        if len(excluded):
            places = places[~np.isin(places, excluded)]
        return Found(
            candidates=self._candidates(places, words, near, holders),
            visible=view.count - int(view.allowed[excluded].sum()),
            holders={code: view.count if found is None else len(found) for code, found in every.items()},
            asked=words.asked,
            words_ceiling=words.ceiling,
            seconds=seconds,
        )

    def _among(self, view: View, more: int) -> list[tuple[Chosen, int]]:
        """Among which passages how many of the nearest are looked for.

        Where it takes a pass over lists, one for both kinds: an owner is a candidate by either.
        """
        if self.meaning.is_plain:
            return [(view.bodies, DEPTH * 2 + more), (view.names, DEPTH + more)]
        return [(view.passages, DEPTH * 3 + more)]

    def _candidates(
        self, places: Positions, words: WordScores, near: Nearness | None, holders: Mapping[str, Mapping[int, bool]]
    ) -> Candidates:
        """The owners of these places, scored by both lanes, with their best passages."""
        owners, keys = self.columns.owners, self.columns.passages.keys
        places = places[owners.ends[places] > owners.starts[places]]
        rows = np.zeros(len(places), ROWS)
        passages = self._passages_of(places)
        names = self.columns.passages.is_name[passages.values]
        said = np.where(names, -1.0, words.passage.at(passages.values))
        best = passages.best(said)
        rows["passage_words"] = np.maximum(passages.most(said), 0)
        rows["words_passage"] = np.where(rows["passage_words"] > 0, keys[best], NO_KEY)
        first = passages.first(~names)
        rows["lead"] = np.where(first == NONE, NO_KEY, keys[first])
        rows["article_words"], rows["title_words"] = words.article.at(places), words.title.at(places)
        rows["title_share"], rows["said"] = words.title_share.at(places), words.said.at(places)
        rows["in_window"] = np.isfinite(owners.valid_to[places])
        meant = near.scores(passages.values) if near else np.full(len(names), np.nan, np.float32)
        bodies, titles = (np.where(kind & ~np.isnan(meant), meant, -np.inf) for kind in (~names, names))
        for column, figures in (("passage_meaning", bodies), ("title_meaning", titles)):
            most = passages.most(figures)
            rows[column] = np.where(np.isneginf(most), np.nan, most)
        has_vector = ~np.isnan(rows["passage_meaning"])
        rows["mean_meaning"] = passages.mean(bodies, ~np.isneginf(bodies))
        rows["meaning_passage"] = np.where(has_vector, keys[passages.best(bodies)], NO_KEY)
        row_of = {place: row for row, place in enumerate(places.tolist())} if holders else {}
        exact: dict[int, tuple[str, ...]] = {}
        named: dict[int, tuple[str, ...]] = {}
        for code, found in holders.items():
            for place, is_its_name in found.items():
                row = row_of[place]
                exact[row] = (*exact.get(row, ()), code)
                if is_its_name:
                    named[row] = (*named.get(row, ()), code)
        return Candidates([owners.ids[place] for place in places.tolist()], rows, exact, named, places)

    def spelling(self, connection: sqlite3.Connection, wanted: Filter) -> Spelling:
        """The words of what a filter lets through."""
        view, allowed, passages = self._views.of(wanted), self.select(connection, wanted), self.columns.passages

        def holders(term: str) -> Keys:
            positions = self._words.postings(connection, view.scopes, term).positions
            return passages.keys[positions[allowed[passages.owner_of[positions]]]]

        known = view.known if allowed is view.allowed else {}
        return Spelling(connection, view.scopes, holders, self._language, known)

    def passages_saying(self, connection: sqlite3.Connection, words: Sequence[str], wanted: Filter) -> list[int]:
        """The keys of the passages that hold all of these index terms, in order; none for no terms."""
        scopes, passages = self._views.of(wanted).scopes, self.columns.passages
        found: Positions | None = None
        for word in words:
            positions = self._words.postings(connection, scopes, word).positions
            found = positions if found is None else np.intersect1d(found, positions, assume_unique=True)
        if found is None:
            return []
        keys: list[int] = np.sort(
            passages.keys[found[self.select(connection, wanted)[passages.owner_of[found]]]]
        ).tolist()
        return keys

    def complete(
        self, connection: sqlite3.Connection, typed: Sequence[str], wanted: Filter, most: int
    ) -> list[tuple[str, str]]:
        """Names that hold the words of one of the texts, its last one perhaps only begun, with their owners' ids.

        Those that begin as typed come first, then the shorter ones.
        """
        passages = self.columns.passages
        keys = np.array(names_beginning(connection, self._views.of(wanted).scopes, typed, self._language), np.int64)
        positions = number_of(passages.position_of, keys)
        seen = self.select(connection, wanted)[passages.owner_of[positions]]
        shortest = keys[seen][np.lexsort((keys[seen], passages.length[positions[seen]]))][: most * 10]
        marks = ",".join("?" * len(shortest))
        rows = connection.execute(f"SELECT rowid, text FROM names WHERE rowid IN ({marks})", shortest.tolist())
        starts = tuple(text.strip().casefold() for text in typed)
        found = sorted((not text.casefold().startswith(starts), len(text), text, key) for key, text in rows)
        names: dict[str, str] = {}
        for _, _, text, key in found:
            names.setdefault(text, self.columns.owners.ids[passages.owner_of[passages.position_of[key]]])
        return list(names.items())[:most]

    def _passages_of(self, places: Positions) -> Grouped:
        return Grouped.of(self.columns.owners.starts, self.columns.owners.ends, places)

    def _holders(
        self, connection: sqlite3.Connection, code: str, view: View, excluded: Positions
    ) -> dict[int, bool] | None:
        """The owners that hold an identifier, and whether it is the whole of one of their names.

        None where it stands in so many passages that it tells nothing.
        """
        (count,) = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM identifiers WHERE identifier = ?"
            f" AND scope IN ({','.join('?' * len(view.scopes))}) LIMIT ?)",
            (code, *view.scopes, MOST_HOLDERS + 1),
        ).fetchone()
        if count > MOST_HOLDERS:
            return None
        rows = connection.execute(
            "SELECT i.passage, p.role IN ('title', 'name') AND lower(p.text) = i.identifier"
            " FROM identifiers i JOIN passages p ON p.key = i.passage"
            f" WHERE i.identifier = ? AND i.scope IN ({','.join('?' * len(view.scopes))}) ORDER BY i.passage",
            (code, *view.scopes),
        ).fetchall()
        passages = self.columns.passages
        owners = passages.owner_of[number_of(passages.position_of, np.array([row[0] for row in rows], np.int64))]
        holders: dict[int, bool] = {}
        for owner, (_, is_its_name) in zip(owners.tolist(), rows, strict=True):
            if view.allowed[owner] and owner not in excluded:
                holders[owner] = holders.get(owner, False) or bool(is_its_name)
        return holders


def passages_by_key(connection: sqlite3.Connection, keys: Iterable[int]) -> dict[int, Passage]:
    """The passages' texts, for the hits that are shown. Raises IndexDamagedError."""
    wanted = sorted(set(keys))
    marks = ",".join("?" * len(wanted))
    rows = connection.execute(f"{_PASSAGES} WHERE p.key IN ({marks})", wanted)
    return {row[0]: _passage_of(row) for row in rows}


def definitions(connection: sqlite3.Connection) -> list[Passage]:
    """The passages that define terms, and the titles of their owners, by owner and in reading order."""
    rows = connection.execute(
        f"{_PASSAGES} WHERE p.owner IN (SELECT owner FROM passages WHERE role = 'term') AND p.role IN ('term', 'title')"
        " ORDER BY o.id, p.number"
    )
    return [_passage_of(row) for row in rows]


def _passage_of(row: tuple[int, str, str, str, str, Role, int, int]) -> Passage:
    """A passage from its row. Raises IndexDamagedError."""
    key, owner_id, heading_path, anchor, text, role, owner, crc = row
    require_intact(crc, key, owner, role, heading_path, anchor, text)
    return Passage(f"{owner_id}#{key}", owner_id, tuple(json.loads(heading_path)), anchor, text, role)
