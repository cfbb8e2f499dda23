"""Opening SQLite files: closed to others, and looked into without a byte of them changing."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from indexer.database import BUSY_SECONDS, look_into, open_database
from indexer.errors import IndexDamagedError, KnowledgeBaseError
from kb_service.desk import Desk

# One row is in the file, the other in the write-ahead log
WRITER = """
import sqlite3, sys
from pathlib import Path
from indexer.database import open_database
connection = open_database(Path(sys.argv[1])).conn
connection.execute("CREATE TABLE t (a)")
connection.execute("INSERT INTO t VALUES (1)")
connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
connection.execute("INSERT INTO t VALUES (2)")
print("ready", flush=True)
sys.stdin.readline()
"""


@contextmanager
def written(path: Path, how: signal.Signals | None = None) -> Iterator[None]:
    """A process that has written and keeps the file open, until it closes it or is ended by a signal."""
    command = [sys.executable, "-c", WRITER, str(path)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    yield
    if how is not None:
        writer.send_signal(how)
    writer.communicate("\n")


def rows(connection: sqlite3.Connection) -> list[int]:
    return [a for (a,) in connection.execute("SELECT a FROM t ORDER BY a")]


def files(folder: Path) -> dict[str, tuple[str, int]]:
    return {path.name: (sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_what_is_looked_into_stays_as_it_is_while_it_is_open_closed_or_left_by_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with written(path):
        before = files(tmp_path)
        assert len(before) == 3
        assert look_into(path, rows) == [1, 2]
        assert files(tmp_path) == before
    before = files(tmp_path)
    assert list(before) == ["x.db"]
    assert look_into(path, rows) == [1, 2]
    assert files(tmp_path) == before
    path.unlink()
    with written(path, signal.SIGKILL):
        pass
    before = files(tmp_path)
    assert len(before) == 3
    assert look_into(path, rows) == [1, 2]
    assert files(tmp_path) == before
    (tmp_path / "x.db-shm").unlink()
    before = files(tmp_path)
    with pytest.raises(KnowledgeBaseError, match=r"x\.db-shm is missing"):
        look_into(path, rows)
    assert files(tmp_path) == before


def test_what_changes_while_nobody_seemed_to_have_it_open_is_looked_into_again(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with written(path):
        pass
    seen: list[list[int]] = []

    def look(connection: sqlite3.Connection) -> list[int]:
        seen.append(rows(connection))
        if len(seen) == 1:
            open_database(path).conn.execute("INSERT INTO t VALUES (3)")
        return seen[-1]

    assert look_into(path, look) == [1, 2, 3]
    assert len(seen) == 2


def test_a_file_that_is_not_what_those_have_open_who_use_it_is_damaged_in_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.database._MADE_SECONDS", 0.2)
    path = tmp_path / "x.db"
    with written(path):
        os.truncate(path, 0)
        begun = time.monotonic()
        with pytest.raises(IndexDamagedError, match="is in use, and is not what it was"):
            open_database(path)
        assert time.monotonic() - begun < BUSY_SECONDS / 2


def test_a_record_its_log_and_its_backup_are_closed_to_other_users(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        desk = Desk(tmp_path / "data" / "desk.db")
        desk.backup(tmp_path / "backup.db")
        desk.restore(tmp_path / "backup.db")
        made = [*tmp_path.rglob("*.db*")]
        assert len(made) == 5
        assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o640}
    finally:
        os.umask(before)
