"""Is an incident one of a flood? Proposes a major incident by named criteria, with what they were met by.

A person declares, never this. Where a major incident is open already that looks the same, it is offered as the parent.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from indexer.encoder import Vectors
from kb_service.access import EVERYTHING, Sight
from kb_service.floods import LEAST, Flood, floods
from kb_service.incident import Incident, leads_to
from kb_service.incidents import Incidents
from kb_service.related import Related, RelatedSearch
from kb_service.vocabulary import Priority

# A window of more open incidents than this is cut to the latest
MOST_IN_WINDOW = 500
# Few major incidents are open at a time, so that less likeness is enough to ask whether it is one of those
PARENT_LIKE = 0.3
_LEAST_LINKED = 2


@dataclass(frozen=True, slots=True)
class Criteria:
    """From where on a major incident is proposed; see the settings of the same names."""

    count: int = 10
    service_count: int = 6
    minutes: int = 30
    priority: Priority = "P1"
    users: int = 200


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion that is met: its value, and from where on it is."""

    name: Literal["major_incident", "count", "service_count", "priority", "users"]
    text: str
    value: int | str
    threshold: int | str


@dataclass(frozen=True, slots=True)
class MajorCandidate:
    """What speaks for a major incident: the criteria, and the open incidents that are alike, oldest first.

    ``parent`` is an open major incident that looks the same; ``linked`` says that it is the incident's parent already.
    """

    criteria: tuple[Criterion, ...]
    incidents: tuple[Incident, ...]
    service: str | None
    parent: Incident | None
    linked: bool

    @property
    def reason(self) -> str:
        return "; ".join(criterion.text for criterion in self.criteria)


@dataclass(frozen=True, slots=True)
class CameIn:
    """What came in: when, of which service and priority, what it means, and its record if it has one; for whom."""

    at: datetime
    vector: Vectors
    service: str | None
    priority: Priority | None
    incident: Incident | None
    sight: Sight = EVERYTHING


class MajorWatch:
    """Watches the open incidents of a desk for floods."""

    def __init__(self, incidents: Incidents, related: RelatedSearch, criteria: Criteria) -> None:
        self._incidents, self._related, self._criteria = incidents, related, criteria

    def candidate(self, new: CameIn, alike: Sequence[Related]) -> MajorCandidate | None:
        """Whether what came in is one of a flood. ``alike`` are open incidents like it, whenever they were opened."""
        own = new.incident
        if own is not None and own.kind in {"major_incident", "problem"}:
            return None
        flood = self._flood(new)
        parent = self._parent(new, flood, alike)
        met = tuple(self._met(new, flood, parent))
        if not met:
            return None
        linked = parent is not None and own is not None and leads_to(own.parent_incident, parent.number)
        services = [one.service for one in flood if one.service]
        service = max(services, key=services.count, default=new.service)
        return MajorCandidate(met, tuple(flood), service, parent, linked)

    def open_floods(self, now: datetime, sight: Sight = EVERYTHING) -> list[MajorCandidate]:
        """The floods among the latest incidents that are open, and what speaks for each; the largest first."""
        opened = self._incidents.opened_between(datetime.min.replace(tzinfo=UTC), now, MOST_IN_WINDOW, sight)
        numbers, vectors = self._related.vectors_of(one.number for one in opened if one.kind != "major_incident")
        by_number = {one.number: one for one in opened}
        place_of = {number: place for place, number in enumerate(numbers)}
        length = timedelta(minutes=self._criteria.minutes)
        found: dict[frozenset[str], MajorCandidate] = {}
        for flood in floods([by_number[number] for number in numbers], vectors):
            # Seen from where most of it came at once
            records = self._incidents.several((one.number for one in flood.incidents), sight)
            at_once = _most_at_once([*records.values()], length)
            if not at_once:
                continue
            first = at_once[0]
            vector = vectors[place_of[first.number]]
            new = CameIn(_opened(first), vector, first.service, first.priority, first, sight)
            candidate = self.candidate(new, ())
            if candidate is not None and len(candidate.incidents) >= LEAST:
                found.setdefault(frozenset(one.number for one in candidate.incidents), candidate)
        return sorted(found.values(), key=lambda one: -len(one.incidents))

    def _flood(self, new: CameIn) -> list[Incident]:
        """The incidents of the flood that it is of, within the window around it that holds most of them."""
        length = timedelta(minutes=self._criteria.minutes)
        opened = self._incidents.opened_between(new.at - length, new.at + length, MOST_IN_WINDOW, new.sight)
        opened = [one for one in opened if one.kind != "major_incident"]
        numbers, vectors = self._related.vectors_of(one.number for one in opened)
        by_number = {one.number: one for one in opened}
        own = new.incident.number if new.incident else None
        of_it = next(
            (flood for flood in floods([by_number[number] for number in numbers], vectors) if _of(flood, new, own)),
            None,
        )
        members = self._incidents.several((one.number for one in of_it.incidents), new.sight) if of_it else {}
        if new.incident is not None:
            members[new.incident.number] = new.incident
        return _most_at_once([*members.values()], length, new.at)

    def _met(self, new: CameIn, flood: Sequence[Incident], parent: Incident | None) -> Iterator[Criterion]:
        wanted = self._criteria
        if parent is not None:
            text = f"{parent.number} is open and alike: {parent.short_description}"
            yield Criterion("major_incident", text, parent.number, "open")
        within = f"opened within {wanted.minutes} minutes"
        if len(flood) >= wanted.count:
            text = f"{len(flood)} alike are open, {within} ({wanted.count} are enough)"
            yield Criterion("count", text, len(flood), wanted.count)
        services = [one.service for one in flood if one.service]
        service = max(services, key=services.count, default=None)
        of_service = [one for one in services if service and one.casefold() == service.casefold()]
        if len(of_service) >= wanted.service_count:
            text = f"{len(of_service)} alike of {service} are open, {within} ({wanted.service_count} are enough)"
            yield Criterion("service_count", text, len(of_service), wanted.service_count)
        priorities = [one.priority for one in flood if one.priority] + ([new.priority] if new.priority else [])
        highest = min(priorities, default=None)
        if highest is not None and highest <= wanted.priority:
            text = f"priority {highest} ({wanted.priority} is enough)"
            yield Criterion("priority", text, highest, wanted.priority)
        users = sum(one.users_affected or 0 for one in flood)
        if users >= wanted.users:
            yield Criterion("users", f"{users} users affected ({wanted.users} are enough)", users, wanted.users)

    def _parent(self, new: CameIn, flood: Sequence[Incident], alike: Sequence[Related]) -> Incident | None:
        """The open major incident it belongs to: its parent, one that is alike, or the parent of most that are.

        Of two at least, since one that is alike may be linked for a reason of its own.
        """
        alike = [one for one in alike if one.probability >= PARENT_LIKE]
        every = [*flood, *(one.incident for one in alike)]
        above = [one.parent_incident for one in every if one.parent_incident]
        own = new.incident
        numbers = [own.parent_incident] if own and own.parent_incident else []
        numbers += [one.incident.number for one in alike if one.incident.kind == "major_incident"]
        enough = max(_LEAST_LINKED, len(every) / 2)
        shared = [number for number in set(above) if above.count(number) >= enough]
        numbers += sorted(shared, key=lambda number: (-above.count(number), number))
        records = self._incidents.several(numbers, new.sight)
        candidates = (records[number] for number in numbers if number in records)
        return next((one for one in candidates if one.kind == "major_incident" and one.is_open), None)


def _opened(incident: Incident) -> datetime:
    return incident.opened_at or datetime.now(UTC)


def _of(flood: Flood, new: CameIn, own: str | None) -> bool:
    return any(one.number == own for one in flood.incidents) or flood.near(new.vector, new.service)


def _most_at_once(opened: Sequence[Incident], length: timedelta, around: datetime | None = None) -> list[Incident]:
    """The most incidents that one window of this length holds, oldest first; of those ``around`` a moment, if given."""
    dated = sorted(opened, key=lambda one: (_opened(one), one.number))
    times = [_opened(one) for one in dated]
    most = range(0)
    for start, at in enumerate(times):
        if around is None or around - length <= at <= around:
            most = max(most, range(start, bisect_right(times, at + length)), key=len)
    return dated[most.start : most.stop]
