"""A backup put in the record's place: what it holds of records and facts, but nobody who was shut out gets in again."""

import sqlite3
from pathlib import Path

from kb_service.access import Caller
from kb_service.audit import add, note
from kb_service.desk import Desk


def restore(desk: Desk, file: Path, by: Caller, *, as_it_is: bool = False) -> Path:
    """Restore a backup; gives where the record as it was is kept. Raises DeskError, and nothing is changed then.

    A key that is revoked now stays revoked, one that was made since stays, and the audit log goes on from both.
    """

    def carry_over(now: sqlite3.Connection, then: sqlite3.Connection) -> None:
        then.execute("BEGIN IMMEDIATE")
        for key in now.execute("SELECT * FROM keys").fetchall():
            names = key.keys()
            then.execute(
                f"INSERT INTO keys ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
                " ON CONFLICT (id) DO UPDATE SET revoked_at = coalesce(excluded.revoked_at, revoked_at),"
                " last_used_at = excluded.last_used_at",
                tuple(key),
            )
        then.execute("DELETE FROM signed_in")
        entries = "SELECT at, actor, action, subject, detail FROM audit ORDER BY id"
        # By what it says: one that stands behind other entries there has another hash
        known = {tuple(row) for row in then.execute(entries)}
        for row in now.execute(entries).fetchall():
            if tuple(row) not in known:
                add(then, *row)
        note(then, by.id, "record restored", file.name, {})
        then.execute("COMMIT")

    return desk.restore(file, carry_over, as_it_is=as_it_is)
