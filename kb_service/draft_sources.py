"""What there is to draw a draft from: the incident, those like it that are over, and the articles about the same."""

import re
from dataclasses import dataclass
from typing import get_args

from indexer.errors import IndexMissingError
from indexer.frontmatter import Tier
from indexer.knowledge import KnowledgeObject
from kb_service.confidence import in_percent
from kb_service.drafting import MOST_RELATED, Sources, require_resolved, says_what_helped
from kb_service.incident import Incident
from kb_service.knowledge_base import KnowledgeBase
from kb_service.query import Query
from kb_service.related import Like
from kb_service.similar import Similar, similar
from kb_service.triage import Ticket


@dataclass(frozen=True, slots=True)
class Material:
    """``better`` is the article to improve instead of writing another one, and ``why`` says what speaks for it."""

    sources: Sources
    problem: Incident | None
    similar: tuple[Similar, ...]
    attached: tuple[KnowledgeObject, ...]
    better: KnowledgeObject | None
    why: str

    @property
    def is_found(self) -> bool:
        """Whether who reports it in the incident's words finds the article to improve."""
        found = (one.hit.confidence for one in self.similar if self.better and one.knowledge.id == self.better.id)
        return next(found, "weak") != "weak"


def gather(base: KnowledgeBase, number: str) -> Material:
    """Everything about a resolved record. Raises UnknownIncidentError, NotDraftableError."""
    incident = base.incidents.existing(number).incident
    require_resolved(incident)
    base.incident_index.catch_up()
    found = _similar(base, incident)
    attachments = base.attachments.of_incidents([incident.number]).get(incident.number, [])
    objects = {one.article: base.searcher.catalogue.get(one.article) for one in attachments}
    resolved_by = (objects[one.article] for one in attachments if one.relation == "resolved_by")
    live = (one for one in resolved_by if one is not None and one.workflow_state != "retired")
    better, why = next(((one, f"it resolved {incident.number}") for one in live), (None, ""))
    if better is None and found and found[0].hit.confidence == "strong":
        better, why = (
            found[0].knowledge,
            f"it answers {incident.number} with a probability of {in_percent(found[0].hit.probability)}",
        )
    problem = base.incidents.get(incident.problem_id) if incident.problem_id else None
    return Material(
        sources=Sources(incident, _related(base, incident)),
        problem=problem.incident if problem else None,
        similar=found,
        attached=tuple(one for one in objects.values() if one is not None),
        better=better,
        why=why,
    )


def tier_of(incident: Incident) -> Tier | None:
    """The support level that had it, where the record or the name of its group says so."""
    said = [str(incident.extra.get(name, "")) for name in ("tier", "support_level", "u_tier", "level")]
    levels = re.findall(r"\bL[123]\b", " ".join((*said, incident.assignment_group or "")).upper())
    return next((tier for tier in get_args(Tier) if tier in levels), None)


def _related(base: KnowledgeBase, incident: Incident) -> tuple[Incident, ...]:
    """What is linked to it, then what is much like it; only what is over and says how it ended."""
    links = (incident.problem_id, incident.parent_incident, *base.incidents.children(incident.number))
    linked = base.incidents.several(filter(None, links))
    like = base.related.alike(Like.incident(incident, base.incidents), is_open=False, limit=MOST_RELATED)
    alike = [one.incident for one in like if one.confidence != "weak"]
    every = {one.number: one for one in (*linked.values(), *alike) if says_what_helped(one)}
    return tuple(every.values())[:MOST_RELATED]


def _similar(base: KnowledgeBase, incident: Incident) -> tuple[Similar, ...]:
    """As triage finds them, with what incidents like it say; none where nothing is indexed."""
    sight = base.settings.default_sight
    try:
        evidence = base.triager.evidence(Ticket.of(incident), sight)
        prefer = {"service": incident.service} if incident.service else {}
        return similar(base.searcher, Query(incident.text, sight=sight, prefer=prefer, evidence=evidence))
    except IndexMissingError:
        return ()
