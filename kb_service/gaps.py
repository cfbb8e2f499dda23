"""Knowledge gaps: what people looked for, did not find, and asked an article for."""

from dataclasses import dataclass
from datetime import UTC, datetime

from kb_service.desk import Desk

MOST_LETTERS = 2_000


@dataclass(frozen=True, slots=True)
class Gap:
    """A text that an article was asked for, as it was typed last, how many times, and when last."""

    text: str
    times: int
    at: datetime


class Gaps:
    """The gaps of a desk: facts that are added, never changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add(self, text: str, caller: str | None = None) -> None:
        """Ask for an article."""
        row = (text.strip()[:MOST_LETTERS], datetime.now(UTC).isoformat(), caller)
        with self._desk.writing() as connection:
            connection.execute("INSERT INTO gaps (text, at, caller) VALUES (?, ?, ?)", row)

    def latest(self, most: int) -> list[Gap]:
        """Different texts, the one asked for most often first, of as often the latest."""
        rows = self._desk.connection.execute(
            "SELECT text, count(*) AS times, max(id), max(at) AS at FROM gaps GROUP BY casefold(text)"
            " ORDER BY times DESC, max(id) DESC LIMIT ?",
            (most,),
        )
        return [Gap(row["text"], row["times"], datetime.fromisoformat(row["at"])) for row in rows]
