"""Where the disk fails: files that appear whole or not at all, and which file it was, why, and what to do."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.errors import KnowledgeBaseError

_FREE = "Free some space on its disk, then try again"
_LOOK = "Look at its disk and at the permissions, then try again"
_WAIT = "Another process holds it, or the disk lost its lock: try again in a moment"
_END = (
    "The disk did not take a lock back, which a process holds now for as long as it lives: the service ends with an"
    " error, so that it is started again; end what else uses the file"
)
# SQLite calls a page damaged that the disk did not give, too
_DAMAGED = (
    "Look at its disk, then try again. Where it is said again: desk.db is put back by 'kb restore FILE', any other file"
    " of the data folder may be moved away and is made anew by 'kb index'"
)
_OF_SQLITE = {
    sqlite3.SQLITE_FULL: _FREE,
    sqlite3.SQLITE_IOERR: _LOOK,
    sqlite3.SQLITE_CANTOPEN: _LOOK,
    sqlite3.SQLITE_READONLY: _LOOK,
    sqlite3.SQLITE_PERM: _LOOK,
    sqlite3.SQLITE_NOLFS: _LOOK,
    sqlite3.SQLITE_BUSY: _WAIT,
    sqlite3.SQLITE_LOCKED: _WAIT,
    sqlite3.SQLITE_PROTOCOL: _END,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
}
_OF_SYSTEM = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FREE),
    **dict.fromkeys((errno.EIO, errno.EROFS, errno.ENXIO, errno.ENODEV, errno.ESTALE), _LOOK),
    **dict.fromkeys((errno.EACCES, errno.EPERM), _LOOK),
    **dict.fromkeys((errno.ENOLCK, errno.EAGAIN, errno.ETIMEDOUT), _WAIT),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "Too many files are open: raise the limit (ulimit -n)"),
}


class DiskError(KnowledgeBaseError):
    """A file cannot be read or written now, and neither what is in it nor what was asked is to blame."""


class LockKeptError(DiskError):
    """A lock of SQLite's could not be given back, and is held by a process for as long as it lives."""


def disk_error(error: BaseException) -> DiskError | None:
    """What is said of an error of SQLite or of the system; None where the disk is not to blame for it."""
    kind = DiskError
    if isinstance(error, sqlite3.Error):
        # Its lowest byte is the kind, the others say which of that kind
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        remedy = _OF_SQLITE.get(code)
        if code == sqlite3.SQLITE_PROTOCOL:
            # What SQLite says after ten seconds of asking for a lock that is held for a few instructions only
            kind = LockKeptError
        where, why = ", ".join(getattr(error, "__notes__", ())), str(error)
    elif isinstance(error, OSError):
        remedy = _OF_SYSTEM.get(error.errno or 0)
        where, why = str(error.filename or ""), error.strerror or str(error)
    else:
        return None
    return kind(f"{where or 'a file of the data folder'} cannot be used: {why}", remedy) if remedy else None


@contextmanager
def about(path: Path) -> Iterator[None]:
    """An error of the system that names no file is about this one."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file that is on disk under its name when the block ends, whole, or not at all; gives where to write it."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with about(path):
            yield part
        _to_disk(part)
        part.replace(path)
        # A name is on disk when its folder is
        _to_disk(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        with about(path):
            os.fsync(opened)
    finally:
        os.close(opened)
