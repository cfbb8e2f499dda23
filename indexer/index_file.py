"""The file of an index: its tables, a connection for each thread, and what becomes of it where it is damaged.

It is derived: what cannot be right is put aside for an empty one, to be filled again by whoever writes it.
"""

import logging
import sqlite3
import threading
import uuid
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path

from indexer import at_rest, names, postings, row_checks, spelling
from indexer.database import begin_anew, is_of_the_file, open_database
from indexer.errors import IndexDamagedError
from indexer.locks import held
from indexer.vectors import unchecked

# Raise when the tables of an index change: it is derived, and made anew then
SCHEMA_VERSION = 5
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
  text_hash BLOB, has_vector INTEGER NOT NULL DEFAULT 0, crc INTEGER NOT NULL
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


_MEND = "Run 'kb index', which makes it anew; a service that runs does so by itself"
_log = logging.getLogger("kb.index")


class IndexFile:
    """One instance serves all threads of a process."""

    def __init__(self, path: Path, further: str = "") -> None:
        """Open it, made anew where it is damaged; ``further`` makes tables of others that lie in it too.

        Raises KnowledgeBaseError for one of a newer version.
        """
        self.path, self._further = path, further
        self._local = threading.local()
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
        connection = self._as_it_is()
        try:
            begin_anew(connection, SCHEMA_VERSION)
            connection.executescript(_SCHEMA + self._further)
            for tables in (postings, names, spelling):
                tables.create_tables(connection)
            if meta(connection, "file") is None:
                connection.execute("INSERT OR IGNORE INTO meta VALUES ('file', ?)", (uuid.uuid4().hex,))
        except sqlite3.DatabaseError as error:
            connection.close()
            raise self.damaged(error) from error
        return connection

    def _as_it_is(self) -> sqlite3.Connection:
        """A connection to the file, whose tables are as they may be. Raises IndexDamagedError."""
        # SQLite finds the log of a file by its name: nobody may come upon the one of the file before
        with self._opening():
            # To SQLite a file without a byte is a new one, whose log it deletes, be it in use
            if self.path.exists() and not self.path.stat().st_size:
                raise IndexDamagedError(f"{self.path} is empty", _MEND)
            return open_database(self.path).conn

    def _opening(self) -> AbstractContextManager[bool]:
        """One at a time opens the file, or puts another in its place."""
        return held(self.path.with_suffix(".opening.lock"))

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
            with closing(self._as_it_is()) as connection:
                (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
                if said != "ok":
                    return str(said).splitlines()[-1]
                if connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,):
                    postings.check(connection)
                    row_checks.check(connection)
                    for key, vector in connection.execute("SELECT passage, vector FROM tail"):
                        unchecked(key, vector)
        except IndexDamagedError as error:
            return error.problem
        except sqlite3.DatabaseError as error:
            # A table that is not there is one whose name is not what it was
            is_other = isinstance(error, sqlite3.OperationalError) and not is_of_the_file(error)
            if is_other and "no such" not in str(error):
                raise
            return str(error)
        return ""

    def _make_anew(self, why: str) -> None:
        """Put an empty file in its place; who still reads the former goes on with that until it looks again."""
        _log.warning("%s %s; it is made anew", self.path, why)
        with self._opening():
            for name in (self.path.name, f"{self.path.name}-wal", f"{self.path.name}-shm"):
                self.path.with_name(name).unlink(missing_ok=True)
        for pattern in ("*.npy", "*.faiss", "*.part"):
            for path in self.path.parent.glob(f"{self.path.stem}-{pattern}"):
                path.unlink(missing_ok=True)

    def damaged(self, error: sqlite3.DatabaseError) -> Exception:
        """What to raise for an error of SQLite: one that is not the file's fault stays as it is."""
        if not is_of_the_file(error):
            return error
        self.suspect()
        return IndexDamagedError(f"{self.path} is damaged: {error}", _MEND)

    def meta(self, name: str) -> str | None:
        return meta(self.connection, name)

    def set_meta(self, name: str, value: str | None) -> None:
        if value is None:
            self.connection.execute("DELETE FROM meta WHERE name = ?", (name,))
        else:
            self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


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
