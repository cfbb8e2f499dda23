"""PassageIndex: a set of passages that can be searched by words and by meaning.

Articles are one (many passages each), incidents another. A SQLite file holds passages, words and identifiers, and
FAISS the vectors; nothing above this module knows of either. Writers are kept apart by ``build``'s lock; readers
follow the generation.
"""

import json
import logging
import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from indexer import at_rest, names, postings, spelling
from indexer.change import Change, changing
from indexer.database import begin_anew, open_database, reading, writing
from indexer.encoder import Encoder
from indexer.errors import IndexDamagedError
from indexer.language import ENGLISH, Language
from indexer.meaning import MeaningLane
from indexer.passages import Passage
from indexer.prepared import said_by
from indexer.retrieval import Asked, Filter, Found, Owner
from indexer.snapshot import Snapshot, definitions, passages_by_key
from indexer.spelling import Spelled
from indexer.vector_files import BaseFile, check_base
from indexer.vectors import HalfVectors, checked, unchecked

# Raise when the tables of an index change: it is derived, and made anew then
SCHEMA_VERSION = 4
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scopes (key INTEGER PRIMARY KEY, audiences TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS owners (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, scope INTEGER NOT NULL, facets TEXT NOT NULL,
  valid_from REAL, valid_to REAL
);
CREATE TABLE IF NOT EXISTS passages (
  key INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER NOT NULL, number INTEGER NOT NULL, role TEXT NOT NULL,
  heading_path TEXT NOT NULL, anchor TEXT NOT NULL, text TEXT NOT NULL, length INTEGER NOT NULL,
  text_hash BLOB, has_vector INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS changed (seq INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS passages_owner ON passages (owner, number);
CREATE INDEX IF NOT EXISTS passages_terms ON passages (owner) WHERE role = 'term';
CREATE INDEX IF NOT EXISTS passages_unmeant ON passages (key) WHERE text_hash IS NULL;
CREATE INDEX IF NOT EXISTS passages_pending ON passages (key) WHERE has_vector = 0 AND text_hash IS NOT NULL;
CREATE TABLE IF NOT EXISTS identifiers (
  identifier TEXT, scope INTEGER, passage INTEGER, PRIMARY KEY (identifier, scope, passage)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS identifiers_passage ON identifiers (passage);
CREATE TABLE IF NOT EXISTS tail (seq INTEGER PRIMARY KEY AUTOINCREMENT, passage INTEGER NOT NULL, vector BLOB NOT NULL);
"""


# Asked for before each search
_NOW = """
SELECT (SELECT value FROM meta WHERE name = 'file'), (SELECT value FROM meta WHERE name = 'generation'),
  coalesce((SELECT value FROM meta WHERE name = 'encoder') = ?, 0),
  coalesce((SELECT value FROM meta WHERE name = 'base'), ''), (SELECT coalesce(max(seq), 0) FROM tail)
"""
_MEND = "Run 'kb index', which makes it anew; a service that runs does so by itself"
_log = logging.getLogger("kb.index")


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


class PassageIndex:
    """An index file and the FAISS bases beside it. One instance serves all threads of a process."""

    def __init__(self, path: Path, encoder: Encoder, language: Language = ENGLISH) -> None:
        """Open it, made anew where it is damaged. Raises KnowledgeBaseError for one of a newer version."""
        self.path, self._encoder, self.language = path, encoder, language
        self._local = threading.local()
        self._making = threading.Lock()
        self._held: tuple[str, Snapshot] | None = None
        self._lane: tuple[_Now, MeaningLane] | None = None
        self._use = at_rest.using(path.parent)
        if path.name in self._use.damaged:
            self._make_anew("is not as it was left")
            del self._use.damaged[path.name]
        elif path.name in self._use.unclean:
            self.suspect()
            if not at_rest.is_large(path):
                self.mend()
            self._use.unclean.discard(path.name)
        _ = self.connection

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection, to another file where that has taken the place of the one before."""
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is None or held[0] != self._inode():
            connection = self._opened()
            held = self._local.held = self._inode(), connection
        return held[1]

    def _inode(self) -> int:
        try:
            return self.path.stat().st_ino
        except OSError:
            return 0

    def _opened(self) -> sqlite3.Connection:
        connection = open_database(self.path).conn
        try:
            begin_anew(connection, SCHEMA_VERSION)
            connection.executescript(_SCHEMA)
            for tables in (postings, names, spelling):
                tables.create_tables(connection)
            if meta(connection, "file") is None:
                connection.execute("INSERT OR IGNORE INTO meta VALUES ('file', ?)", (uuid.uuid4().hex,))
        except sqlite3.DatabaseError as error:
            connection.close()
            raise self._damaged(error) from error
        return connection

    # -- where it is damaged

    def suspect(self) -> None:
        """Have it looked through by whoever writes it next: something was read that cannot be right."""
        with suppress(OSError):
            self._suspected.touch()

    @property
    def is_suspected(self) -> bool:
        return self._suspected.exists()

    @property
    def _suspected(self) -> Path:
        return self.path.with_name(f"{self.path.name}.suspected")

    def mend(self) -> bool:
        """Where it is suspected look through all of it; whether it was damaged, and is made anew: empty, to be filled.

        For the one who writes it, outside any transaction.
        """
        if not self.is_suspected:
            return False
        trouble = self._trouble()
        if trouble:
            self._make_anew(f"is damaged ({trouble})")
        self._suspected.unlink(missing_ok=True)
        return bool(trouble)

    def _trouble(self) -> str:
        """What is wrong with the file, looked through as a whole; empty where nothing is."""
        try:
            with closing(open_database(self.path).conn) as connection:
                (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
                if said != "ok":
                    return str(said).splitlines()[-1]
                if connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,):
                    postings.check(connection)
                    for key, vector in connection.execute("SELECT passage, vector FROM tail"):
                        unchecked(key, vector)
        except IndexDamagedError as error:
            return error.problem
        except sqlite3.DatabaseError as error:
            # A table that is not there is one whose name is not what it was
            if isinstance(error, sqlite3.OperationalError) and "no such" not in str(error):
                raise
            return str(error)
        return ""

    def _make_anew(self, why: str) -> None:
        """Put an empty file in its place; who still reads the former goes on with that until it looks again."""
        _log.warning("%s %s; it is made anew", self.path, why)
        for name in (self.path.name, f"{self.path.name}-wal", f"{self.path.name}-shm"):
            self.path.with_name(name).unlink(missing_ok=True)
        for pattern in ("*.npy", "*.faiss", "*.part"):
            for path in self.path.parent.glob(f"{self.path.stem}-{pattern}"):
                path.unlink(missing_ok=True)

    def _damaged(self, error: sqlite3.DatabaseError) -> Exception:
        """What to raise for an error of SQLite: one that is not the file's fault stays as it is."""
        if type(error) is not sqlite3.DatabaseError:
            return error
        self.suspect()
        return IndexDamagedError(f"{self.path} is damaged: {error}", _MEND)

    @property
    def dimension(self) -> int:
        """Of its vectors."""
        return self._encoder.dimension

    # -- reading

    @property
    def generation(self) -> int:
        """How many times a publish has gone live here; 0 before the first."""
        return int(self.meta("generation") or 0)

    def meta(self, name: str) -> str | None:
        return meta(self.connection, name)

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
            raise self._damaged(error) from error

    def _outrun(self) -> None:
        """Give what is live a number that no generation had which was read here before, of a former file."""
        held = self._held
        if held is not None and held[0] != self.meta("file") and 0 < self.generation <= held[1].generation:
            with writing(self.connection):
                self.set_meta("generation", str(held[1].generation + 1))

    def _now(self) -> "_Now":
        row = self.connection.execute(_NOW, (self._encoder.identity,)).fetchone()
        return _Now(str(row[0]), int(row[1] or 0), *row[2:])

    def _is_live(self, held: tuple[str, Snapshot], now: "_Now") -> bool:
        lane, (file, snapshot) = self._lane, held
        is_latest = lane is not None and snapshot.meaning is lane[1] and lane[0] == now
        return is_latest and file == now.file and snapshot.generation == now.generation

    def _live(self, held: Snapshot | None, now: "_Now") -> Snapshot:
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

    def _current_lane(self, now: "_Now") -> MeaningLane:
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

    def set_meta(self, name: str, value: str | None) -> None:
        if value is None:
            self.connection.execute("DELETE FROM meta WHERE name = ?", (name,))
        else:
            self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

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
            scopes, spelled = dict(rows), set[Spelled]()
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


def meta(connection: sqlite3.Connection, name: str) -> str | None:
    """What an index file says of itself under a name."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def counts(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Passages of an index file, those that are to have a vector, and those that have one."""
    # Each from an index that has nothing else, since the texts of all passages would have to be gone through
    every, unmeant, pending = (
        int(connection.execute(f"SELECT count(*) FROM passages {which}").fetchone()[0])
        for which in ("", "WHERE text_hash IS NULL", "WHERE has_vector = 0 AND text_hash IS NOT NULL")
    )
    return every, every - unmeant, every - unmeant - pending


__all__ = ["Asked", "Filter", "Found", "IndexDamagedError", "Owner", "PassageIndex", "Snapshot"]
