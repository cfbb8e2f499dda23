"""Which articles were attached to an incident, and which resolved it: facts that are added, never changed.

Each keeps the article's revision, so that what it said at the time can be asked for.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from indexer.catalogue import Catalogue
from kb_service.access import LOCAL, Caller
from kb_service.audit import note
from kb_service.desk import Desk
from kb_service.incident import instant
from kb_service.incident_reading import UnknownIncidentError
from kb_service.incident_rows import NO_TIME, time_of

Relation = Literal["attached", "resolved_by", "detached"]

_ADD = "INSERT INTO attachments (number, article, revision, relation, at, caller) VALUES (?, ?, ?, ?, ?, ?)"
_ACTIONS: Mapping[Relation, str] = {
    "attached": "article attached",
    "resolved_by": "article resolved it",
    "detached": "article detached",
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """An article as it was attached: how, at which revision, when."""

    number: str
    article: str
    revision: str
    relation: Relation
    at: datetime


class Attachments:
    """The attachments of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add(self, number: str, article: str, revision: str, relation: Relation, *, by: Caller = LOCAL) -> Attachment:
        """Attach an article, say that it resolved the incident, or take it back. Raises UnknownIncidentError."""
        with self._desk.writing() as connection:
            row = connection.execute("SELECT number FROM incidents WHERE number = ?", (number,)).fetchone()
            if row is None:
                raise UnknownIncidentError(number)
            now = datetime.now(UTC)
            connection.execute(_ADD, (row["number"], article, revision, relation, now.isoformat(), by.id))
            note(connection, by.id, _ACTIONS[relation], row["number"], {"article": article, "revision": revision})
        return Attachment(row["number"], article, revision, relation, now)

    def add_given(self, given: Mapping[str, Any], catalogue: Catalogue) -> list[str]:
        """Attach what records of a file bring along, by number, but for what is attached already.

        Each is ``{"article": id, "resolved_by": bool, "revision": …, "at": …}``; without a revision it gets the one
        that the article has now. Gives what was left out, in sentences.
        """
        there = {(one.number, one.article) for of in self.of_incidents(given).values() for one in of}
        problems: list[str] = []
        facts: list[tuple[str, str, str, Relation, str, str]] = []
        for number, articles in given.items():
            for one in articles if isinstance(articles, list) else ():
                said: Mapping[str, Any] = one if isinstance(one, dict) else {"article": one}
                article = str(said.get("article") or said.get("id") or "")
                knowledge = catalogue.get(article)
                revision = said.get("revision") or (knowledge and knowledge.revision)
                name = knowledge.id if knowledge else article
                if not revision:
                    problems.append(f"{number}: there is no article '{article}', so it is not attached")
                    continue
                try:
                    at = _when(said.get("at"))
                except ValueError as error:
                    problems.append(f"{number}: '{article}' is not attached: at: {error}")
                    continue
                if (number, name) not in there:
                    relation: Relation = "resolved_by" if said.get("resolved_by") else "attached"
                    facts.append((number, name, str(revision), relation, at.isoformat(), LOCAL.id))
        if facts:
            with self._desk.writing() as connection:
                connection.executemany(_ADD, facts)
                for number, name, revision, relation, _, _ in facts:
                    note(connection, LOCAL.id, _ACTIONS[relation], number, {"article": name, "revision": revision})
        return problems

    def used(self, ids: Iterable[str], revision: str) -> str | None:
        """The whole name of a revision at which an article, by its ids now and before, was ever attached."""
        row = self._desk.connection.execute(
            "SELECT revision FROM attachments WHERE article IN (SELECT value FROM json_each(?))"
            " AND substr(revision, 1, ?) = ? LIMIT 1",
            (json.dumps(list(ids)), len(revision), revision),
        ).fetchone()
        return None if row is None else str(row["revision"])

    def of_incidents(self, numbers: Iterable[str]) -> dict[str, list[Attachment]]:
        """What is attached to each of these, oldest first, by number."""
        found: dict[str, list[Attachment]] = {}
        for one in self._current("number", list(numbers)):
            found.setdefault(one.number, []).append(one)
        return found

    def of_articles(self, ids: Iterable[str]) -> list[Attachment]:
        """Where articles are attached, latest first; ``ids`` are those of an article now and before."""
        return self._current("article", list(ids))[::-1]

    def _current(self, column: str, values: Sequence[str]) -> list[Attachment]:
        """The last fact of each incident and article, unless that took it back."""
        rows = self._desk.connection.execute(
            "SELECT number, article, revision, relation, at, max(id) FROM attachments"
            f" WHERE {column} IN (SELECT value FROM json_each(?)) GROUP BY number, article ORDER BY max(id)",
            (json.dumps(values),),
        )
        every = (
            Attachment(row["number"], row["article"], row["revision"], row["relation"], time_of(row["at"]) or NO_TIME)
            for row in rows
        )
        return [one for one in every if one.relation != "detached"]


def _when(said: object) -> datetime:
    """When something was attached: now, where nobody says. Raises ValueError."""
    at = instant(said)
    if at is None:
        return datetime.now(UTC)
    if not isinstance(at, datetime):
        raise ValueError(f"'{at}' is no date and time such as 2026-03-14T08:30:00Z")
    return at
