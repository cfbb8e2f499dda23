"""Opening SQLite files the same way everywhere."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlite_utils

from indexer.errors import IndexDamagedError, KnowledgeBaseError

BUSY_SECONDS = 30


def open_database(path: Path, *, synchronous: str = "NORMAL") -> sqlite_utils.Database:
    """The database in write-ahead mode, without implicit transactions, for use on any one thread at a time.

    Makes its folder where there is none. Raises IndexDamagedError where it is no database.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA cache_size=-2048")
    except sqlite3.OperationalError as error:
        # Not the file's fault: the disk is full or failing, or permissions lack
        raise KnowledgeBaseError(f"{path} cannot be opened: {error}", "Look at the disk and its permissions") from error
    except sqlite3.DatabaseError as error:
        raise IndexDamagedError(f"{path} cannot be opened: {error}", "Move it away and run 'kb index'") from error
    return sqlite_utils.Database(connection)


def begin_anew(connection: sqlite3.Connection, version: int) -> None:
    """Drop every table of a derived file that was made by another version of its tables; the file is of this one then.

    Outside any transaction, and before the tables are made.
    """

    def is_current() -> bool:
        return bool(connection.execute("PRAGMA user_version").fetchone()[0] == version)

    if is_current():
        return
    with writing(connection):
        if is_current():
            return
        made = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        # A virtual table takes the tables behind it along
        for kind in (" AND sql LIKE 'CREATE VIRTUAL%' ORDER BY name LIKE '%_instance' DESC", ""):
            for (name,) in connection.execute(made + kind).fetchall():
                connection.execute(f'DROP TABLE "{name}"')
        connection.execute(f"PRAGMA user_version = {version}")


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction that will write: IMMEDIATE, as a deferred one fails when it turns from reading to writing."""
    connection.execute("BEGIN IMMEDIATE")
    with _ending(connection, "COMMIT"):
        yield


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """One snapshot for several reads. Keep it short: an open one lets the write-ahead log grow."""
    connection.execute("BEGIN")
    with _ending(connection, "COMMIT"):
        yield


@contextmanager
def _ending(connection: sqlite3.Connection, how: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute(how)
