"""Whether a file is a desk's record, whole and of this version, before anything is written to it."""

import re
import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path

import sqlite_utils

from indexer.database import BUSY_SECONDS, Connection
from indexer.disk import DiskError, disk_error
from indexer.errors import KnowledgeBaseError
from kb_service import desk_sums
from kb_service.desk_schema import APPLICATION_ID, applied_to, changed_definitions, known

_MOST_NAMED = 3
_AS_IT_IS = "To take the file as it is all the same, give it to 'kb restore --as-it-is'"


class DeskError(KnowledgeBaseError):
    """The desk's record cannot be opened, or is not what it should be."""


def check(path: Path, remedy: str, *, may_be_new: bool = False, thoroughly: bool = False) -> None:
    """Raise DeskError for a file that is no desk's, is damaged, or is of a newer version. Writes nothing to it."""
    try:
        with closing(open_read_only(path)) as connection:
            judge(connection, path, remedy, may_be_new=may_be_new, thoroughly=thoroughly)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and (failing := disk_error(error)):
            raise failing from error
        raise DeskError(
            f"{path} cannot be read: {error}", f"Look at its disk, then try again. Else: {remedy}"
        ) from error


def _damage(path: Path, told: str, remedy: str) -> KnowledgeBaseError:
    """What a check found. Where the disk did not give a page, nobody knows what stands there."""
    code = re.search(r"error code=(\d+)", told)
    if code and int(code[1]) & 0xFF == sqlite3.SQLITE_IOERR:
        return DiskError(f"{path} cannot be read: {told}", "Look at its disk, then try again; leave the file as it is")
    return DeskError(f"{path} is damaged: {told}", remedy)


def judge(
    connection: sqlite3.Connection, path: Path, remedy: str, *, may_be_new: bool = False, thoroughly: bool = False
) -> None:
    """Raise DeskError for what is no desk's record, is of a newer version, or is damaged.

    That it is whole is asked last, as it takes long where there is much; ``thoroughly`` reads each row.
    """
    database = sqlite_utils.Database(connection)
    is_new = may_be_new and not database.table_names()
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID and not is_new:
        raise DeskError(f"{path} is not the record of a desk", remedy)
    applied, ours = applied_to(connection), known()
    newer = sorted(applied - ours)
    if newer and ours - applied:
        raise DeskError(f"{path} is damaged: of no version are {', '.join(newer)}", remedy)
    if newer:
        raise DeskError(f"{path} was written by a newer version ({', '.join(newer)})", "Use that version")
    check = "integrity_check" if thoroughly else "quick_check"
    if (told := connection.execute(f"PRAGMA {check}(1)").fetchone()[0]) != "ok":
        raise _damage(path, told.splitlines()[-1], remedy)
    if thoroughly:
        _look_through(connection, path, remedy)


def _look_through(connection: sqlite3.Connection, path: Path, remedy: str) -> None:
    """Raise DeskError for what is not as it was written: SQLite sees no flipped bit of a value or a definition."""
    if others := changed_definitions(connection):
        raise DeskError(f"{path} is damaged: not as they were made are {', '.join(others)}", remedy)
    changed = list(islice(desk_sums.changed(connection), _MOST_NAMED + 1))
    if changed:
        named = ", ".join(changed[:_MOST_NAMED]) + (" and more" if len(changed) > _MOST_NAMED else "")
        raise DeskError(f"{path} is damaged: not as they were written are {named}", f"{remedy}. {_AS_IT_IS}")


def open_read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS, factory=Connection)
