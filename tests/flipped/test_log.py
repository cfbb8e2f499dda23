"""The write-ahead log that a killed service left: what was acknowledged is in it, or it is said not to be."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kb_service.desk_log import Log
from tests.flipped.damage import Whole, refused, service_of

pytestmark = pytest.mark.breaking


def test_after_a_kill_the_log_that_was_left_is_taken_up(killed: Path, whole: Whole, tmp_path: Path) -> None:
    shutil.copytree(killed, tmp_path / "data")
    exported = service_of(tmp_path / "data", whole.content).kb("incidents", "export")
    assert exported.count("The last") == 5


@pytest.mark.parametrize(
    ("how", "with_index"),
    [
        ("begin", True),
        ("early", False),
        ("emptied", True),
        *(
            pytest.param(*case, marks=pytest.mark.long)
            for case in (("begin", False), ("early", True), ("truncated", True))
        ),
    ],
)
def test_after_a_kill_a_damaged_log_is_no_silent_loss(
    killed: Path, whole: Whole, tmp_path: Path, how: str, with_index: bool
) -> None:
    """SQLite would drop the rest of it, acknowledged as it is. Of pages that are gone only its index can tell."""
    folder = tmp_path / "data"
    shutil.copytree(killed, folder)
    service, log = service_of(folder, whole.content), folder / "desk.db-wal"
    data = bytearray(log.read_bytes())
    assert len(data) > 5 * 4096
    if how == "begin":
        data[20] ^= 1
    elif how == "early":
        data[32 + 24 + 100] ^= 1
    else:
        data = data[: 32 + 4120] if how == "truncated" else bytearray()
    log.write_bytes(data)
    if not with_index:
        (folder / "desk.db-shm").unlink()
    assert "does not hold all that was acknowledged" in refused(service)
    # The other way that is told works too
    for name in ("desk.db-wal", "desk.db-shm", "at-rest"):
        (folder / name).unlink(missing_ok=True)
    service.kb("keys", "list")


OTHER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE t (x)")
for number in range(50):
    connection.execute("INSERT INTO t VALUES (?)", (number,))
print("written", flush=True)
for _ in sys.stdin:
    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    connection.execute("INSERT INTO t VALUES (0)")
    print("begun anew", flush=True)
"""


def test_a_log_that_others_begin_anew_while_it_is_looked_at_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    command = [sys.executable, "-c", OTHER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "written\n"
        log = Log(path)
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "begun anew\n"
        assert log.lost() == ""
        other.stdin.close()
