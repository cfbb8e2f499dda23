"""kb doctor on the record: what it says to do helps."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kb_service import desk_sums
from tests.doctor.house import House, everything, execute, flip
from tests.forged import rewrite

CASE = Path(__file__).parent.parent / "cases" / "desk-1.sql"


@pytest.mark.parametrize("spoil", [flip, lambda path: path.write_text("no database " * 900)])
def test_a_damaged_record_is_named_and_restored_by_what_it_says(house: House, spoil: Callable[[Path], object]) -> None:
    spoil(house.data / "desk.db")
    remedy = house.only("desk.db", "error", r"desk\.db (is damaged|cannot be read)")
    house.do(remedy, FILE=str(house.folder / "backup.db"))
    assert house.wrong() == []
    assert [*house.data.glob("desk-damaged-*/desk.db")]


def test_a_record_of_another_version_is_told_from_a_damaged_one(house: House) -> None:
    path = house.data / "desk.db"
    later = (
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kb_service.desk', 'of_2031', 'x')"
    )
    execute(path, later)
    assert house.only("desk.db", "error", "newer version.*of_2031") == "Use that version"
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(CASE.read_text("utf-8"))
    before = everything(house.data)
    (found,) = [one for one in house.wrong() if one["name"] == "desk.db"]
    assert (found["level"], "older version" in found["said"]) == ("warning", True)
    assert everything(house.data) == before, "it is not migrated by a look"
    house.do("Run: kb keys list")
    assert [one for one in house.wrong() if one["name"] == "desk.db"] == []


def test_a_record_that_is_gone_is_missed_where_an_index_is(house: House) -> None:
    (house.data / "desk.db").unlink()
    (found,) = [one for one in house.wrong() if one["name"] == "desk.db"]
    assert "though an index is" in found["said"]
    assert "kb restore FILE" in found["remedy"]


def test_a_record_that_was_not_copied_for_days_is_said(house: House) -> None:
    path = house.data / "desk.db"
    (last,) = [one["said"] for one in house.doctor() if one["name"] == "backup"]
    assert last.startswith("the last one is of 2")
    execute(path, "UPDATE meta SET value = '2026-01-01T06:00:00+00:00' WHERE name = 'backup'")
    remedy = house.only(
        "backup", "warning", r"the last one is of 2026-01-01 06:00 UTC: what changed since would be lost"
    )
    assert "kb backup FILE" in remedy
    execute(path, "DELETE FROM meta WHERE name = 'backup'")
    assert [one["said"] for one in house.doctor() if one["name"] == "backup"] == ["none yet"]
    execute(path, "UPDATE incidents SET updated_at = '2026-01-01T06:00:00Z' WHERE number = 'INC1'")
    house.only("backup", "warning", "has never copied the record: all 39 records would be lost")
    execute(path, "INSERT INTO meta (name, value) VALUES ('demo', '1')")
    assert house.wrong() == [], "what is nobody's own is not missed"


def test_an_audit_entry_that_was_rewritten_is_found(house: House) -> None:
    path = house.data / "desk.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        rewrite(connection)
    assert "backup" in house.only("desk.db", "error", "not as it was written from entry 1 on")
    execute(path, "DROP TRIGGER audit_is_never_changed")
    assert "backup" in house.only("desk.db", "error", "not as they were made are audit_is_never_changed")


def test_a_log_that_cannot_be_read_without_writing_is_said_so(house: House) -> None:
    held = sqlite3.connect(house.data / "desk.db", isolation_level=None)
    desk_sums.know(held)
    held.execute("PRAGMA journal_mode=WAL")
    held.execute("INSERT INTO meta (name, value) VALUES ('x', 1)")
    for name in ("desk.db", "desk.db-wal"):
        shutil.copy(house.data / name, house.folder / name)
    held.close()
    for name in ("desk.db", "desk.db-wal"):
        shutil.copy(house.folder / name, house.data / name)
    before = everything(house.data)
    house.only("desk.db", "error", r"desk\.db-shm is missing")
    assert everything(house.data) == before
    house.do("Run: kb keys list")
    assert house.wrong() == []
