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
    """A record from its row."""
    values = {name: row[name] for name in FIELDS}
    for name in ("opened_at", "resolved_at"):
        values[name] = values[name] and datetime.fromisoformat(values[name])
    values["known_error"] = bool(values["known_error"])
    incident = Incident(**values, extra=json.loads(row["extra"]))
    return Recorded(incident, row["version"], datetime.fromisoformat(row["updated_at"]))


def fields_of(incident: Incident) -> dict[str, Any]:
    """A record as JSON has it; what its program knows and we do not stands beside the rest."""
    values: dict[str, Any] = {name: getattr(incident, name) for name in FIELDS}
    for name in ("opened_at", "resolved_at"):
        values[name] = values[name] and stamp(values[name])
    return {**incident.extra, **values}


def stamp(moment: datetime) -> str:
    """A time as it stands in the file: UTC, to the second, so that texts sort as times do."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
