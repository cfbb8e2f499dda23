"""Opening SQLite files the same way everywhere."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import sqlite_utils

from indexer.disk import disk_error
from indexer.errors import IndexDamagedError, KnowledgeBaseError

BUSY_SECONDS = 30
# A file that others have open is in write-ahead mode, unless it was emptied; to put a new one into it takes a moment
_MADE_SECONDS = 5
_LOOKS = 4
_ANEW = "Move it away and run 'kb index'"
# What is written anew comes back to the same pages, which is a tenth quicker where they are at hand
_CACHE_KIB, _CACHE_KIB_ANEW = 2 << 10, 128 << 10

Found = TypeVar("Found")


class Connection(sqlite3.Connection):
    """One whose errors carry a note that says which file it was, as SQLite's own do not."""

    def __init__(self, database: Any, *given: Any, **named: Any) -> None:
        self.name = unquote(urlsplit(database).path) if named.get("uri") else str(database)
        try:
            super().__init__(database, *given, **named)
        except sqlite3.Error as error:
            error.add_note(self.name)
            raise

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        try:
            return super().execute(sql, parameters)
        except sqlite3.Error as error:
            error.add_note(self.name)
            raise
        except UnicodeDecodeError as error:
            # SQLite told of a table whose own definition is damaged, in its words
            damaged = sqlite3.DatabaseError("its schema is no text")
            damaged.add_note(self.name)
            raise damaged from error

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        try:
            return super().executemany(sql, parameters)
        except sqlite3.Error as error:
            error.add_note(self.name)
            raise

    def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
        try:
            return super().executescript(sql_script)
        except sqlite3.Error as error:
            error.add_note(self.name)
            raise

    def backup(self, target: sqlite3.Connection, **how: Any) -> None:
        try:
            super().backup(target, **how)
        except sqlite3.Error as error:
            error.add_note(f"{self.name} or its copy {getattr(target, 'name', '')}".strip())
            raise


def open_database(path: Path, *, synchronous: str = "NORMAL") -> sqlite_utils.Database:
    """The database in write-ahead mode, without implicit transactions, for use on any one thread at a time.

    Makes its folder where there is none. Raises DiskError, and IndexDamagedError where it is no database, or is another
    than those who use it have open.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    create_private(path)
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=Connection
        )
        _write_ahead(connection)
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    except sqlite3.DatabaseError as error:
        if not is_of_the_file(error) and (failing := disk_error(error)):
            raise failing from error
        raise IndexDamagedError(f"{path} cannot be opened: {error}", _ANEW) from error
    return sqlite_utils.Database(connection)


def _write_ahead(connection: Connection) -> None:
    """Put a database into write-ahead mode, if it is not. Raises IndexDamagedError where others use what it was."""
    if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        return
    connection.execute(f"PRAGMA busy_timeout={round(_MADE_SECONDS * 1000)}")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise IndexDamagedError(f"{connection.name} is in use, and is not what it was", _ANEW) from error
        raise
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")


def is_of_the_file(error: sqlite3.DatabaseError) -> bool:
    """Whether an error of SQLite's says that a file is not what it was, its log cut off among it."""
    # SQLite raises the class itself for what is no database or a damaged one, its subclasses for all else
    is_short = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHORT_READ
    return type(error) is sqlite3.DatabaseError or is_short


def create_private(path: Path) -> None:
    """Make an empty file, where there is none, that is closed to all but its user and group, as the umask has it.

    SQLite gives the files beside it the same permissions. Where it cannot be made, SQLite will say so.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o660))


def look_into(path: Path, look: Callable[[sqlite3.Connection], Found]) -> Found:
    """What ``look`` finds in a database, which stays as it is to the byte, as do the files beside it.

    Also while others write. SQLite by itself makes and writes files where it only reads a write-ahead log. Raises
    what ``look`` raises, and KnowledgeBaseError where the log cannot be read without writing.
    """
    log, shared = (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm"))
    for left in reversed(range(_LOOKS)):
        before = _state(path), _state(log)
        has_log = log.is_file() and log.stat().st_size > 0
        if has_log and not shared.exists():
            raise KnowledgeBaseError(
                f"{shared} is missing, and {log.name} cannot be read without it", "Start the service once: it makes it"
            )
        # What nobody has open is read without locks; what changes meanwhile is read again, by those who write
        how = "mode=ro&readonly_shm=1" if has_log else "immutable=1"
        try:
            url = f"{path.absolute().as_uri()}?{how}"
            with closing(
                sqlite3.connect(url, uri=True, timeout=BUSY_SECONDS, isolation_level=None, factory=Connection)
            ) as connection:
                found = look(connection)
        except Exception:
            if not left or (_state(path), _state(log)) == before:
                raise
        else:
            if has_log or (_state(path), _state(log)) == before:
                return found
    raise KnowledgeBaseError(f"{path} was written to each time that it was read", "Try again in a moment")


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def begin_anew(connection: sqlite3.Connection, version: int) -> None:
    """Drop every table of a derived file that was made by a former version of its tables; the file is of this one then.

    Outside any transaction, and before the tables are made. Raises KnowledgeBaseError for a later version's.
    """

    def is_current() -> bool:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > version:
            (_, _, path) = connection.execute("PRAGMA database_list").fetchone()
            raise KnowledgeBaseError(
                f"{path} was written by a newer version", "Use that version, or move the file away to have it made anew"
            )
        return bool(found == version)

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
def writing_anew(connection: sqlite3.Connection) -> Iterator[None]:
    """The same where most of the file is written: with room for its pages."""
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB_ANEW}")
    try:
        with writing(connection):
            yield
    finally:
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")


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
        connection.execute(how)
    except BaseException:
        # After some errors SQLite has gone back by itself; after others, of the end too, it has not, and whoever
        # uses the connection next would find itself inside
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
