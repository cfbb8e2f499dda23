"""What is kept about one caller: everything in the record that names it, and the records that name a person."""

from collections.abc import Mapping
from typing import Any

from kb_service.access import Caller
from kb_service.audit import note
from kb_service.desk import Desk
from kb_service.incident_rows import fields_of, recorded_of
from kb_service.person_fields import holds_person

_TABLES: Mapping[str, str] = {
    "searches": "SELECT at, channel, text, number, articles FROM searches WHERE caller = ? ORDER BY id",
    "opened": "SELECT at, search_id, article, revision FROM clicks WHERE caller = ? ORDER BY id",
    "suggestions": "SELECT id, at, text, articles FROM suggestions WHERE caller = ? ORDER BY at",
    "suggestion_events": (
        "SELECT at, suggestion_id, event, article, number FROM suggestion_events WHERE caller = ? ORDER BY id"
    ),
    "feedback": (
        "SELECT at, article, revision, verdict, comment, anchor, number FROM feedback WHERE caller = ? ORDER BY id"
    ),
    "attachments": "SELECT at, number, article, revision, relation FROM attachments WHERE caller = ? ORDER BY id",
    "changes": "SELECT at, action, subject FROM audit WHERE actor = ? ORDER BY id",
}


def kept_about(desk: Desk, caller: str) -> dict[str, Any]:
    """All that was kept of what a caller did, by its id (``key:…``, ``oidc:…``)."""
    with desk.reading() as connection:
        rows = {name: connection.execute(query, (caller,)).fetchall() for name, query in _TABLES.items()}
    return {"caller": caller, **{name: [dict(row) for row in of_it] for name, of_it in rows.items()}}


def records_naming(desk: Desk, person: str) -> list[dict[str, Any]]:
    """The records with a field that names a person to the letter, whatever the case, whole."""
    wanted = person.strip().casefold()
    found = []
    for row in desk.connection.execute("SELECT * FROM incidents ORDER BY number"):
        fields = fields_of(recorded_of(row).incident)
        if any(holds_person(name) and wanted in _names_in(value) for name, value in fields.items()):
            found.append(fields)
    return found


def forget(desk: Desk, caller: str, by: Caller) -> dict[str, int]:
    """Delete what a caller searched and was suggested, and take it off what else it did; gives how many of each.

    The audit log stays as it is: it says what was changed by whom, never what was asked.
    """
    with desk.writing() as connection:
        gone = {
            table: connection.execute(f"DELETE FROM {table} WHERE caller = ?", (caller,)).rowcount
            for table in ("searches", "clicks", "suggestions", "suggestion_events")
        }
        gone["feedback"] = connection.execute(
            "DELETE FROM feedback WHERE caller = ? AND verdict = 'flag'", (caller,)
        ).rowcount
        gone["feedback"] += connection.execute(
            "UPDATE feedback SET comment = '', caller = NULL WHERE caller = ?", (caller,)
        ).rowcount
        gone["attachments"] = connection.execute(
            "UPDATE attachments SET caller = NULL WHERE caller = ?", (caller,)
        ).rowcount
        note(connection, by.id, "caller forgotten", caller, gone)
    desk.forget_deleted()
    return gone


def _names_in(value: Any) -> set[str]:
    """The texts of a field's value, also of an object that says id, name and address."""
    if isinstance(value, Mapping):
        return {name for one in value.values() for name in _names_in(one)}
    if isinstance(value, list | tuple):
        return {name for one in value for name in _names_in(one)}
    return {str(value).strip().casefold()} if value is not None else set()
