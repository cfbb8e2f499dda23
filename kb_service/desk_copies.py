"""Copies of the desk's record: a consistent one to keep, and one that is made ready to take the record's place."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from indexer.database import Connection, create_private
from indexer.disk import disk_error, whole
from kb_service import desk_sums
from kb_service.desk_check import DeskError, check, open_read_only
from kb_service.desk_schema import migrate

_OTHER = "Name a file that 'kb backup' wrote"


def copy_to(file: Path, connection: sqlite3.Connection) -> None:
    """The record as it stands now, in one step: in several, each write of others would begin it anew."""
    with whole(file) as part:
        try:
            # The journal of a killed copy would be taken for this one's
            _remove(part)
            with closing(_plain(part)) as copy:
                connection.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
        except BaseException:
            _remove(part)
            raise


def check_copy(file: Path, of: Path) -> None:
    """Raises DeskError where something of the record was damaged already."""
    try:
        check(file, "Keep the copies that were made before", thoroughly=True)
    except DeskError as error:
        raise DeskError(f"{of} is copied to {file}, but {error.problem}", error.remedy) from error


def check_backup(file: Path, *, as_it_is: bool) -> None:
    """Raises DeskError where a file is no whole backup of a desk, or of a newer version."""
    if not file.is_file():
        raise DeskError(f"there is no file {file}", _OTHER)
    check(file, _OTHER, thoroughly=not as_it_is)


@contextmanager
def successor(file: Path, work: Path, *, as_it_is: bool) -> Iterator[sqlite3.Connection]:
    """A backup in the file ``work``, of this version and a line of changes of its own, to take the record's place.

    Raises DeskError and DiskError, also for what the block makes of it.
    """
    _remove(work)
    try:
        with closing(open_read_only(file)) as given, closing(_plain(work)) as copy:
            given.backup(copy)
            migrate(copy)
            if as_it_is:
                desk_sums.renew(copy)
            copy.execute("UPDATE meta SET value = ? WHERE name = 'line'", (uuid.uuid4().hex,))
            copy.row_factory, copy.text_factory = sqlite3.Row, desk_sums.legible
            yield copy
    except sqlite3.DatabaseError as error:
        refused = DeskError(f"{file} cannot be restored: {error}", _OTHER)
        raise disk_error(error) or refused from error
    finally:
        # What cannot be removed now is by the next one
        with suppress(OSError):
            _remove(work)


def _plain(path: Path) -> sqlite3.Connection:
    create_private(path)
    return sqlite3.connect(path, isolation_level=None, factory=Connection)


def _remove(database: Path) -> None:
    """A database's file and those that SQLite keeps beside it."""
    for ending in ("", "-journal", "-wal", "-shm"):
        database.with_name(f"{database.name}{ending}").unlink(missing_ok=True)
