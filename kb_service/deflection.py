"""What became of suggestions on ticket forms: which were shown, opened, and solved it, so that no ticket was needed.

One session is one form being filled in. A deflection is confirmed where the requester says that an article solved it;
potential where an article was opened and, an hour later, no ticket has been submitted.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from indexer.errors import KnowledgeBaseError
from kb_service.desk import Desk

Event = Literal["shown", "opened", "solved", "submitted"]
GIVEN_UP = timedelta(hours=1)
_OWN = "SELECT 1 FROM suggestions WHERE id = ? AND caller IS ?"


class UnknownSuggestionError(KnowledgeBaseError):
    """There is no session of that id."""

    def __init__(self, suggestion_id: str) -> None:
        super().__init__(f"there is no suggestion '{suggestion_id}'", "Use the suggestion_id of POST /api/suggest")


@dataclass(frozen=True, slots=True)
class Deflection:
    """Sessions of a while, by what became of them."""

    since: datetime
    suggested: int
    shown: int
    opened: int
    submitted: int
    confirmed: int
    potential: int


class SuggestionSessions:
    """The suggestion sessions of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def suggested(self, session: str | None, caller: str | None = None) -> tuple[str, ...]:
        """The articles that a caller's session was suggested last, in order; none for one that is not known."""
        row = self._desk.connection.execute(
            "SELECT articles FROM suggestions WHERE id = ? AND caller IS ?", (session, caller)
        ).fetchone()
        return tuple(json.loads(row["articles"])) if row else ()

    def keep(self, session: str | None, text: str, articles: Sequence[str], caller: str | None = None) -> str:
        """Keep what was typed and suggested; gives the session's id, a new one where it has none yet."""
        now = datetime.now(UTC).isoformat()
        with self._desk.writing() as connection:
            known = connection.execute(_OWN, (session, caller)).fetchone()
            key = session if session and known else uuid.uuid4().hex
            connection.execute(
                "INSERT INTO suggestions (id, text, articles, at, caller) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET (text, articles) = (excluded.text, excluded.articles)",
                (key, text, json.dumps(list(articles)), now, caller),
            )
        return key

    def report(
        self,
        session: str,
        event: Event,
        *,
        article: str | None,
        revision: str | None,
        number: str | None,
        caller: str | None = None,
    ) -> None:
        """Record what a caller's form says happened. Raises UnknownSuggestionError."""
        with self._desk.writing() as connection:
            if connection.execute(_OWN, (session, caller)).fetchone() is None:
                raise UnknownSuggestionError(session)
            connection.execute(
                "INSERT INTO suggestion_events (suggestion_id, event, article, revision, number, at, caller)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (session, event, article, revision, number, datetime.now(UTC).isoformat(), caller),
            )

    def deflection(self, days: int) -> Deflection:
        """Count the sessions that began within the last days."""
        now = datetime.now(UTC)
        since = now - timedelta(days=days)
        rows = self._desk.connection.execute(
            "SELECT s.id, s.at, group_concat(e.event) AS events, max(e.at) AS latest FROM suggestions s"
            " LEFT JOIN suggestion_events e ON e.suggestion_id = s.id WHERE s.at >= ? GROUP BY s.id",
            (since.isoformat(),),
        ).fetchall()
        sessions = [(frozenset((row["events"] or "").split(",")), row["latest"] or row["at"]) for row in rows]

        def count(event: Event) -> int:
            return sum(event in events for events, _ in sessions)

        over = (now - GIVEN_UP).isoformat()
        potential = sum(
            "opened" in events and latest < over and events.isdisjoint({"solved", "submitted"})
            for events, latest in sessions
        )
        confirmed = sum("solved" in events and "submitted" not in events for events, _ in sessions)
        return Deflection(
            since, len(sessions), count("shown"), count("opened"), count("submitted"), confirmed, potential
        )
