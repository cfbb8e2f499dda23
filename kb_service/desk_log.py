"""Whether the write-ahead log of desk.db is whole.

SQLite takes a log up to the first frame that is not as it was written, and drops the rest without a word: right for
what was being written when the power went, wrong for what was acknowledged. How much that was stands in the index of
the log (desk.db-shm, <https://www.sqlite.org/walformat.html>), which outlives a killed process; frames behind tell too.
"""

import errno
import fcntl
import struct
from dataclasses import dataclass
from pathlib import Path

from indexer.disk import about

_HEADER = 32
_FRAME = 24
_INDEX = 48
_MAGIC = 0x377F0682
# What every connection holds of the index, shared, as long as it is open (UNIX_SHM_DMS in SQLite's os_unix.c)
_HELD_WHILE_OPEN = 128


@dataclass(frozen=True, slots=True)
class _Log:
    """``salt`` tells one log from the next in the same file; ``frames`` are those that hold."""

    salt: bytes
    frames: int


class Log:
    """The log of a database, as it is before this process reads that for the first time.

    Never later: by closing the index this process would give up the locks that SQLite holds on it.
    """

    def __init__(self, path: Path) -> None:
        self.files = log_files(path)
        self._was_in_use = _is_in_use(self.files[1])
        self._salt, self._before = _salt(self.files[0]), _indexed(self.files[1])

    def lost(self) -> str:
        """What SQLite has dropped of it that was acknowledged, once the database was read; empty for nothing."""
        (log, index), before = self.files, self._before
        # SQLite has taken it up when the first of them came, and they begin it anew while we look
        if self._was_in_use or _is_in_use(index):
            return ""
        after = _indexed(index)
        if self._salt == b"" and _size(log) >= _HEADER + _FRAME:
            return "its beginning is damaged"
        if before is not None and (self._salt is None or before.salt == self._salt):
            frames = after.frames if after is not None and after.salt == before.salt else 0
            if after != before and frames < before.frames:
                return f"{before.frames - frames} of {before.frames} pages are damaged or gone"
        if after is not None and self._salt == after.salt and _commits_behind(log, after) > 1:
            return "pages of it are damaged"
        return ""


def log_files(path: Path) -> tuple[Path, Path]:
    """The write-ahead log that SQLite keeps beside a database, and the index of that."""
    log, index = (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm"))
    return log, index


def _is_in_use(index: Path) -> bool:
    """Whether another process has the database open."""
    try:
        with index.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _HELD_WHILE_OPEN)
    except FileNotFoundError:
        return False
    except OSError as error:
        # Where there are no locks SQLite has none either
        return error.errno in {errno.EACCES, errno.EAGAIN}
    return False


def _salt(log: Path) -> bytes | None:
    """The salt of a log; empty where its header is damaged, None where it has none."""
    head = _read(log, 0, _HEADER)
    if len(head) < _HEADER:
        return None
    big = struct.unpack(">I", head[:4])[0]
    if big not in {_MAGIC, _MAGIC + 1}:
        return b""
    one = two = 0
    words = struct.unpack(">6I" if big & 1 else "<6I", head[:24])
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return head[16:24] if struct.unpack(">2I", head[24:]) == (one, two) else b""


def _indexed(index: Path) -> _Log | None:
    """What the index says; None where there is none, or it was being written."""
    head = _read(index, 0, 2 * _INDEX + 4)
    if len(head) < 2 * _INDEX + 4 or head[:_INDEX] != head[_INDEX : 2 * _INDEX] or not head[12]:
        return None
    (frames,), (copied,) = struct.unpack("=I", head[16:20]), struct.unpack("=I", head[2 * _INDEX :])
    # What has been copied into the database is not lost with the log
    return _Log(head[32:40], frames if frames > copied else 0)


def _commits_behind(log: Path, after: _Log) -> int:
    """How many transactions end in frames of the same log behind those that hold: one may be of a lost power."""
    page = struct.unpack(">I", _read(log, 8, 4))[0]
    size, count = _size(log), 0
    at = _HEADER + after.frames * (_FRAME + page)
    while page and at + _FRAME + page <= size:
        head = _read(log, at, 16)
        count += head[8:16] == after.salt and head[4:8] != b"\0\0\0\0"
        at += _FRAME + page
    return count


def _read(path: Path, at: int, count: int) -> bytes:
    try:
        with about(path), path.open("rb") as file:
            file.seek(at)
            return file.read(count)
    except FileNotFoundError:
        return b""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
