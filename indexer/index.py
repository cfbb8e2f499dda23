"""PassageIndex: a set of passages that can be searched by words and by meaning.

Articles are one (many passages each), incidents another. A SQLite file holds passages, words and identifiers, and
FAISS the vectors; nothing above this module knows of either. Writers are kept apart by ``build``'s lock; readers
follow the generation.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from indexer import spelling
from indexer.change import Change, changing
from indexer.database import reading, writing
from indexer.encoder import Encoder
from indexer.errors import IndexDamagedError
from indexer.index_file import IndexFile, counts
from indexer.language import ENGLISH, Language
from indexer.meaning import MeaningLane
from indexer.passages import Passage
from indexer.prepared import said_by
from indexer.retrieval import Asked, Filter, Found, Owner
from indexer.snapshot import Snapshot, definitions, passages_by_key
from indexer.spelling import Recorded
from indexer.vector_files import BaseFile, check_base
from indexer.vectors import HalfVectors, checked, unchecked

# Asked for before each search
_NOW = """
SELECT (SELECT value FROM meta WHERE name = 'file'), (SELECT value FROM meta WHERE name = 'generation'),
  coalesce((SELECT value FROM meta WHERE name = 'encoder') = ?, 0),
  coalesce((SELECT value FROM meta WHERE name = 'base'), ''), (SELECT coalesce(max(seq), 0) FROM tail)
"""


class _Now(NamedTuple):
    """What is live: in which file, which generation; whether its vectors are this encoder's, and which there are.

    Those of the ``base`` file, and beside it up to the ``last`` one.
    """

    file: str
    generation: int
    is_ours: int
    base: str
    last: int

    @property
    def vectors(self) -> tuple[str, int, str, int]:
        return self.file, self.is_ours, self.base, self.last


class PassageIndex(IndexFile):
    """An index file and the FAISS bases beside it. One instance serves all threads of a process."""

    def __init__(self, path: Path, encoder: Encoder, language: Language = ENGLISH, further: str = "") -> None:
        """Open it, made anew where it is damaged; ``further`` makes tables of others that lie in it too.

        Raises KnowledgeBaseError for one of a newer version.
        """
        super().__init__(path, further)
        self._encoder, self.language = encoder, language
        self._making = threading.Lock()
        self._held: tuple[str, Snapshot] | None = None
        self._lane: tuple[_Now, MeaningLane] | None = None

    @property
    def dimension(self) -> int:
        """Of its vectors."""
        return self._encoder.dimension

    # -- reading

    @property
    def generation(self) -> int:
        """How many times a publish has gone live here; 0 before the first."""
        return int(self.meta("generation") or 0)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The live generation, with this thread's connection held to it for the length of the block.

        Raises IndexDamagedError.
        """
        try:
            with ExitStack() as block:
                block.enter_context(reading(self.connection))
                now, held = self._now(), self._held
                if held is None or not self._is_live(held, now):
                    # One thread makes what is live now; what it went on from is of another moment than this one's
                    with self._making:
                        block.close()
                        self._outrun()
                        block.enter_context(reading(self.connection))
                        now, held = self._now(), self._held
                        held = now.file, self._live(held[1] if held and held[0] == now.file else None, now)
                        if now.generation:
                            self._held = held
                yield held[1]
        except IndexDamagedError:
            self.suspect()
            raise
        except sqlite3.DatabaseError as error:
            raise self.damaged(error) from error

    def _outrun(self) -> None:
        """Give what is live a number that no generation had which was read here before, of a former file."""
        held = self._held
        if held is not None and held[0] != self.meta("file") and 0 < self.generation <= held[1].generation:
            with writing(self.connection):
                self.set_meta("generation", str(held[1].generation + 1))

    def _now(self) -> _Now:
        row = self.connection.execute(_NOW, (self._encoder.identity,)).fetchone()
        return _Now(str(row[0]), int(row[1] or 0), *row[2:])

    def _is_live(self, held: tuple[str, Snapshot], now: _Now) -> bool:
        lane, (file, snapshot) = self._lane, held
        is_latest = lane is not None and snapshot.meaning is lane[1] and lane[0] == now
        return is_latest and file == now.file and snapshot.generation == now.generation

    def _live(self, held: Snapshot | None, now: _Now) -> Snapshot:
        """What this thread's connection sees, made from what is held as far as that goes."""
        lane = self._current_lane(now)
        if held is None:
            return Snapshot.read(self.connection, now.generation, lane, self.language)
        if held.generation != now.generation:
            return held.after(self.connection, now.generation, lane)
        return held if held.meaning is lane else held.with_meaning(lane)

    def search(self, asked: Asked, wanted: Filter) -> Found:
        """The candidates of the live generation; see ``Snapshot.search``."""
        with self.snapshot() as snapshot:
            return snapshot.search(self.connection, asked, wanted)

    def complete(self, typed: str, wanted: Filter, most: int) -> list[tuple[str, str]]:
        """Names that go on from what is typed, with their owners' ids; see ``Snapshot.complete``."""
        with self.snapshot() as snapshot:
            return snapshot.complete(self.connection, [typed], wanted, most)

    def passages(self, keys: Iterable[int]) -> dict[int, Passage]:
        return passages_by_key(self.connection, keys)

    def definitions(self) -> list[Passage]:
        """The passages that define terms, and the titles of their owners, in reading order."""
        return definitions(self.connection)

    def counts(self) -> tuple[int, int, int]:
        """Passages, those that are to have a vector, and those that have one."""
        return counts(self.connection)

    def _current_lane(self, now: _Now) -> MeaningLane:
        held = self._lane
        if held is not None and held[0].vectors == now.vectors:
            if held[0] != now:
                self._lane = now, held[1]
            return held[1]
        if not now.is_ours:
            lane = MeaningLane.empty(self._encoder.dimension)
            self._lane = now, lane
            return lane
        if held is not None and held[0].vectors[:-1] == now.vectors[:-1] and held[0].last < now.last:
            seen, lane = held[0].last, held[1]
        elif now.base:
            file = BaseFile(**json.loads(now.base))
            seen, lane = 0, MeaningLane.open(self.path.parent, file, self._encoder.dimension)
        else:
            seen, lane = 0, MeaningLane.empty(self._encoder.dimension)
        rows = self.connection.execute(
            "SELECT passage, vector FROM tail WHERE seq > ? ORDER BY seq", (seen,)
        ).fetchall()
        if rows:
            keys = np.array([row[0] for row in rows], np.int64)
            lane = lane.with_tail(keys, np.stack([unchecked(*row) for row in rows]).astype(np.float32))
        self._lane = now, lane
        return lane

    # -- writing: inside one transaction of the caller's

    def changing(self, *, anew: bool = False) -> AbstractContextManager[Change]:
        """A transaction for owners and passages; see ``change.changing``."""
        return changing(self.connection, self.language, anew=anew)

    def raise_generation(self) -> int:
        generation = self.generation + 1
        self.set_meta("generation", str(generation))
        return generation

    def forget_deleted(self) -> None:
        """Leave nothing in the file and its log of what was taken out. Outside any transaction; takes its time."""
        with writing(self.connection):
            for table in ("spellings", "endings"):
                self.connection.execute(f"DELETE FROM {table}")
            rows = self.connection.execute(
                "SELECT p.key, o.scope FROM passages p JOIN owners o ON o.key = p.owner"
            ).fetchall()
            scopes, spelled = dict(rows), Recorded(set)
            for key, passage in passages_by_key(self.connection, scopes).items():
                said = [[*spelling.spellings_of(said_by(passage), self.language)]]
                spelling.record(self.connection, scopes[key], said, spelled, has_compounds=bool(self.language.joins))
            self.connection.execute("INSERT INTO names (names) VALUES ('optimize')")
        self.connection.execute("VACUUM")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def text_hashes(self) -> frozenset[bytes]:
        """The hashes of all texts that have a vector or are to have one."""
        rows = self.connection.execute("SELECT text_hash FROM passages WHERE text_hash IS NOT NULL")
        return frozenset(digest for (digest,) in rows)

    # -- vectors

    def pending(self, most: int, first: Sequence[str] = ()) -> list[tuple[int, bytes, Passage]]:
        """Passages that have no vector yet, those of the owners named ``first`` before all others.

        Of each its key, the hash of the text to encode, and itself.
        """
        waits = "has_vector = 0 AND text_hash IS NOT NULL"
        rows = self.connection.execute(
            f"SELECT key, text_hash FROM passages WHERE {waits} AND owner IN"
            " (SELECT key FROM owners WHERE id IN (SELECT value FROM json_each(?))) ORDER BY key LIMIT ?",
            (json.dumps(list(first)), most),
        ).fetchall() if first else []  # fmt: skip
        if not rows:
            rows = self.connection.execute(
                f"SELECT key, text_hash FROM passages WHERE {waits} ORDER BY key LIMIT ?", (most,)
            ).fetchall()
        texts = self.passages(key for key, _ in rows)
        return [(key, digest, texts[key]) for key, digest in rows]

    def add_vectors(self, vectors: Mapping[int, HalfVectors]) -> None:
        """Give passages their vectors, by passage key."""
        self.connection.executemany(
            "INSERT INTO tail (passage, vector) VALUES (?, ?)",
            ((key, checked(key, vector)) for key, vector in vectors.items()),
        )
        self.connection.executemany("UPDATE passages SET has_vector = 1 WHERE key = ?", ((key,) for key in vectors))

    def drop_vectors(self) -> None:
        """Forget all vectors: another encoder made them, or their file is damaged."""
        for name in ("base", "dead"):
            self.set_meta(name, None)
        self.connection.execute("DELETE FROM tail")
        self.connection.execute("UPDATE passages SET has_vector = 0")

    def check_base(self) -> None:
        """Raise IndexDamagedError where the base file is not as it was written."""
        described = self.meta("base")
        if described:
            check_base(self.path.parent, BaseFile(**json.loads(described)))


__all__ = ["Asked", "Filter", "Found", "IndexDamagedError", "Owner", "PassageIndex", "Snapshot"]
