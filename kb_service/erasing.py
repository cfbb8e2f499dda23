"""Everything that desk.db holds of a record, deleted. Its index follows by itself; see ``IncidentIndex.erase``."""

import sqlite3

from kb_service.access import Caller
from kb_service.audit import note
from kb_service.desk import next_change, note_deletion
from kb_service.incident import Incident

# A search log may hold the ticket, or its beginning as it was typed; a word or two of it tell nothing of the ticket
_LONG_ENOUGH_TO_TELL = 12


def erase(connection: sqlite3.Connection, gone: Incident, by: Caller) -> None:
    """Delete a record and its facts, within the caller's transaction; its number stays, as that of an erased one."""
    _erase_facts(connection, gone)
    for column in ("parent_incident", "problem_id"):
        linked = connection.execute(f"SELECT number FROM incidents WHERE {column} = ?", (gone.number,)).fetchall()
        for (other,) in linked:
            connection.execute(
                f"UPDATE incidents SET {column} = NULL, version = version + 1, change = ? WHERE number = ?",
                (next_change(connection), other),
            )
            note(connection, by.id, "record changed", other, {"fields": [column]})
    connection.execute("DELETE FROM incidents WHERE number = ?", (gone.number,))
    note_deletion(connection)
    connection.execute(
        "INSERT OR REPLACE INTO erased (number, change) VALUES (?, ?)", (gone.number, next_change(connection))
    )


def _erase_facts(connection: sqlite3.Connection, gone: Incident) -> None:
    """What was asked on behalf of a record, and what was said of it: by its number, and by its words."""
    sessions = connection.execute("SELECT suggestion_id FROM suggestion_events WHERE number = ?", (gone.number,))
    for (session,) in sessions.fetchall():
        connection.execute("DELETE FROM suggestion_events WHERE suggestion_id = ?", (session,))
        connection.execute("DELETE FROM suggestions WHERE id = ?", (session,))
    for table in ("attachments", "feedback", "runs"):
        connection.execute(f"DELETE FROM {table} WHERE number = ?", (gone.number,))
    said = [text for text in (gone.short_description, gone.description) if len(text) >= _LONG_ENOUGH_TO_TELL]
    for table in ("searches", "suggestions", "gaps"):
        for text in said:
            # The whole of it somewhere in what was asked, or its beginning, as it was typed: compared only there, since
            # each record is compared with all that was ever asked
            connection.execute(
                f"DELETE FROM {table} WHERE instr(lower(text), lower(:said))"
                " OR (length(text) >= :long AND substr(lower(:said), 1, length(text)) = lower(text))",
                {"said": text, "long": _LONG_ENOUGH_TO_TELL},
            )
    connection.execute("DELETE FROM searches WHERE number = ?", (gone.number,))
    connection.execute("DELETE FROM clicks WHERE search_id NOT IN (SELECT id FROM searches)")
