"""Where a caller is signed in to the pages: the browsers by name, and how each of their sessions is ended from afar."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from kb_service.audit import note
from kb_service.desk import Desk

# The rows of a caller, by its id and by that of its key
OF_CALLER = "(key = :key OR json_extract(person, '$.id') = :caller)"
# Each says that it is those further down as well
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One session: ``mark`` tells it from the others of its caller, and is not its id; ``browser`` may be empty."""

    mark: str
    browser: str
    at: datetime


def browser_named(user_agent: str) -> str:
    """A browser and its system as people call them, "Firefox on Windows"; empty where it is neither known."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return f"{browser} on {system}" if browser and system else browser or system


def mark_of(session_id: str) -> str:
    """What a page calls a session by: nobody learns its id from it."""
    return hashlib.sha256(session_id.encode()).hexdigest()[:16]


def sessions_of(desk: Desk, caller: str, since: datetime) -> list[SignedIn]:
    """A caller's sessions that began since then, the latest first."""
    rows = desk.connection.execute(
        f"SELECT id, browser, at FROM signed_in WHERE {OF_CALLER} AND at >= :since ORDER BY at DESC, id",
        {**ids_of(caller), "since": since.isoformat()},
    )
    return [SignedIn(mark_of(id_), browser, datetime.fromisoformat(at)) for id_, browser, at in rows]


def end_session(desk: Desk, caller: str, mark: str) -> None:
    """End the session of a caller that has this mark. Nothing where none has."""
    with desk.writing() as connection:
        rows = connection.execute(f"SELECT id FROM signed_in WHERE {OF_CALLER}", ids_of(caller)).fetchall()
        ended = [(id_,) for (id_,) in rows if mark_of(id_) == mark]
        connection.executemany("DELETE FROM signed_in WHERE id = ?", ended)
        if ended:
            note(connection, caller, "signed out", caller, {"sessions": len(ended)})


def end_sessions(desk: Desk, caller: str, by: str) -> int:
    """Have a caller sign in anew, wherever it is signed in; gives in how many browsers it was."""
    with desk.writing() as connection:
        count = connection.execute(f"DELETE FROM signed_in WHERE {OF_CALLER}", ids_of(caller)).rowcount
        note(connection, by, "signed out everywhere", caller, {"sessions": count})
    return count


def ids_of(caller: str) -> dict[str, str | None]:
    """A caller's id, and that of its key, for the queries."""
    return {"caller": caller, "key": caller.removeprefix("key:") if caller.startswith("key:") else None}
