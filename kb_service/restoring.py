"""A backup put in the record's place: what it holds of records and facts, but nobody who was shut out gets in again.

Nor does what was erased since come back, nor what was kept about somebody who was forgotten since.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kb_service.access import Caller
from kb_service.audit import add, note
from kb_service.desk import Desk
from kb_service.erasing import erase
from kb_service.incident_rows import recorded_of
from kb_service.kept import FORGOTTEN, forget_within


@dataclass(slots=True)
class Restored:
    """What a restore came to: where the record as it was is ``kept``, and what of the backup was deleted once more.

    ``erased`` are the numbers of records, ``forgotten`` the ids of callers.
    """

    kept: Path
    erased: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)


def restore(desk: Desk, file: Path, by: Caller, *, as_it_is: bool = False) -> Restored:
    """Restore a backup. Raises DeskError, and nothing is changed then.

    A key that is revoked now stays revoked, one that was made since stays, and the audit log goes on from both.
    """
    restored = Restored(file)

    def carry_over(now: sqlite3.Connection, then: sqlite3.Connection) -> None:
        then.execute("BEGIN IMMEDIATE")
        _carry_keys(now, then)
        then.execute("DELETE FROM signed_in")
        since = _carry_audit(now, then)
        restored.forgotten = _forget_again(then, [subject for action, subject in since if action == FORGOTTEN], by)
        restored.erased = _erase_again(now, then, by)
        note(then, by.id, "record restored", file.name, {})
        then.execute("COMMIT")

    restored.kept = desk.restore(file, carry_over, as_it_is=as_it_is)
    if desk.has_deleted:
        desk.forget_deleted()
    return restored


def _carry_keys(now: sqlite3.Connection, then: sqlite3.Connection) -> None:
    for key in now.execute("SELECT * FROM keys").fetchall():
        names = key.keys()
        then.execute(
            f"INSERT INTO keys ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
            " ON CONFLICT (id) DO UPDATE SET revoked_at = coalesce(excluded.revoked_at, revoked_at),"
            " last_used_at = excluded.last_used_at",
            tuple(key),
        )


def _carry_audit(now: sqlite3.Connection, then: sqlite3.Connection) -> list[tuple[str, str]]:
    """Add the entries that the backup has not; gives the action and the subject of each."""
    entries = "SELECT at, actor, action, subject, detail FROM audit ORDER BY id"
    # By what it says: one that stands behind other entries there has another hash
    known = {tuple(row) for row in then.execute(entries)}
    new = [tuple(row) for row in now.execute(entries) if tuple(row) not in known]
    for row in new:
        add(then, *row)
    return [(action, subject) for _, _, action, subject, _ in new]


def _forget_again(then: sqlite3.Connection, callers: Sequence[str], by: Caller) -> list[str]:
    """Gives those of whom anything was there."""
    found = []
    for caller in dict.fromkeys(callers):
        gone = forget_within(then, caller)
        if any(gone.values()):
            note(then, by.id, FORGOTTEN, caller, gone)
            found.append(caller)
    return found


def _erase_again(now: sqlite3.Connection, then: sqlite3.Connection, by: Caller) -> list[str]:
    """Gives the numbers of those that were there."""
    found = []
    gone = "SELECT number FROM erased WHERE number NOT IN (SELECT number FROM incidents)"
    for (number,) in now.execute(gone).fetchall():
        row = then.execute("SELECT * FROM incidents WHERE number = ?", (number,)).fetchone()
        if row is not None:
            erase(then, recorded_of(row).incident, by)
            note(then, by.id, "record erased", row["number"], {"why": "erased before the restore"})
            found.append(row["number"])
    return found
