"""What was searched for, what was shown, and what of it was opened: append-only facts, for as long as they are kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from indexer.errors import KnowledgeBaseError
from kb_service.desk import Desk

Channel = Literal["search", "suggest", "triage"]
# Who has paused for longer has asked
_STILL_TYPING = timedelta(minutes=1)


class UnknownSearchError(KnowledgeBaseError):
    """There is no search of that id."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A text that was searched for, as it was typed last, and how many times."""

    text: str
    times: int


class Searches:
    """The searches of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def keep(
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

    def click(self, search_id: int, article: str, revision: str, caller: str | None = None) -> None:
        """Record which article of a caller's search was opened. Raises UnknownSearchError."""
        with self._desk.writing() as connection:
            own = "SELECT 1 FROM searches WHERE id = ? AND caller IS ?"
            if connection.execute(own, (search_id, caller)).fetchone() is None:
                raise UnknownSearchError(f"there is no search {search_id}", "Use the search_id of GET /api/search")
            connection.execute(
                "INSERT INTO clicks (search_id, article, revision, at, caller) VALUES (?, ?, ?, ?, ?)",
                (search_id, article, revision, datetime.now(UTC).isoformat(), caller),
            )

    def since(self, since: datetime, most: int) -> list[Searched]:
        """Different texts that were searched for, or triaged without a record; the latest ones, latest first."""
        rows = self._desk.connection.execute(
            "SELECT text, max(id) AS last, count(*) AS times FROM searches WHERE at >= ? AND number IS NULL"
            " GROUP BY lower(trim(text)) HAVING trim(text) <> '' ORDER BY last DESC LIMIT ?",
            (since.isoformat(), most),
        )
        return [Searched(row["text"], row["times"]) for row in rows]
