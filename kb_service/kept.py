"""What is kept about one caller: everything in the record that names it, and the records that name a person."""

import json
import re
import sqlite3
import unicodedata
from collections.abc import Mapping
from typing import Any

from kb_service.access import Caller
from kb_service.audit import note
from kb_service.desk import Desk, note_deletion
from kb_service.incident_rows import fields_of, recorded_of
from kb_service.person_fields import naming_persons
from kb_service.signed_in import OF_CALLER, ids_of

# Between several people in one text, and between a name and its address
_BETWEEN = re.compile(r"[;,|\n<>()]")
_TABLES: Mapping[str, str] = {
    "searches": "SELECT id, at, channel, text, number, articles FROM searches WHERE caller = :caller ORDER BY id",
    "opened": "SELECT at, search_id, article, revision FROM clicks WHERE caller = :caller ORDER BY id",
    "suggestions": "SELECT id, at, text, articles FROM suggestions WHERE caller = :caller ORDER BY at",
    "suggestion_events": (
        "SELECT at, suggestion_id, event, article, revision, number FROM suggestion_events WHERE caller = :caller"
        " ORDER BY id"
    ),
    "feedback": (
        "SELECT at, article, revision, verdict, comment, anchor, number FROM feedback WHERE caller = :caller"
        " ORDER BY id"
    ),
    "gaps": "SELECT at, text FROM gaps WHERE caller = :caller ORDER BY id",
    "runs": (
        "SELECT id, at, ended_at, number, article, title, revision, name, fields, steps, done FROM runs"
        " WHERE caller = :caller ORDER BY at"
    ),
    "attachments": "SELECT at, number, article, revision, relation FROM attachments WHERE caller = :caller ORDER BY id",
    "keys": (
        "SELECT id, name, role, services, groups, origins, created_at, created_by, expires_at, revoked_at, last_used_at"
        " FROM keys WHERE id = :key OR created_by = :caller ORDER BY created_at, id"
    ),
    "signed_in": f"SELECT at, key, person, browser FROM signed_in WHERE {OF_CALLER} ORDER BY at",
    "changes": (
        "SELECT at, actor, action, subject, detail FROM audit WHERE actor = :caller OR subject IN (:caller, :key)"
        " ORDER BY id"
    ),
}
# As the audit log has it
FORGOTTEN = "caller forgotten"
_JSON = frozenset({"articles", "services", "groups", "origins", "person", "detail", "fields", "steps", "done"})


def kept_about(desk: Desk, caller: str) -> dict[str, Any]:
    """All that was kept of a caller and of what it did, by its id (``key:…``, ``oidc:…``)."""
    with desk.reading() as connection:
        rows = {name: connection.execute(query, ids_of(caller)).fetchall() for name, query in _TABLES.items()}
    return {"caller": caller, **{name: [_told(row) for row in of_it] for name, of_it in rows.items()}}


def records_naming(desk: Desk, person: str) -> list[dict[str, Any]]:
    """The records with a field that names a person to the letter, whatever the case, whole."""
    wanted = _plain(person)
    found = []
    for row in desk.connection.execute("SELECT * FROM incidents ORDER BY number"):
        fields = fields_of(recorded_of(row).incident)
        if any(wanted in _texts_in(value) for value in naming_persons(fields)):
            found.append(fields)
    return found


def forget(desk: Desk, caller: str, by: Caller) -> dict[str, int]:
    """Delete what a caller searched and was suggested, and take it off what else it did; gives how many of each.

    Where it is signed in, it is no more. The audit log stays as it is: it says what was changed by whom, never what was
    asked.
    """
    with desk.writing() as connection:
        gone = forget_within(connection, caller)
        note(connection, by.id, FORGOTTEN, caller, gone)
    desk.forget_deleted()
    return gone


def forget_within(connection: sqlite3.Connection, caller: str) -> dict[str, int]:
    """The same within a transaction, without word of it in the audit log and before the desk forgets the bytes."""

    def changed(statement: str) -> int:
        return connection.execute(statement, ids_of(caller)).rowcount

    gone = {
        table: changed(f"DELETE FROM {table} WHERE caller = :caller")
        for table in ("searches", "clicks", "suggestions", "suggestion_events", "gaps")
    }
    gone["feedback"] = changed("DELETE FROM feedback WHERE caller = :caller AND verdict = 'flag'")
    gone["feedback"] += changed("UPDATE feedback SET comment = '', caller = NULL WHERE caller = :caller")
    # One that an incident has is part of its record
    gone["runs"] = changed("DELETE FROM runs WHERE caller = :caller AND number IS NULL")
    gone["runs"] += changed("UPDATE runs SET caller = NULL, name = '' WHERE caller = :caller")
    gone["attachments"] = changed("UPDATE attachments SET caller = NULL WHERE caller = :caller")
    gone["signed_in"] = changed(f"DELETE FROM signed_in WHERE {OF_CALLER}")
    note_deletion(connection)
    return gone


def _told(row: sqlite3.Row) -> dict[str, Any]:
    values = dict(row)
    return {name: json.loads(value) if name in _JSON and value else value for name, value in values.items()}


def _texts_in(value: Any) -> set[str]:
    """The texts of a field's value: of an object with id, name and address each, of a list of people each and all."""
    if isinstance(value, Mapping):
        return {name for one in value.values() for name in _texts_in(one)}
    if isinstance(value, list | tuple):
        return {name for one in value for name in _texts_in(one)}
    text = "" if value is None else str(value)
    return {plain for part in (text, *_BETWEEN.split(text)) if (plain := _plain(part))}


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
