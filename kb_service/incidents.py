"""The records of the desk: put, changed, erased. A write is whole and on disk, or not there at all."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from indexer.errors import KnowledgeBaseError
from indexer.progress import in_batches
from kb_service.access import LOCAL, Caller, NotForCallerError, Sight
from kb_service.audit import note
from kb_service.desk import Desk, next_change
from kb_service.erasing import erase
from kb_service.incident import (
    FIELDS,
    MOST_LETTERS_SHORT,
    FieldProblem,
    Incident,
    InvalidIncidentError,
    incident_of,
    inconsistencies,
    leads_to,
)
from kb_service.incident_reading import IS_OPEN, IncidentReader, UnknownIncidentError
from kb_service.incident_rows import PUT, Recorded, recorded_of, stamp, values_of
from kb_service.vocabulary import priority_of

_BATCH = 200
_ERASE_BATCH = 5


class ChangedMeanwhileError(KnowledgeBaseError):
    """The record is not of the version that the writer has seen."""


@dataclass(frozen=True, slots=True)
class LineReport:
    """What became of one line of many: its line from 1, and why it was refused, if it was.

    The number is that of the record, of a refused one what stands on the line.
    """

    line: int
    number: str
    status: Literal["created", "updated", "unchanged", "refused"]
    problem: str = ""


Given = tuple[int, Mapping[str, Any] | str]
"""One of many: its line, and its fields or what is wrong with it already."""


class Incidents(IncidentReader):
    """The records of a desk. ``on_change`` is called after every commit, so that whoever follows need not look."""

    def __init__(self, desk: Desk, on_change: Callable[[], None] = lambda: None) -> None:
        super().__init__(desk)
        self.on_change = on_change

    def put(self, values: Mapping[str, Any], seen: int | None = None, *, by: Caller = LOCAL) -> Recorded:
        """Put a whole record in place of what was there under its number; ``seen`` is the version that was read.

        Raises InvalidIncidentError, ChangedMeanwhileError, NotForCallerError.
        """
        given = incident_of(values)
        with self.desk.writing() as connection:
            before = self.get(given.number)
            recorded = self._put(connection, given, before, by, seen)
        self.on_change()
        return recorded

    def change(
        self, number: str, values: Mapping[str, Any], seen: int | None = None, *, by: Caller = LOCAL
    ) -> Recorded:
        """Change some fields of a record; impact or urgency carry the priority along unless it is given.

        Raises UnknownIncidentError, InvalidIncidentError, ChangedMeanwhileError, NotForCallerError.
        """
        with self.desk.writing() as connection:
            before = self.existing(number, by.sight)
            _expect(seen, before)
            old = before.incident
            # Its times stay as they are, also where the clock was set back and they are ahead now
            kept = {name: getattr(old, name) for name in FIELDS if name not in {"opened_at", "resolved_at"}}
            merged = {**kept, **old.extra, **values}
            if not {"impact", "urgency"}.isdisjoint(values) and "priority" not in values:
                merged["priority"] = None
            blank = [name for name in ("kind", "state") if values.get(name, name) in (None, "")]
            if blank:
                raise InvalidIncidentError(tuple(FieldProblem(name, "cannot be blank") for name in blank))
            if str(merged["number"]).casefold() != old.number.casefold():
                raise InvalidIncidentError((FieldProblem("number", "cannot be changed"),))
            recorded = self._put(connection, replace(incident_of(merged), number=old.number), before, by)
        self.on_change()
        return recorded

    def put_many(
        self, given: Sequence[Given], progress: Callable[[int], None] = lambda _done: None, *, by: Caller = LOCAL
    ) -> list[LineReport]:
        """Put many records, each by itself whole or refused. A number counts once, the first time."""
        reports: list[LineReport] = []
        lines: dict[str, int] = {}
        for done, batch in in_batches(given, _BATCH):
            with self.desk.writing() as connection:
                reports += [self._put_line(connection, line, values, lines, by) for line, values in batch]
            self.on_change()
            progress(done)
        return reports

    def erase(self, number: str, *, by: Caller = LOCAL) -> Incident:
        """Delete a record and everything recorded of it; what is left is that a record of that number was erased.

        Its index follows by itself; see ``IncidentIndex.erase``. Raises UnknownIncidentError.
        """
        with self.desk.writing() as connection:
            # Also one that is damaged
            found = self.get(number)
            if found is None:
                raise UnknownIncidentError(number)
            gone = found.incident
            erase(connection, gone, by)
            note(connection, by.id, "record erased", gone.number, {})
        self.desk.forget_deleted()
        self.on_change()
        return gone

    def erase_resolved_before(self, moment: datetime, *, by: Caller = LOCAL) -> list[str]:
        """Erase what was resolved, and not changed since, before a moment; gives the numbers.

        Where nobody said when it was resolved, its last change counts.
        """
        gone: list[str] = []
        # Each looks through all that was searched: all in one step would keep writers out for minutes
        while numbers := self._erase_some(moment, by):
            gone += numbers
            self.on_change()
        if gone:
            self.desk.forget_deleted()
        return gone

    def _erase_some(self, moment: datetime, by: Caller) -> list[str]:
        with self.desk.writing() as connection:
            rows = connection.execute(
                f"SELECT * FROM incidents WHERE NOT {IS_OPEN} AND coalesce(resolved_at, updated_at) < :before"
                " AND updated_at < :before ORDER BY number LIMIT :most",
                {"before": stamp(moment), "most": _ERASE_BATCH},
            ).fetchall()
            for row in rows:
                erase(connection, recorded_of(row).incident, by)
                note(connection, by.id, "record erased", row["number"], {"why": "retention"})
        return [row["number"] for row in rows]

    def _put_line(
        self,
        connection: sqlite3.Connection,
        line: int,
        values: Mapping[str, Any] | str,
        lines: dict[str, int],
        by: Caller,
    ) -> LineReport:
        if isinstance(values, str):
            return LineReport(line, "", "refused", values)
        number = str(values.get("number") or "").strip().encode("utf-8", "replace").decode()[:MOST_LETTERS_SHORT]
        key = number.casefold()
        if key and key in lines:
            return LineReport(line, number, "refused", f"number: '{number}' stands on line {lines[key]} already")
        try:
            given = incident_of(values)
            before = self.get(given.number)
            recorded = self._put(connection, given, before, by)
        except (InvalidIncidentError, NotForCallerError) as error:
            return LineReport(line, number, "refused", error.problem)
        lines[key] = line
        number = recorded.incident.number
        if recorded.created:
            return LineReport(line, number, "created")
        same = before is not None and before.version == recorded.version
        return LineReport(line, number, "unchanged" if same else "updated")

    def _put(
        self,
        connection: sqlite3.Connection,
        given: Incident,
        before: Recorded | None,
        by: Caller,
        seen: int | None = None,
    ) -> Recorded:
        """Write within the transaction; nothing where nothing changed.

        Raises InvalidIncidentError, ChangedMeanwhileError, NotForCallerError.
        """
        by.require_concern(before.incident.services if before else ())
        by.require_concern(given.services)
        _expect(seen, before)
        incident = _completed(given, before.incident if before else None)
        links = self._wrong_links(incident, before.incident if before else None, by.sight)
        problems = (*inconsistencies(incident), *links)
        if problems:
            raise InvalidIncidentError(problems)
        if before is not None and before.incident == incident:
            return before
        recorded = Recorded(incident, before.version + 1 if before else 1, _now(), created=before is None)
        # Of a number that comes back in another case the index has yet to forget the former
        connection.execute("DELETE FROM erased WHERE number = ? COLLATE BINARY", (incident.number,))
        connection.execute(PUT, values_of(recorded, next_change(connection)))
        action = "record changed" if before else "record created"
        note(connection, by.id, action, incident.number, {"version": recorded.version, **_changed(before, incident)})
        return recorded

    def _wrong_links(self, incident: Incident, before: Incident | None, sight: Sight) -> Iterator[FieldProblem]:
        """Loops, and links to what is of another kind; not those that stood before what they lead to.

        What the writer does not see is as if it were not there.
        """
        above, path = incident.parent_incident, [incident.number]
        while above is not None and above not in path[1:]:
            path.append(above)
            if leads_to(above, incident.number):
                yield FieldProblem("parent_incident", f"makes a loop: {' -> '.join(path)}")
                break
            parent = self.get(above, sight)
            above = parent.incident.parent_incident if parent else None
        for name in ("parent_incident", "problem_id"):
            link = getattr(incident, name)
            other = self.get(link, sight) if link and (before is None or getattr(before, name) != link) else None
            if other is not None and (other.incident.kind == "problem") != (name == "problem_id"):
                what = "no problem record" if name == "problem_id" else "a problem record: link it by problem_id"
                yield FieldProblem(name, f"{other.incident.number} is {what}")


def _completed(given: Incident, before: Incident | None) -> Incident:
    """With what follows from the rest: when it was opened and resolved, and its priority."""
    now = _now()
    resolved_at = None if given.is_open else given.resolved_at
    opened_at = given.opened_at or (before.opened_at if before else min(now, resolved_at or now))
    if resolved_at is None and before is not None and not given.is_open:
        # A clock that goes ahead may have opened it after now
        resolved_at = max(now, opened_at or now) if before.is_open else before.resolved_at
    return replace(
        given,
        number=before.number if before else given.number,
        priority=given.priority or priority_of(given.impact, given.urgency),
        opened_at=opened_at,
        resolved_at=resolved_at,
    )


def _changed(before: Recorded | None, now: Incident) -> dict[str, list[str]]:
    """The names of the fields that a change is of, for the audit log; never what they say."""
    if before is None:
        return {}
    old = before.incident
    names = [name for name in FIELDS if getattr(old, name) != getattr(now, name)]
    return {"fields": names + (["extra"] if old.extra != now.extra else [])}


def _expect(seen: int | None, before: Recorded | None) -> None:
    version = before.version if before else 0
    if seen is not None and seen != version:
        raise ChangedMeanwhileError(f"the record is at version {version}, not {seen}", "Read it again, then change it")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
