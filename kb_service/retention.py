"""What is personal is kept no longer than it is needed: searches, suggestions, comments, and old incidents."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kb_service.access import LOCAL
from kb_service.audit import note
from kb_service.desk import note_deletion
from kb_service.incident_index import IncidentIndex
from kb_service.incidents import Incidents


@dataclass(frozen=True, slots=True)
class Retention:
    """So many days each is kept; 0: for ever. Incidents count from when they were resolved and last changed."""

    searches: int = 90
    feedback: int = 365
    incidents: int = 0


@dataclass(frozen=True, slots=True)
class Expired:
    """How many of each were too old and are gone."""

    searches: int
    suggestions: int
    comments: int
    gaps: int
    runs: int
    incidents: int


def expire(incidents: Incidents, index: IncidentIndex, kept: Retention) -> Expired:
    """Delete what is too old, out of every file; what of it counts in the audit log, as figures."""
    now, desk = datetime.now(UTC), incidents.desk
    with desk.writing() as connection:
        searches, suggestions = _searches(connection, _before(now, kept.searches))
        comments = _comments(connection, _before(now, kept.feedback))
        gaps = connection.execute("DELETE FROM gaps WHERE at < ?", (_before(now, kept.searches),)).rowcount
        # One that an incident has is part of its record
        alone = "DELETE FROM runs WHERE number IS NULL AND at < ?"
        runs = connection.execute(alone, (_before(now, kept.feedback),)).rowcount
        told = {
            "searches": searches, "suggestions": suggestions, "comments": comments, "gaps": gaps, "runs": runs,
        }  # fmt: skip
        if any(told.values()):
            note(connection, LOCAL.id, "expired", "", told)
            note_deletion(connection)
    gone = incidents.erase_resolved_before(now - timedelta(days=kept.incidents)) if kept.incidents else []
    # Also what a process that was stopped meanwhile has left
    if index.owes_erasing():
        index.erase()
    if desk.has_deleted:
        desk.forget_deleted()
    return Expired(searches, suggestions, comments, gaps, runs, len(gone))


def _before(now: datetime, days: int) -> str:
    """Texts of times sort as these do; nothing is before the empty one."""
    return (now - timedelta(days=days)).isoformat() if days else ""


def _searches(connection: sqlite3.Connection, before: str) -> tuple[int, int]:
    searches = connection.execute("DELETE FROM searches WHERE at < ?", (before,)).rowcount
    connection.execute("DELETE FROM clicks WHERE search_id NOT IN (SELECT id FROM searches)")
    suggestions = connection.execute("DELETE FROM suggestions WHERE at < ?", (before,)).rowcount
    connection.execute("DELETE FROM suggestion_events WHERE suggestion_id NOT IN (SELECT id FROM suggestions)")
    return searches, suggestions


def _comments(connection: sqlite3.Connection, before: str) -> int:
    """A flag is its comment, so it goes; a vote stays, with nobody's name to it."""
    flags = connection.execute("DELETE FROM feedback WHERE verdict = 'flag' AND at < ?", (before,)).rowcount
    votes = connection.execute(
        "UPDATE feedback SET comment = '', caller = NULL WHERE at < ? AND (comment <> '' OR caller IS NOT NULL)",
        (before,),
    ).rowcount
    return flags + votes
