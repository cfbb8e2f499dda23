"""What people say of articles: append-only facts, each with the article's revision."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from kb_service.access import EVERYTHING, Sight
from kb_service.desk import Desk
from kb_service.incident_reading import CONCERN, UnknownIncidentError, concern_of

Verdict = Literal["helped", "not_helped", "flag"]


@dataclass(frozen=True, slots=True)
class Votes:
    """How many say that an article helped, and how many that it did not."""

    helped: int
    not_helped: int


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing said of an article: ``anchor`` names the paragraph's heading, ``number`` the incident at hand."""

    id: int
    article: str
    revision: str
    verdict: Verdict
    comment: str
    anchor: str
    number: str | None
    at: datetime


class Feedback:
    """The facts of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add(
        self,
        article: str,
        revision: str,
        verdict: Verdict,
        *,
        comment: str = "",
        anchor: str = "",
        number: str | None = None,
        caller: str | None = None,
    ) -> Fact:
        """Record what somebody says of an article. Raises UnknownIncidentError."""
        now = datetime.now(UTC)
        with self._desk.writing() as connection:
            if number is not None:
                row = connection.execute("SELECT number FROM incidents WHERE number = ?", (number,)).fetchone()
                if row is None:
                    raise UnknownIncidentError(number)
                number = str(row["number"])
            key = connection.execute(
                "INSERT INTO feedback (article, revision, verdict, comment, anchor, number, at, caller)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (article, revision, verdict, comment, anchor, number, now.isoformat(), caller),
            ).lastrowid
        return Fact(int(key or 0), article, revision, verdict, comment, anchor, number, now)

    def votes(self, ids: Sequence[str], sight: Sight = EVERYTHING) -> Votes:
        """Of an article by its ids, now and before. The last word about an incident counts, and the last of a person.

        A key may be of many, so each of its votes counts. What was said about incidents that one does not see is not
        heard.
        """
        rows = self._desk.connection.execute(
            "SELECT verdict, max(id) FROM feedback f WHERE verdict <> 'flag'"
            " AND article IN (SELECT value FROM json_each(:ids)) AND (:services IS NULL OR number IS NULL"
            f" OR EXISTS (SELECT 1 FROM incidents i WHERE i.number = f.number AND {CONCERN}))"
            " GROUP BY coalesce(number, CASE WHEN caller LIKE 'oidc:%' THEN caller END, id)",
            {"ids": json.dumps(list(ids)), **concern_of(sight)},
        ).fetchall()
        helped = sum(row["verdict"] == "helped" for row in rows)
        return Votes(helped, len(rows) - helped)

    def flags(self, ids: Iterable[str] | None = None) -> list[Fact]:
        """What was flagged, latest first; of some articles or of all."""
        every = ids is None
        rows = self._desk.connection.execute(
            "SELECT id, article, revision, verdict, comment, anchor, number, at FROM feedback WHERE verdict = 'flag'"
            " AND (:every OR article IN (SELECT value FROM json_each(:ids))) ORDER BY id DESC",
            {"every": every, "ids": json.dumps([] if ids is None else list(ids))},
        )
        return [_fact(row) for row in rows]


def _fact(row: sqlite3.Row) -> Fact:
    return Fact(**{**dict(row), "at": datetime.fromisoformat(row["at"])})
