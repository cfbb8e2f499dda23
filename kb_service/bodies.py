"""The contract that programs rely on for records and triage: the same from the shell and over HTTP."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from indexer.catalogue import Catalogue
from kb_service.access import Sight
from kb_service.attachments import Attachment
from kb_service.glossary import Term
from kb_service.hits import Hit, Reason, article_url
from kb_service.incident import Incident
from kb_service.incident_rows import Recorded, fields_of
from kb_service.major import MajorCandidate
from kb_service.query import may_read
from kb_service.recurrence import ProblemCandidate
from kb_service.related import Related, RelatedIncidents
from kb_service.results import hit_json
from kb_service.runs import Run
from kb_service.triage import Triage

_BRIEF = (
    "number", "kind", "short_description", "state", "priority", "service", "cmdb_ci", "assignment_group", "opened_at",
    "resolved_at", "close_code", "close_notes", "parent_incident", "problem_id", "users_affected",
)  # fmt: skip


def incident_url(number: str) -> str:
    """Where a record is read."""
    return f"/incidents/{quote(number)}"


def incident_json(
    recorded: Recorded,
    attached: Sequence[Attachment],
    children: Sequence[str],
    runs: Iterable[Run],
    catalogue: Catalogue,
    sight: Sight,
) -> dict[str, Any]:
    """A record whole, with the articles attached to it, the runbooks run for it, and the records below it."""
    incident = recorded.incident
    return {
        **fields_of(incident),
        "open": incident.is_open,
        "minutes_to_resolve": incident.minutes_to_resolve,
        "articles": attachments_json(attached, catalogue, sight),
        "runs": [run_json(one) for one in runs if sees_article(catalogue, one.article, sight)],
        "children": list(children),
        "url": incident_url(incident.number),
        "version": recorded.version,
        "updated_at": recorded.updated_at.isoformat(),
        "unknown": sorted(incident.extra),
    }


def brief_json(incident: Incident) -> dict[str, Any]:
    """A record as lists show it: without the long texts, but with how it was resolved."""
    fields = fields_of(incident)
    opened = incident.opened_at or datetime.now(UTC)
    return {
        **{name: fields[name] for name in _BRIEF},
        "open": incident.is_open,
        # Where the clock was set back, what was opened before that is of now
        "age_minutes": max(0, round((datetime.now(UTC) - opened).total_seconds() / 60)),
        "minutes_to_resolve": incident.minutes_to_resolve,
        "url": incident_url(incident.number),
    }


def sees_article(catalogue: Catalogue, article: str, sight: Sight) -> bool:
    """Whether one may know of an article, by its id now or before; of a deleted one by whom it was for."""
    now = catalogue.get(article)
    if now is not None:
        return may_read(now, sight)
    gone = catalogue.tombstone(article)
    if gone is not None:
        return sight.sees(gone.audience, gone.groups, gone.services)
    # For whom it was is forgotten, as where an index was made anew without git
    return sight.sees_all


def run_json(run: Run) -> dict[str, Any]:
    """A runbook as it was run: what was done, and the same as a work note."""
    return {
        "id": run.id,
        "article": run.article,
        "title": run.title,
        "revision": run.revision,
        "steps": len(run.steps),
        "done": {str(step): at.isoformat() for step, at in sorted(run.done.items())},
        "fields": dict(run.fields),
        "at": run.at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "by": run.name,
        "note": run.note,
        "url": f"/runs/{run.id}",
    }


def attachments_json(attached: Iterable[Attachment], catalogue: Catalogue, sight: Sight) -> list[dict[str, Any]]:
    """Those of attached articles that one may know of."""
    return [attachment_json(one, catalogue) for one in attached if sees_article(catalogue, one.article, sight)]


def attachment_json(attachment: Attachment, catalogue: Catalogue) -> dict[str, Any]:
    """An attached article as it was used, and whether it says something else by now; its URL opens that revision."""
    now = catalogue.get(attachment.article)
    gone = None if now else catalogue.tombstone(attachment.article)
    article = now.id if now else attachment.article
    then = "" if now and now.revision == attachment.revision else f"?at={quote(attachment.revision)}"
    return {
        "article": article,
        "title": now.title if now else gone.title if gone else attachment.article,
        "url": f"{article_url(article)}{then}" if now or gone else None,
        "revision": attachment.revision,
        "resolved_by": attachment.relation == "resolved_by",
        "at": attachment.at.isoformat(),
        "changed_since": now.revision != attachment.revision if now else None,
        "published": now is not None,
    }


def related_json(related: Related, catalogue: Catalogue, sight: Sight) -> dict[str, Any]:
    """An incident like another: how alike and why, and how it was resolved."""
    return {
        **brief_json(related.incident),
        "score": related.score,
        "probability": related.probability,
        "confidence": related.confidence,
        "reasons": reasons_json(related.reasons),
        "snippet": related.snippet,
        "articles": attachments_json(related.articles, catalogue, sight),
    }


def related_incidents_json(related: RelatedIncidents, catalogue: Catalogue, sight: Sight) -> dict[str, Any]:
    return {
        "open": [related_json(one, catalogue, sight) for one in related.open],
        "resolved": [related_json(one, catalogue, sight) for one in related.resolved],
    }


def suggestion_json(hit: Hit) -> dict[str, Any]:
    """A hit, and the incidents that its article resolved before."""
    resolved = next((why.words for why in hit.reasons if why.lane == "evidence"), ())
    return {**hit_json(hit), "resolved": list(resolved)}


def reasons_json(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    return [{"lane": why.lane, "text": why.text, "score": why.score, "words": list(why.words)} for why in reasons]


def triage_json(triage: Triage, catalogue: Catalogue, sight: Sight) -> dict[str, Any]:
    """Everything that is known of an incident. Of the related ones the open ones come first."""
    related = (*triage.related.open, *triage.related.resolved)
    return {
        "outcome": triage.outcome,
        "reason": triage.reason,
        "suggestions": [suggestion_json(hit) for hit in triage.suggestions],
        "related_incidents": [related_json(one, catalogue, sight) for one in related],
        "major_incident_candidate": _major(triage.major),
        "problem_candidate": _problem(triage.problem, catalogue, sight),
        "escalation": _escalation(triage),
        "kind": asdict(triage.kind),
        "terms": [term_json(term) for term in triage.terms],
        "took_ms": triage.took_ms,
    }


def term_json(term: Term) -> dict[str, Any]:
    """A term of the glossary."""
    return {
        "term": term.term,
        "names": list(term.names),
        "definition": term.definition,
        "id": term.article_id,
        "anchor": term.anchor,
        "url": article_url(term.article_id, term.anchor),
    }


def _major(candidate: MajorCandidate | None) -> dict[str, Any] | None:
    if candidate is None:
        return None
    return {
        "reason": candidate.reason,
        "criteria": [asdict(one) for one in candidate.criteria],
        "count": len(candidate.incidents),
        "service": candidate.service,
        "incidents": [brief_json(one) for one in candidate.incidents],
        "parent": brief_json(candidate.parent) if candidate.parent else None,
        "linked": candidate.linked,
    }


def _problem(candidate: ProblemCandidate | None, catalogue: Catalogue, sight: Sight) -> dict[str, Any] | None:
    if candidate is None:
        return None
    problem = candidate.problem
    body = None
    if problem is not None:
        body = {**brief_json(problem), "known_error": problem.known_error, "workaround": problem.workaround}
    return {
        "reason": candidate.reason,
        "occurrences": candidate.occurrences,
        "incidents": [brief_json(one) for one in candidate.incidents],
        "problem": body,
        "articles": attachments_json(candidate.articles, catalogue, sight),
        "linked": candidate.linked,
    }


def _escalation(triage: Triage) -> dict[str, Any]:
    found = triage.escalation
    group = found.group
    return {
        "tier": found.tier,
        "owner": found.owner,
        "article": found.article,
        "assignment_group": group.name if group else None,
        "share": group.share if group else None,
        "incidents": list(group.incidents) if group else [],
        "on_call": {"id": found.on_call.id, "title": found.on_call.title, "url": found.on_call.url}
        if found.on_call
        else None,
        "urgent": found.urgent,
        "reason": found.reason,
    }
