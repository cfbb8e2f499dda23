"""Pages of the desk's records: a list with what floods in on top, and one record with its triage."""

from typing import Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from kb_service.api.caller import Base, CallerSight, Records, Who
from kb_service.attachments import Relation
from kb_service.bodies import attachments_json, incident_url, sees_article
from kb_service.incident_reading import Selection, UnknownIncidentError
from kb_service.knowledge_base import KnowledgeBase
from kb_service.past import UnknownArticleError
from kb_service.timeline import timeline
from kb_service.triage import Ticket
from kb_service.vocabulary import KINDS, STATES
from kb_service.web.forms import Form
from kb_service.web.page import page

router = APIRouter(include_in_schema=False, dependencies=[Records])

_PAGE = 50
_MOST_FLOODS = 5
_RELATIONS = {"attached", "resolved_by", "detached"}
Name = Annotated[str, Query(max_length=200)]


@router.get("/incidents")
def incidents_page(
    request: Request,
    base: Base,
    sight: CallerSight,
    q: Annotated[str, Query(max_length=20_000)] = "",
    state: Name = "",
    kind: Name = "",
    service: Name = "",
    group: Name = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """The latest records, or those that match."""
    wanted = Selection(
        state=state if state in {"open", *STATES} else None,
        kind=kind if kind in KINDS else None,
        service=service or None,
        assignment_group=group or None,
        limit=_PAGE,
        offset=offset,
        sight=sight,
    )
    return _listed(request, base, wanted, q)


def _listed(request: Request, base: KnowledgeBase, wanted: Selection, q: str, missing: str = "") -> Response:
    """The list; ``missing`` is the number of a record that was asked for and is not there."""
    sight = wanted.sight
    found, total = base.related.matching(q, wanted) if q.strip() else base.incidents.listed(wanted)
    asked = {
        "q": q, "state": wanted.state, "kind": wanted.kind, "service": wanted.service, "group": wanted.assignment_group,
    }  # fmt: skip
    chosen = {name: value for name, value in asked.items() if value}
    is_whole = not chosen and not wanted.offset
    floods = base.triager.open_floods(sight)[:_MOST_FLOODS] if is_whole else []
    context = {
        "asked": q,
        "wanted": wanted,
        "states": ("open", *STATES),
        "kinds": KINDS,
        "services": base.incidents.values_of("service", sight),
        "groups": base.incidents.values_of("assignment_group", sight),
        "found": [one.incident for one in found],
        "total": total,
        "missing": missing,
        "floods": [(one, timeline(one.incidents)) for one in floods],
        "later": _address(chosen, wanted.offset - _PAGE) if wanted.offset else None,
        "earlier": _address(chosen, wanted.offset + _PAGE) if total > wanted.offset + len(found) else None,
    }
    return page(request, "incidents.html", context, 404 if missing else 200)


def _address(chosen: dict[str, str], offset: int) -> str:
    return "/incidents?" + urlencode({**chosen, **({"offset": offset} if offset > 0 else {})})


@router.get("/incidents/{number}")
def incident_page(request: Request, base: Base, sight: CallerSight, number: str) -> Response:
    """A record, what is known of it, and its articles."""
    try:
        recorded = base.incidents.existing(number, sight)
    except UnknownIncidentError:
        return _listed(request, base, Selection(limit=_PAGE, sight=sight), number, missing=number)
    incident = recorded.incident
    attached = base.attachments.of_incidents([incident.number]).get(incident.number, [])
    triage = base.triager.triage(Ticket.of(incident), sight)
    context = {
        "recorded": recorded,
        "triage": triage,
        "flood": timeline(triage.major.incidents) if triage.major else None,
        "attached": attachments_json(attached, base.searcher.catalogue, sight),
        "runs": [
            one
            for one in base.runs.of_incident(incident.number)
            if sees_article(base.searcher.catalogue, one.article, sight)
        ],
        "children": base.incidents.children(incident.number, sight),
    }
    return page(request, "incident.html", context)


@router.post("/incidents/{number}/articles")
def attach(base: Base, who: Who, sight: CallerSight, number: str, fields: Form) -> Response:
    """Attach an article, say that it resolved the incident, or take it back; then the record again."""
    existing = base.incidents.existing(number, sight).incident.number
    article, relation = fields.get("article", ""), fields.get("relation") or "attached"
    known = base.searcher.article(article, sight)
    attached = {one.article: one for one in base.attachments.of_incidents([existing]).get(existing, ())}
    if relation == "detached" and article in attached and sees_article(base.searcher.catalogue, article, sight):
        base.attachments.add(existing, article, attached[article].revision, "detached", by=who)
    elif known is None or relation not in _RELATIONS - {"detached"}:
        raise UnknownArticleError(article)
    else:
        base.attachments.add(existing, known.id, known.revision, cast(Relation, relation), by=who)
    return RedirectResponse(f"{incident_url(existing)}#attached", 303)
