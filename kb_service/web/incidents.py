"""Pages of the desk's records: a list, and one record with its triage."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from kb_service.access import Sight
from kb_service.api.caller import Base, CallerSight, Records
from kb_service.bodies import attachments_json
from kb_service.incidents import Selection
from kb_service.knowledge_base import KnowledgeBase
from kb_service.triage import Ticket
from kb_service.vocabulary import STATES
from kb_service.web.pages import page

router = APIRouter(include_in_schema=False, dependencies=[Records])


@router.get("/incidents")
def incidents_page(
    request: Request,
    base: Base,
    sight: CallerSight,
    q: Annotated[str, Query(max_length=20_000)] = "",
    state: Annotated[str | None, Query(max_length=20)] = None,
) -> HTMLResponse:
    """The latest records, or those that match."""
    return _listed(request, base, sight, q, state if state in {"open", *STATES} else None)


def _listed(
    request: Request, base: KnowledgeBase, sight: Sight, q: str, state: str | None, missing: str = ""
) -> HTMLResponse:
    """The list; ``missing`` is the number of a record that was asked for and is not there."""
    wanted = Selection(state=state, limit=100, sight=sight)
    found, total = base.related.matching(q, wanted) if q.strip() else base.incidents.listed(wanted)
    context = {
        "asked": q,
        "wanted": wanted.state,
        "states": ("open", *STATES),
        "found": [one.incident for one in found],
        "total": total,
        "missing": missing,
    }
    return page(request, "incidents.html", context, 404 if missing else 200)


@router.get("/incidents/{number}")
def incident_page(request: Request, base: Base, sight: CallerSight, number: str) -> HTMLResponse:
    """A record, what is known of it, and its articles."""
    recorded = base.incidents.get(number, sight)
    if recorded is None:
        return _listed(request, base, sight, number, None, missing=number)
    attached = base.attachments.of_incidents([recorded.incident.number]).get(recorded.incident.number, [])
    context = {
        "recorded": recorded,
        "triage": base.triager.triage(Ticket.of(recorded.incident), sight),
        "attached": attachments_json(attached, base.searcher.catalogue, sight),
        "children": base.incidents.children(recorded.incident.number, sight),
    }
    return page(request, "incident.html", context)
