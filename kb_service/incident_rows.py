"""How a record stands in desk.db, and in JSON."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kb_service.incident import FIELDS, Incident

_COLUMNS = (*FIELDS, "extra", "version", "change", "updated_at")
PUT = (
    f"INSERT INTO incidents ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) ON CONFLICT (number) DO"
    f" UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS if name != 'number')}"
)
# Told where the time of something that is over cannot be read any more
NO_TIME = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record as it stands: its version counts its changes, ``created`` says that this write made it."""

    incident: Incident
    version: int
    updated_at: datetime
    created: bool = False


def values_of(recorded: Recorded, change: int) -> list[Any]:
    """A record for ``PUT``, as the change of that number."""
    incident = recorded.incident
    values = {
        **{name: getattr(incident, name) for name in FIELDS},
        "opened_at": stamp(incident.opened_at or recorded.updated_at),
        "resolved_at": incident.resolved_at and stamp(incident.resolved_at),
        "extra": json.dumps(incident.extra, ensure_ascii=False),
        "version": recorded.version,
        "change": change,
        "updated_at": stamp(recorded.updated_at),
    }
    return [values[name] for name in _COLUMNS]


def recorded_of(row: sqlite3.Row) -> Recorded:
    """A record from its row; of one that is damaged what can be read, so that it can be listed, erased and put anew."""
    values = {name: row[name] for name in FIELDS}
    values["opened_at"] = time_of(values["opened_at"]) or NO_TIME
    values["resolved_at"] = time_of(values["resolved_at"])
    values["known_error"] = bool(values["known_error"])
    incident = Incident(**values, extra=_extra_of(row["extra"]))
    return Recorded(incident, row["version"], time_of(row["updated_at"]) or NO_TIME)


def time_of(text: object) -> datetime | None:
    """A time from how it stands in the file; None where it cannot be read."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _extra_of(text: object) -> dict[str, Any]:
    try:
        extra = json.loads(str(text))
    except ValueError:
        return {}
    return extra if isinstance(extra, dict) else {}


def fields_of(incident: Incident) -> dict[str, Any]:
    """A record as JSON has it; what its program knows and we do not stands beside the rest."""
    values: dict[str, Any] = {name: getattr(incident, name) for name in FIELDS}
    for name in ("opened_at", "resolved_at"):
        values[name] = values[name] and stamp(values[name])
    return {**incident.extra, **values}


def stamp(moment: datetime) -> str:
    """A time as it stands in the file: UTC, to the second, so that texts sort as times do."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
