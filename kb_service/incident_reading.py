"""The records of the desk as they are read: one by its number, some by what they are, those below another."""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from indexer.errors import KnowledgeBaseError
from kb_service.access import EVERYTHING, Sight
from kb_service.desk import Desk
from kb_service.desk_check import DeskError
from kb_service.desk_sums import is_as_written
from kb_service.incident import NUMBER, Incident
from kb_service.incident_rows import NO_TIME, Recorded, recorded_of, stamp, time_of
from kb_service.vocabulary import OPEN_STATES, Kind

IS_OPEN = f"state IN ({', '.join(repr(state) for state in OPEN_STATES)})"
# So many are read at a time, so that writers are not held up
_PAGE = 200
# What one sees: records of one's services, and of none
CONCERN = "(:services IS NULL OR service IS NULL OR casefold(service) IN (SELECT value FROM json_each(:services)))"


def concern_of(sight: Sight) -> dict[str, str | None]:
    services = sight.services
    return {"services": None if services is None else json.dumps(sorted(one.casefold() for one in services))}


class UnknownIncidentError(KnowledgeBaseError):
    """There is no record of that number."""

    def __init__(self, number: str) -> None:
        super().__init__(f"there is no incident '{number}'", "'kb incidents export' and GET /api/incidents list them")


class DamagedIncidentError(DeskError):
    """The row of a record is not as it was written."""

    def __init__(self, number: str) -> None:
        super().__init__(
            f"incident '{number}' is not as it was written: the disk or the memory has changed it",
            "Restore a backup (kb restore), or write the whole record anew (PUT), or erase it (kb incidents erase)",
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records to list. ``state`` is one of the states, or ``open`` for all that are."""

    state: str | None = None
    kind: str | None = None
    service: str | None = None
    assignment_group: str | None = None
    limit: int = 50
    offset: int = 0
    sight: Sight = EVERYTHING


@dataclass(frozen=True, slots=True)
class Opened:
    """Of an open record what says which others it may be one with; it is read for hundreds at a time."""

    number: str
    kind: Kind
    opened_at: datetime
    service: str | None
    cmdb_ci: str | None


class IncidentReader:
    """Reads the records of a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def get(self, number: str, sight: Sight = EVERYTHING) -> Recorded | None:
        """The record of a number, whatever its case, if one sees that much; as it stands, be it damaged."""
        row = self._row(number)
        recorded = None if row is None else recorded_of(row)
        return recorded if recorded and sight.concerns(recorded.incident.services) else None

    def named(self, text: str, sight: Sight = EVERYTHING) -> Incident | None:
        """The record whose number a text is, and nothing besides, if one sees that much."""
        number = text.strip()
        recorded = self.get(number, sight) if re.fullmatch(NUMBER, number) else None
        return recorded.incident if recorded else None

    def existing(self, number: str, sight: Sight = EVERYTHING) -> Recorded:
        """Raises UnknownIncidentError, DamagedIncidentError."""
        row = self._row(number)
        if row is None or not sight.concerns((row["service"],) if row["service"] else ()):
            raise UnknownIncidentError(number)
        if not is_as_written(row):
            raise DamagedIncidentError(number)
        return recorded_of(row)

    def _row(self, number: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.desk.connection.execute(
            "SELECT * FROM incidents WHERE number = ?", (number,)
        ).fetchone()
        return row

    def several(self, numbers: Iterable[str], sight: Sight = EVERYTHING) -> dict[str, Incident]:
        """Records by their numbers as they are asked for, of those that are there and that one sees."""
        asked = list(numbers)
        rows = self.desk.connection.execute(
            "SELECT * FROM incidents WHERE number IN (SELECT value FROM json_each(?))", (json.dumps(asked),)
        )
        found = {incident.number.casefold(): incident for incident in (recorded_of(row).incident for row in rows)}
        named = ((number, found.get(number.casefold())) for number in asked)
        return {number: one for number, one in named if one is not None and sight.concerns(one.services)}

    def children(self, number: str, sight: Sight = EVERYTHING) -> list[str]:
        """The numbers of the records right below this one, and of those linked to it as a problem."""
        rows = self.desk.connection.execute(
            "SELECT number FROM incidents WHERE (parent_incident = :n OR problem_id = :n) AND "
            + CONCERN
            + " ORDER BY opened_at, number",
            {"n": number, **concern_of(sight)},
        )
        return [row[0] for row in rows]

    def descendants(self, number: str, sight: Sight = EVERYTHING) -> frozenset[str]:
        """All records below this one that one sees, by way of such as one sees."""
        rows = self.desk.connection.execute(
            "WITH RECURSIVE below (number) AS ("
            f"SELECT number FROM incidents WHERE parent_incident = :n AND {CONCERN} UNION"
            f" SELECT i.number FROM incidents i JOIN below b ON i.parent_incident = b.number WHERE {CONCERN})"
            " SELECT number FROM below",
            {"n": number, **concern_of(sight)},
        )
        return frozenset(row[0] for row in rows)

    def listed(self, wanted: Selection) -> tuple[list[Recorded], int]:
        """A page of the records, latest first, and how many there are in all."""
        where, values = _condition(wanted)
        with self.desk.reading() as connection:
            (total,) = connection.execute(f"SELECT count(*) FROM incidents WHERE {where}", values).fetchone()
            rows = connection.execute(
                f"SELECT * FROM incidents WHERE {where} ORDER BY opened_at DESC, number LIMIT :limit OFFSET :offset",
                values,
            ).fetchall()
        return [recorded_of(row) for row in rows], int(total)

    def values_of(self, field: Literal["service", "assignment_group"], sight: Sight = EVERYTHING) -> list[str]:
        """What stands in a field of the records that one sees, each once, in order."""
        rows = self.desk.connection.execute(
            f"SELECT DISTINCT {field} FROM incidents WHERE {field} IS NOT NULL AND {CONCERN}"
            f" ORDER BY {field} COLLATE NOCASE LIMIT 500",
            concern_of(sight),
        )
        return [row[0] for row in rows]

    def opened_between(self, start: datetime, end: datetime, most: int, sight: Sight = EVERYTHING) -> list[Opened]:
        """Open records by when they were opened, oldest first, the last ones where there are more; no problems."""
        rows = self.desk.connection.execute(
            "SELECT number, kind, opened_at, service, cmdb_ci FROM incidents"
            " WHERE opened_at BETWEEN :start AND :end AND kind <> 'problem'"
            f" AND {IS_OPEN} AND {CONCERN}"
            " ORDER BY opened_at DESC, number DESC LIMIT :most",
            {"start": stamp(start), "end": stamp(end), "most": most, **concern_of(sight)},
        )
        found = [Opened(number, kind, time_of(at) or NO_TIME, *rest) for number, kind, at, *rest in rows]
        return found[::-1]

    def every(self) -> Iterator[Incident]:
        """All records, in the order of their last change, read in pages so that writers are not held up."""
        after = 0
        while True:
            rows = self.desk.connection.execute(
                "SELECT * FROM incidents WHERE change > ? ORDER BY change LIMIT ?", (after, _PAGE)
            ).fetchall()
            if not rows:
                return
            yield from (recorded_of(row).incident for row in rows)
            after = rows[-1]["change"]

    def count(self) -> int:
        return int(self.desk.connection.execute("SELECT count(*) FROM incidents").fetchone()[0])

    def was_erased(self, number: str) -> bool:
        """Whether there was a record of that number, and there is none since it was erased."""
        row = self.desk.connection.execute("SELECT 1 FROM erased WHERE number = ?", (number,)).fetchone()
        return row is not None and self.get(number) is None


def _condition(wanted: Selection) -> tuple[str, dict[str, Any]]:
    conditions = [CONCERN]
    values: dict[str, Any] = {"limit": wanted.limit, "offset": wanted.offset, **concern_of(wanted.sight)}
    if wanted.state == "open":
        conditions.append(IS_OPEN)
    elif wanted.state:
        conditions.append("state = :state")
        values["state"] = wanted.state
    for name in ("kind", "service", "assignment_group"):
        if value := getattr(wanted, name):
            conditions.append(f"{name} = :{name} COLLATE NOCASE")
            values[name] = value
    return " AND ".join(conditions), values
