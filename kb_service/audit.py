"""Who changed what, and when: added in the same transaction as the change, never altered.

Entries are chained, each by the hash of the one before it, so that one that was taken out or rewritten is noticed,
unless the whole file was written anew. They name records, keys and articles, never what records and searches say: that
can be erased, while this stays.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from indexer.errors import KnowledgeBaseError
from kb_service.desk import Desk


class AuditBrokenError(KnowledgeBaseError):
    """An entry of the audit log is not as it was written, or one is missing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: who made it, what it was, and of which record, key or revision."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


def note(connection: sqlite3.Connection, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Add an entry, inside the transaction of the change."""
    add(connection, datetime.now(UTC).isoformat(), actor, action, subject, json.dumps(detail, sort_keys=True))


def add(connection: sqlite3.Connection, *row: str) -> None:
    """Add an entry as its columns stand: at, actor, action, subject, detail."""
    last = connection.execute("SELECT hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    connection.execute(
        "INSERT INTO audit (at, actor, action, subject, detail, hash) VALUES (?, ?, ?, ?, ?, ?)",
        (*row, _hash(bytes(last[0]) if last else b"", row)),
    )


class Audit:
    """The audit log of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def entries(
        self, *, since: datetime | None = None, actor: str | None = None, subject: str | None = None, most: int = 1000
    ) -> list[Entry]:
        """The latest entries first."""
        rows = self._desk.connection.execute(
            "SELECT * FROM audit WHERE at >= :since AND (:actor IS NULL OR actor = :actor)"
            " AND (:subject IS NULL OR subject = :subject COLLATE NOCASE) ORDER BY id DESC LIMIT :most",
            {"since": since.isoformat() if since else "", "actor": actor, "subject": subject, "most": most},
        )
        return [_entry(row) for row in rows]

    def verify(self) -> int:
        """How many entries there are, each as it was written and after the one before. Raises AuditBrokenError."""
        with self._desk.reading() as connection:
            return verify(connection)


def verify(connection: sqlite3.Connection) -> int:
    """The same by a connection of any kind."""
    broken, count, before = "Compare it with a backup", 0, b""
    # SQLite's own count of what was ever added tells of entries missing at the end
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    for entry in connection.execute("SELECT id, at, actor, action, subject, detail, hash FROM audit ORDER BY id"):
        if entry[0] != count + 1 or bytes(entry[6]) != _hash(before, tuple(entry)[1:6]):
            raise AuditBrokenError(f"the audit log is not as it was written from entry {count + 1} on", broken)
        count, before = count + 1, bytes(entry[6])
    if count != (row[0] if row else 0):
        raise AuditBrokenError(f"the audit log lacks what came after entry {count}", broken)
    return count


def _hash(before: bytes, row: tuple[Any, ...]) -> bytes:
    return hashlib.sha256(before + json.dumps(row).encode()).digest()


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        row["id"], datetime.fromisoformat(row["at"]), row["actor"], row["action"], row["subject"],
        json.loads(row["detail"]),
    )  # fmt: skip
