"""Does a fault come back, and does anybody look for its cause? Proposes a problem record, or names the one there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kb_service.access import EVERYTHING, Sight
from kb_service.attachments import Attachment, Attachments
from kb_service.confidence import STRONG
from kb_service.incident import Incident, leads_to
from kb_service.incidents import Incidents
from kb_service.related import ALIKE, Related

# "Over weeks": from the first time to the last
LEAST_DAYS = 14


@dataclass(frozen=True, slots=True)
class Recurrence:
    """From where on a fault recurs: on so many different days within the last so many."""

    count: int = 4
    days: int = 90


@dataclass(frozen=True, slots=True)
class ProblemCandidate:
    """A fault that recurs, its incidents oldest first; ``problem`` is the record of it that is there already, if any.

    ``articles`` are those attached to that record: the known error.
    """

    incidents: tuple[Incident, ...]
    occurrences: int
    problem: Incident | None
    articles: tuple[Attachment, ...]
    linked: bool
    reason: str


def problem_candidate(
    own: Incident | None,
    alike: Sequence[Related],
    problems: Sequence[Related],
    wanted: Recurrence,
    incidents: Incidents,
    attachments: Attachments,
    sight: Sight = EVERYTHING,
) -> ProblemCandidate | None:
    """``alike`` are incidents like it, open or over; ``problems`` open problem records that look the same."""
    sure = [one.incident for one in alike if one.probability >= ALIKE and one.incident.kind != "major_incident"]
    since = datetime.now(UTC) - timedelta(days=wanted.days)
    recent = [one for one in (*sure, *([own] if own else [])) if one.opened_at and one.opened_at >= since]
    recent.sort(key=lambda one: (one.opened_at, one.number))
    problem = _problem(own, sure, problems, incidents, sight)
    # A flood is one occurrence, however many report it
    days = sorted({one.opened_at.date() for one in recent if one.opened_at})
    if problem is not None and problem.is_open:
        known = "known error" if problem.known_error else "problem"
        reason = f"{problem.number} is an open {known} that looks the same: {problem.short_description}"
        attached = tuple(attachments.of_incidents([problem.number]).get(problem.number, ()))
        linked = own is not None and leads_to(own.problem_id, problem.number)
        return ProblemCandidate(tuple(recent), len(days), problem, attached, linked, reason)
    if len(days) < wanted.count or (days[-1] - days[0]).days < LEAST_DAYS:
        return None
    reason = f"the same on {len(days)} days since {days[0]} ({wanted.count} in {wanted.days} days are enough)"
    if problem is not None:
        reason += f", though {problem.number} was closed"
    else:
        reason += ", and no problem record"
    return ProblemCandidate(tuple(recent), len(days), problem, (), False, reason)


def _problem(
    own: Incident | None, alike: Sequence[Incident], problems: Sequence[Related], incidents: Incidents, sight: Sight
) -> Incident | None:
    """The problem that it is linked to, else the one that most like it are linked to, else one that looks the same."""
    linked = [one.problem_id for one in alike if one.problem_id]
    numbers = [own.problem_id] if own and own.problem_id else []
    numbers += [one for one in sorted(set(linked)) if linked.count(one) * 2 >= len(alike)]
    numbers += [one.incident.number for one in problems if one.probability >= STRONG]
    records = incidents.several(numbers, sight)
    found = [records[number] for number in numbers if number in records]
    return next((one for one in found if one.is_open), found[0] if found else None)
