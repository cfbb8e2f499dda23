"""Where an incident should go next, and as what: tier and owner from the article, the group from those like it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb_service.access import Sight
from kb_service.hits import Hit
from kb_service.query import Query
from kb_service.related import Related
from kb_service.search import Searcher
from kb_service.vocabulary import Level, Priority, priority_of

ON_CALL_TAG = "on-call"
_SAYS_HOW = frozenset({"runbook", "policy", "howto", "faq"})
# Below this probability what ended with a group says little of where this should go
_LEAST_LIKE = 0.3
_LEAST_ANSWER = 0.3
_ASKS = re.compile(
    r"\b(how (do|can|to)|where (do|can|is)|please (give|add|order|create|grant|provide)|"
    r"i (would like|need access|want)|request(ing)?|could (you|i)|can i|may i|access to|"
    r"question)\b|^\W*(a )?new (laptop|account|phone|user)\b|\?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_FAILS = re.compile(
    r"\b(error|fail(s|ed|ing|ure)?|down|outage|broken?|crash(es|ed|ing)?|cannot|can't|can not|unable|not working|"
    r"doesn't work|does not|won't|stopped|stuck|slow|timeout|timed out|unavailable|lost|locked|refused|denied|"
    r"drops?|disconnect(s|ed)?|unreachable|5\d\d|0x[0-9a-f]{4,})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Group:
    """Whom similar incidents ended with: the share of them, weighed by how alike they are, and their numbers."""

    name: str
    share: float
    incidents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuggestedKind:
    """What kind of record it is, and why."""

    suggested: str
    reason: str


@dataclass(frozen=True, slots=True)
class Escalation:
    """Whom to hand it to. ``article`` is what tier and owner stand in; ``on_call`` says how to reach who is on call."""

    tier: str | None
    owner: str | None
    article: str | None
    group: Group | None
    on_call: Hit | None
    urgent: bool
    reason: str


def escalation(
    searcher: Searcher,
    sight: Sight,
    suggestions: Sequence[Hit],
    related: Sequence[Related],
    service: str | None,
    *,
    priority: Priority | None,
    flood: bool,
) -> Escalation:
    """From the surest article, and from what became of incidents like it. ``flood`` says that it may be a major one."""
    best = next((hit for hit in suggestions if hit.probability >= _LEAST_ANSWER and hit.tier), None)
    knowledge = searcher.article(best.id, sight) if best else None
    group = _group(related)
    urgent = flood or priority in {"P1", "P2"}
    said = []
    if best and knowledge:
        said.append(f"{best.title} is {best.tier}" + (f", owned by {knowledge.owner}" if knowledge.owner else ""))
    if group:
        said.append(f"{group.share:.0%} of those like it ended with {group.name}")
    if urgent:
        said.append("call, do not wait in a queue: " + ("it may be a major incident" if flood else f"it is {priority}"))
    return Escalation(
        tier=best.tier if best else None,
        owner=knowledge.owner if knowledge else None,
        article=best.id if best else None,
        group=group,
        on_call=_on_call(searcher, sight, service),
        urgent=urgent,
        reason="; ".join(said) or "nothing like it is known: the escalation policy of the desk applies",
    )


def kind_of(text: str, impact: Level | None, urgency: Level | None) -> SuggestedKind:
    """Incident or case: by impact and urgency, then by whether it tells of a failure or asks for something."""
    asks, fails = _ASKS.search(text), _FAILS.search(text)
    if priority := priority_of(impact, urgency):
        levels = f"impact {impact}, urgency {urgency}"
        if priority <= "P3":
            return SuggestedKind("incident", f"{levels}: service is disturbed and must be restored ({priority})")
        if asks and not fails:
            return SuggestedKind(
                "case", f"{levels}, and it asks for something ('{asks.group().strip()}'): nothing is to restore"
            )
        return SuggestedKind(
            "incident", f"{levels}, and it tells of a failure" if fails else f"{levels}: taken for a failure"
        )
    if asks and not fails:
        return SuggestedKind(
            "case", f"impact and urgency are not said, and it asks for something ('{asks.group().strip()}')"
        )
    if fails:
        return SuggestedKind(
            "incident", f"impact and urgency are not said, and it tells of a failure ('{fails.group()}')"
        )
    return SuggestedKind("incident", "impact and urgency are not said: when in doubt, restore first")


def _group(related: Sequence[Related]) -> Group | None:
    weights: dict[str, float] = {}
    numbers: dict[str, list[str]] = {}
    for one in related:
        name = one.incident.assignment_group
        if name and one.probability >= _LEAST_LIKE:
            weights[name] = weights.get(name, 0.0) + one.probability
            numbers.setdefault(name, []).append(one.incident.number)
    if not weights:
        return None
    best = max(sorted(weights), key=lambda name: weights[name])
    return Group(best, round(weights[best] / sum(weights.values()), 4), tuple(numbers[best]))


def _on_call(searcher: Searcher, sight: Sight, service: str | None) -> Hit | None:
    """The article on being on call: that of the service, else the one for all."""
    asked = Query(
        f"who is on call, how to call {service or ''}",
        {"tag": frozenset({ON_CALL_TAG}), "type": _SAYS_HOW},
        sight=sight,
        limit=1,
        prefer={"service": service} if service else {},
    )
    return next(iter(searcher.search(asked).hits), None)
