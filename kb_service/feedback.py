"""What people say of articles and what they did with them: append-only facts, each with the article's revision."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from indexer.errors import KnowledgeBaseError
from kb_service.access import EVERYTHING, Sight
from kb_service.desk import Desk
from kb_service.incident_reading import CONCERN, UnknownIncidentError, concern_of

Verdict = Literal["helped", "not_helped", "flag"]
Channel = Literal["search", "suggest", "triage"]
# Who has paused for longer has asked
_STILL_TYPING = timedelta(minutes=1)


class UnknownSearchError(KnowledgeBaseError):
    """There is no search of that id."""


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


@dataclass(frozen=True, slots=True)
class Searched:
    """A text that was searched for, as it was typed last, and how many times."""

    text: str
    times: int


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

    def clicked(self, search_id: int, article: str, revision: str, caller: str | None = None) -> None:
        """Record which article of a caller's search was opened. Raises UnknownSearchError."""
        with self._desk.writing() as connection:
            own = "SELECT 1 FROM searches WHERE id = ? AND caller IS ?"
            if connection.execute(own, (search_id, caller)).fetchone() is None:
                raise UnknownSearchError(f"there is no search {search_id}", "Use the search_id of GET /api/search")
            connection.execute(
                "INSERT INTO clicks (search_id, article, revision, at, caller) VALUES (?, ?, ?, ?, ?)",
                (search_id, article, revision, datetime.now(UTC).isoformat(), caller),
            )

    def flags(self, ids: Iterable[str] | None = None) -> list[Fact]:
        """What was flagged, latest first; of some articles or of all."""
        every = ids is None
        rows = self._desk.connection.execute(
            "SELECT id, article, revision, verdict, comment, anchor, number, at FROM feedback WHERE verdict = 'flag'"
            " AND (:every OR article IN (SELECT value FROM json_each(:ids))) ORDER BY id DESC",
            {"every": every, "ids": json.dumps([] if ids is None else list(ids))},
        )
        return [_fact(row) for row in rows]

    def searched_since(self, since: datetime, most: int) -> list[Searched]:
        """Different texts that were searched for, or triaged without a record; the latest ones, latest first."""
        rows = self._desk.connection.execute(
            "SELECT text, max(id) AS last, count(*) AS times FROM searches WHERE at >= ? AND number IS NULL"
            " GROUP BY lower(trim(text)) HAVING trim(text) <> '' ORDER BY last DESC LIMIT ?",
            (since.isoformat(), most),
        )
        return [Searched(row["text"], row["times"]) for row in rows]

    def searched(
        self,
        channel: Channel,
        text: str,
        articles: Sequence[str],
        number: str | None = None,
        caller: str | None = None,
        continues: int | None = None,
    ) -> int | None:
        """Keep what was asked and which articles were shown; gives the search's id.

        ``continues`` is a caller's search a moment ago that this one goes on from, letter by letter: it is put in its
        place. Never in an answer's way: dropped when all is busy.
        """
        now = datetime.now(UTC)
        row = (channel, text, number, json.dumps(articles), now.isoformat(), caller)
        kept: list[int | None] = []
        with self._desk.in_passing() as connection:
            # One from which something was opened was a search by itself
            again = connection.execute(
                "UPDATE searches SET text = ?, articles = ?, at = ? WHERE id = ? AND caller IS ? AND channel = ?"
                " AND at > ? AND (instr(?, text) = 1 OR instr(text, ?) = 1)"
                " AND NOT EXISTS (SELECT 1 FROM clicks WHERE search_id = searches.id)",
                (text, row[3], row[4], continues, caller, channel, (now - _STILL_TYPING).isoformat(), text, text),
            )
            if again.rowcount:
                return continues
            inserted = connection.execute(
                "INSERT INTO searches (channel, text, number, articles, at, caller) VALUES (?, ?, ?, ?, ?, ?)", row
            )
            kept.append(inserted.lastrowid)
        return kept[0] if kept else None


def _fact(row: sqlite3.Row) -> Fact:
    return Fact(**{**dict(row), "at": datetime.fromisoformat(row["at"])})
