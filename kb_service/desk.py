"""desk.db: the desk's own record. Opening, transactions, backup and restore.

Nothing else holds what stands here, so every write is on disk before it is acknowledged (``synchronous=FULL``), writers
queue up (``BEGIN IMMEDIATE``), erased text is overwritten (``secure_delete``), and no rebuild of an index touches it.
"""

import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from indexer import at_rest
from indexer.database import BUSY_SECONDS, open_database, reading, writing
from indexer.disk import DiskError
from indexer.errors import IndexDamagedError
from indexer.locks import held
from kb_service import desk_sums
from kb_service.desk_check import DeskError, check, open_read_only
from kb_service.desk_copies import check_backup, check_copy, copy_to, successor
from kb_service.desk_log import Log, log_files
from kb_service.desk_schema import is_older, migrate

_BEFORE_RESTORE = "desk-before-restore-"
_MEND = "Move it away, with the files beside it of the same name, and restore a backup: kb restore FILE"
_PUT_BACK = (
    "Nothing is read or written until the same file is moved back. Where it is lost: stop the service, and give the"
    " last backup to 'kb restore FILE'"
)
_BEGUN_ANEW = (
    "it was moved or deleted, and an empty one is begun. If that is not meant, stop, and move it back, or give the last"
    " backup to 'kb restore FILE'"
)

_log = logging.getLogger("kb.desk")


class Desk:
    """The record of one data folder. One instance serves all threads of a process; others may write beside it."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open it, made or brought to this version first where needed, unless it is only read. Raises DeskError."""
        self.path = path
        self._open = _open_to_read if read_only else _open
        self._local = threading.local()
        self._in_use: tuple[int, ...] | None = None
        # SQLite's own queue is by chance; in one process it is by turn: who waits is next, and cannot be overtaken
        self._next, self._turn = threading.Lock(), threading.Lock()
        if read_only:
            check(path, _MEND)
            return
        self._use = at_rest.using(path.parent)
        with self._alone():
            if path.exists():
                self._check_before_use()
            elif (path.parent / "incidents.db").exists():
                _log.warning("there is no %s any more, though an index over its records: %s", path, _BEGUN_ANEW)
            migrate(self.connection)
            # As long as one is open, SQLite leaves all three files where they are
            self._kept_open = self.connection
            self._in_use = _inodes(path)

    def _check_before_use(self) -> None:
        """Before anything is written to it, be it how it keeps its journal. Raises DeskError."""
        name, use = self.path.name, self._use
        log = None if name in use.looked_at else Log(self.path)
        if why := use.damaged.get(name):
            if why == at_rest.CHANGED:
                # What of it has changed is told where that can be seen
                check(self.path, _MEND, thoroughly=True)
            raise DeskError(
                f"{self.path} is not as it was left: {why}",
                f"{_MEND}. To go on with what is there all the same, delete {use.note} and"
                f" {' and '.join(file.name for file in log_files(self.path))} instead",
            )
        check(self.path, _MEND, may_be_new=True, thoroughly=name in use.unclean)
        if log and (lost := log.lost()):
            use.refuse(name, f"{log.files[0].name} does not hold all that was acknowledged, {lost}")
            raise DeskError(f"{log.files[0]} does not hold all that was acknowledged: {lost}", _MEND)
        use.unclean.discard(name)
        use.looked_at.add(name)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection. Raises DiskError where a file of the record was moved, deleted or replaced."""
        if self._in_use:
            self._check_places(self._in_use)
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open(self.path)
        return connection

    def _check_places(self, in_use: tuple[int, ...]) -> None:
        # SQLite goes on with what was deleted, and all that is written there is lost with the process
        try:
            is_in_place, why = _inodes(self.path) == in_use, "another file has taken its place"
        except OSError as error:
            is_in_place, why = False, str(error)
        if not is_in_place:
            raise DiskError(f"{self.path} is not the record any more that is in use: {why}", _PUT_BACK)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that will write. What it changed is on disk when the block ends, or nothing of it is."""
        with self._next:
            self._turn.acquire()
        try:
            with writing(self.connection):
                yield self.connection
        finally:
            self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One snapshot for several reads."""
        with reading(self.connection):
            yield self.connection

    @contextmanager
    def in_passing(self) -> Iterator[sqlite3.Connection]:
        """A write that nobody waits for: dropped when all is busy, and perhaps lost with the power."""
        connection = self.connection
        try:
            connection.execute("PRAGMA busy_timeout=50")
            connection.execute("PRAGMA synchronous=NORMAL")
            with suppress(sqlite3.OperationalError):
                yield connection
        finally:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA busy_timeout={round(BUSY_SECONDS * 1000)}")

    def meta(self, name: str) -> str | None:
        row = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    @property
    def line(self) -> str:
        """Which line of changes this is: another one after a restore, so that what follows it begins anew."""
        return str(self.meta("line"))

    @property
    def is_demo(self) -> bool:
        """Whether the records are a sample, nobody's own."""
        return self.meta("demo") is not None

    def check(self) -> None:
        """Raises DeskError where it is damaged. Reads all of it."""
        check(self.path, _MEND, thoroughly=True)

    def backup(self, file: Path) -> None:
        """Write a consistent copy while others read and write. The file appears whole or not at all.

        Raises DeskError where something of the record is damaged; the copy of all else is there then.
        """
        if file.exists():
            raise DeskError(f"{file} is there already", "Name another file, or move it away")
        if not file.parent.is_dir():
            raise DeskError(f"there is no folder {file.parent}", "Make it, or name a file in another")
        copy_to(file, self.connection)
        check_copy(file, self.path)
        # Where even this cannot be written, the copy is what matters
        with suppress(sqlite3.OperationalError), self.writing() as connection:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('backup', ?)", (at,))

    def restore(
        self,
        file: Path,
        carry_over: Callable[[sqlite3.Connection, sqlite3.Connection], None] = lambda _old, _new: None,
        *,
        as_it_is: bool = False,
    ) -> Path:
        """Put a backup in the record's place while others use it; gives where the record as it was is kept.

        ``carry_over`` gets a connection to the record as it is and one to what will take its place, and may write to
        that. Nobody else writes from then until it has. ``as_it_is`` takes rows that are not as they were written, too.

        Raises DeskError where the file is no whole backup of a desk, or of a newer version, and DiskError; nothing is
        changed then.
        """
        check_backup(file, as_it_is=as_it_is)
        kept = self.path.with_name(f"{_BEFORE_RESTORE}{datetime.now(UTC):%Y%m%dT%H%M%S%f}.db")
        work = self.path.with_name("desk-restoring.db")
        with self._alone():
            for left in self.path.parent.glob(f"{_BEFORE_RESTORE}*.part*"):
                # Of one that was killed
                left.unlink()
            try:
                with successor(file, work, as_it_is=as_it_is) as copy, self._turn:

                    def keep(status: int, _left: int, _of: int) -> None:
                        # The first page keeps writers out, and readers see none of it yet: this is the last of the
                        # record as it was. What is written to the copy by now gets here as well
                        if status == sqlite3.SQLITE_OK and not kept.exists():
                            with closing(_open(self.path)) as before:
                                copy_to(kept, before)
                                carry_over(before, copy)

                    copy.backup(self.connection, pages=1, progress=keep)
            except Exception:
                kept.unlink(missing_ok=True)
                raise
        return kept

    @property
    def has_deleted(self) -> bool:
        """Whether bytes of what was deleted may be left, as where a process was stopped before it forgot them."""
        return self.meta("deleted") is not None

    def forget_deleted(self) -> None:
        """Take what was deleted out of the file and its write-ahead log; waits for readers."""
        # Overwriting what is deleted leaves the copies that are made where a full page is split
        self.connection.execute("VACUUM")
        for _ in range(round(BUSY_SECONDS)):
            if self._truncate_log():
                self.connection.execute("DELETE FROM meta WHERE name = 'deleted'")
                return

    def _truncate_log(self) -> bool:
        """Whether no reader held it. While it waits for one nobody can write, so that it waits for a moment only."""
        self.connection.execute("PRAGMA busy_timeout=1000")
        try:
            is_busy, *_ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self.connection.execute(f"PRAGMA busy_timeout={round(BUSY_SECONDS * 1000)}")
        return not is_busy

    def _alone(self) -> AbstractContextManager[bool]:
        """One process at a time makes, migrates or replaces the record."""
        return held(self.path.parent / "desk.lock")


def note_deletion(connection: sqlite3.Connection) -> None:
    """Keep that something is deleted, until it is forgotten too. Inside the transaction that deletes it."""
    connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('deleted', 1)")


def next_change(connection: sqlite3.Connection) -> int:
    """The number of a change of the record; the index over it follows these. Inside a transaction that writes."""
    row = connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'change' RETURNING value").fetchone()
    return int(row[0])


def _inodes(path: Path) -> tuple[int, ...]:
    """What stands under the names of the record's files. Raises FileNotFoundError."""
    return tuple(os.stat(f"{path}{ending}").st_ino for ending in ("", "-wal", "-shm"))  # noqa: PTH116 (takes twice as long)


def _open(path: Path) -> sqlite3.Connection:
    try:
        connection = open_database(path, synchronous="FULL").conn
    except IndexDamagedError as error:
        raise DeskError(error.problem, _MEND) from error
    connection.execute("PRAGMA secure_delete=ON")
    return _made_ready(connection)


def _made_ready(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.row_factory = sqlite3.Row
    connection.text_factory = desk_sums.legible
    connection.create_function("casefold", 1, lambda text: text and text.casefold(), deterministic=True)
    desk_sums.know(connection)
    return connection


def _open_to_read(path: Path) -> sqlite3.Connection:
    connection = _made_ready(open_read_only(path))
    if is_older(connection):
        raise DeskError(f"{path} was written by an older version", "Start the service once: it brings it to this one")
    return connection
