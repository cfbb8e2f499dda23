"""The audit log: chained, never altered."""

import sqlite3
from pathlib import Path

import pytest

from kb_service.audit import Audit, AuditBrokenError, note
from kb_service.desk import Desk
from tests.forged import rewrite


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "desk.db")
    with desk.writing() as connection:
        for number in range(3):
            note(connection, "key:ann" if number else "cli", "record put", f"INC{number}", {"fields": ["state"]})
    return desk


def test_entries_are_told_latest_first_and_by_what_they_are_of(desk: Desk) -> None:
    audit = Audit(desk)
    assert [entry.subject for entry in audit.entries()] == ["INC2", "INC1", "INC0"]
    assert [entry.subject for entry in audit.entries(actor="cli")] == ["INC0"]
    (entry,) = audit.entries(subject="inc1")
    assert (entry.actor, entry.action, entry.detail) == ("key:ann", "record put", {"fields": ["state"]})
    assert audit.verify() == 3


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit WHERE id = 2"])
def test_no_entry_is_altered(desk: Desk, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        desk.connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody' WHERE id = 2",
        "DELETE FROM audit WHERE id = 2",
        "DELETE FROM audit WHERE id = 1",
        "DELETE FROM audit WHERE id = 3",
    ],
)
def test_what_was_altered_all_the_same_is_noticed(desk: Desk, statement: str) -> None:
    rewrite(desk.connection, statement)
    with pytest.raises(AuditBrokenError, match=r"from entry [12] on|what came after entry 2"):
        Audit(desk).verify()
