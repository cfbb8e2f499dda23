"""An incident, case, problem or major incident as the desk records it, whatever program wrote it down.

Field names are ServiceNow's. Its numbers and labels for states, priorities, impact and urgency are understood, and the
usual words of other programs; what comes out is always one of the words below.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError

from indexer.errors import KnowledgeBaseError
from kb_service.plain_text import plain_text
from kb_service.vocabulary import KINDS, OPEN_STATES, STATES, Kind, Level, Priority, State, meant_by, words_for

# Of a ticket's or a record's long text, and of one that is said in a line
MOST_LETTERS = 100_000
MOST_LETTERS_SHORT = 1_000
# Clocks differ a little; a date further ahead is a mistake
_AHEAD = timedelta(minutes=5)
# Programs write the first day of their calendars for none at all: 0001-01-01, 1900-01-01, 1970-01-01
_FIRST_YEAR = 1971


def _one_of(*meanings: str) -> BeforeValidator:
    words = words_for(meanings)
    return BeforeValidator(lambda value: meant_by(_text(value), words))


def _text(value: object) -> object:
    """What no text column takes is replaced; a number is a text here."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _encodable(value).replace("\0", "") if isinstance(value, str) else value


def _encodable(text: str) -> str:
    """Without halves of surrogate pairs: no file and no answer can hold them."""
    return text.encode("utf-8", "replace").decode()


def _no_text(value: object) -> object:
    return "" if value is None else _text(value)


def _blank(value: object) -> object:
    value = _text(value)
    return None if isinstance(value, str) and not value.strip() else value


def _count(value: object) -> object:
    """A number of things; yes and no are none."""
    if isinstance(value, bool):
        raise ValueError(f"'{value}' is no number")
    return _blank(value)


def _yes_or_no(value: object) -> object:
    value = _blank(value)
    return False if value is None else value


def moment(value: object) -> object:
    """A date and time in UTC, to the second; see ``instant``."""
    value = instant(value)
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


def instant(value: object) -> object:
    """A date and time in UTC; without a zone it is taken for UTC. Not one ahead of now, nor one that no desk has seen.

    Raises ValueError.
    """
    value = _blank(value)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"'{value}' is no date and time such as 2026-03-14T08:30:00Z") from None
    if isinstance(value, datetime):
        try:
            value = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
        except OverflowError:
            raise ValueError(f"'{value}' is no date and time such as 2026-03-14T08:30:00Z") from None
        if value > datetime.now(UTC) + _AHEAD:
            raise ValueError(f"{value.isoformat()} is in the future (here it is {datetime.now(UTC):%Y-%m-%dT%H:%MZ})")
        if value.year < _FIRST_YEAR:
            raise ValueError(f"'{value.isoformat()}' is before {_FIRST_YEAR}: leave it out where there is no time")
    return value


NUMBER = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Number = Annotated[str, BeforeValidator(_text), StringConstraints(strip_whitespace=True, pattern=NUMBER)]
Line = Annotated[
    str, BeforeValidator(_no_text), StringConstraints(strip_whitespace=True, max_length=MOST_LETTERS_SHORT)
]
Text = Annotated[str, BeforeValidator(_no_text), StringConstraints(strip_whitespace=True, max_length=MOST_LETTERS)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Optional = BeforeValidator(_blank)
Moment = Annotated[datetime, BeforeValidator(moment)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One record. Times are UTC, to the second; ``extra`` holds what its program knows and we do not."""

    number: Number
    kind: Annotated[Kind, _one_of(*KINDS)] = "incident"
    short_description: Line = ""
    description: Text = ""
    service: Annotated[Name | None, Optional] = None
    cmdb_ci: Annotated[Name | None, Optional] = None
    category: Annotated[Name | None, Optional] = None
    impact: Annotated[Level | None, _one_of(*get_args(Level))] = None
    urgency: Annotated[Level | None, _one_of(*get_args(Level))] = None
    priority: Annotated[Priority | None, _one_of(*get_args(Priority))] = None
    state: Annotated[State, _one_of(*STATES)] = "new"
    assignment_group: Annotated[Name | None, Optional] = None
    opened_at: Annotated[Moment | None, Optional] = None
    resolved_at: Annotated[Moment | None, Optional] = None
    close_code: Annotated[Name | None, Optional] = None
    close_notes: Text = ""
    parent_incident: Annotated[Number | None, Optional] = None
    problem_id: Annotated[Number | None, Optional] = None
    users_affected: Annotated[Annotated[int, Field(ge=0, le=100_000_000)] | None, BeforeValidator(_count)] = None
    known_error: Annotated[bool, BeforeValidator(_yes_or_no)] = False
    workaround: Text = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def services(self) -> tuple[str, ...]:
        """What it concerns: its service, if that is known."""
        return (self.service,) if self.service else ()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def text(self) -> str:
        """What it says, without markup: its short description, then the longer one."""
        return "\n\n".join(filter(None, (self.short_description, plain_text(self.description))))

    @property
    def minutes_to_resolve(self) -> int | None:
        if self.opened_at is None or self.resolved_at is None:
            return None
        return round((self.resolved_at - self.opened_at).total_seconds() / 60)


def leads_to(link: str | None, number: str) -> bool:
    """Whether a link to another record is one to this number; people write both in any case."""
    return link is not None and link.casefold() == number.casefold()


FIELDS = tuple(one.name for one in fields(Incident) if one.name != "extra")
# Names that other programs and earlier exports use
_ALSO_CALLED = {"business_service": "service", "affected_users": "users_affected"}
_MOST_EXTRA = 100
_MOST_DEPTH = 20


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong value of a record: the field and what is wrong, in words."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class InvalidIncidentError(KnowledgeBaseError):
    """A record cannot be taken; names each wrong field."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(map(str, problems)), "Mend it and send it again")
        self.problems = problems


def incident_of(values: Mapping[str, Any]) -> Incident:
    """A record from the fields of any program; those we do not know are kept as they are.

    Raises InvalidIncidentError, naming every wrong field.
    """
    named = {_ALSO_CALLED.get(name, name): value for name, value in values.items()}
    known = {name: named[name] for name in FIELDS if name in named}
    for name in ("kind", "state"):
        if known.get(name) in (None, ""):
            known.pop(name, None)
    given = named.get("extra")
    unknown = {**named, **(given if isinstance(given, Mapping) else {})}
    extra = {name: value for name, value in unknown.items() if name not in _NOT_EXTRA}
    problems: tuple[FieldProblem, ...] = ()
    if _is_nested(extra, _MOST_DEPTH):
        problems = (FieldProblem("extra", f"unknown fields nested more than {_MOST_DEPTH} levels deep"),)
        extra = {}
    try:
        incident = adapter().validate_python({**known, "extra": _as_kept(extra)})
    except ValidationError as error:
        raise InvalidIncidentError((*(_problem(dict(one)) for one in error.errors()), *problems)) from None
    problems = (*problems, *inconsistencies(incident))
    if problems:
        raise InvalidIncidentError(problems)
    return incident


# What an answer says beside the fields; sent back to us, it is left out
_GIVEN_BY_US = frozenset(
    "extra articles children runs incidents url open version updated_at minutes_to_resolve age_minutes unknown"
    " demo".split()
)
_NOT_EXTRA = _GIVEN_BY_US.union(FIELDS, _ALSO_CALLED)


@cache
def adapter() -> TypeAdapter[Incident]:
    """Validates a record; gives its JSON Schema."""
    return TypeAdapter(Incident)


def _problem(error: dict[str, Any]) -> FieldProblem:
    where = ".".join(str(part) for part in error["loc"][:1]) or "record"
    if error["type"] == "missing":
        return FieldProblem(where, "is missing")
    if error["type"] == "string_pattern_mismatch":
        return FieldProblem(
            where, f"'{str(error['input'])[:80]}' is no number such as INC0012345: letters, digits, - . _"
        )
    if error["type"] in {"string_too_long", "too_long"}:
        return FieldProblem(where, f"is longer than {error['ctx']['max_length']:,} characters")
    return FieldProblem(where, str(error["msg"]).removeprefix("Value error, ")[:400])


def _is_nested(value: object, levels: int) -> bool:
    """Whether there are more levels of lists and objects than these."""
    if not isinstance(value, Mapping | list | tuple):
        return False
    inside = value.values() if isinstance(value, Mapping) else value
    return levels == 0 or any(_is_nested(one, levels - 1) for one in inside)


def _as_kept(value: Any) -> Any:
    """A value as the desk's file and an answer hold it, so that it comes back as it was put."""
    if isinstance(value, Mapping):
        return {_encodable(str(name)): _as_kept(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_as_kept(inside) for inside in value]
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _encodable(str(value))


def inconsistencies(incident: Incident) -> list[FieldProblem]:
    """What of a record contradicts the rest of it."""
    found = []
    if not incident.short_description and not incident.description:
        found.append(FieldProblem("short_description", "is missing, and so is a description"))
    if incident.opened_at and incident.resolved_at and incident.resolved_at < incident.opened_at:
        found.append(FieldProblem("resolved_at", "is before opened_at"))
    if leads_to(incident.parent_incident, incident.number):
        found.append(FieldProblem("parent_incident", "is the record itself"))
    if len(incident.extra) > _MOST_EXTRA or len(json.dumps(incident.extra, ensure_ascii=False)) > MOST_LETTERS:
        found.append(
            FieldProblem("extra", f"more than {_MOST_EXTRA} unknown fields, or more than {MOST_LETTERS:,} letters")
        )
    return found
