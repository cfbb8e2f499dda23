"""The page to triage from: paste what came in, or open a number."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from kb_service.access import Caller, Sight
from kb_service.api.caller import Base, CallerSight, Records, Who
from kb_service.bodies import incident_url
from kb_service.incident import MOST_LETTERS
from kb_service.knowledge_base import KnowledgeBase
from kb_service.timeline import timeline
from kb_service.triage import Ticket
from kb_service.web.forms import Form
from kb_service.web.page import MOST_IN_ADDRESS, page

router = APIRouter(include_in_schema=False, dependencies=[Records])


@router.get("/triage")
def triage_page(
    request: Request,
    base: Base,
    who: Who,
    sight: CallerSight,
    text: Annotated[str, Query(max_length=MOST_IN_ADDRESS)] = "",
    service: Annotated[str, Query(max_length=200)] = "",
    number: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The field, and what is known of the text in it; a number is opened, also one that stands where the text does."""
    if number.strip():
        return RedirectResponse(incident_url(number.strip()), 303)
    if record := base.incidents.named(text, sight):
        return RedirectResponse(incident_url(record.number), 303)
    return page(request, "triage.html", _triaged(base, who, sight, text.strip(), service.strip()))


@router.post("/triage")
def triage_text(request: Request, base: Base, who: Who, sight: CallerSight, fields: Form) -> Response:
    """What was pasted: at an address of its own where a server's holds it."""
    text, service = fields.get("text", "").strip()[:MOST_LETTERS], fields.get("service", "").strip()[:200]
    number = fields.get("number", "").strip()
    if number:
        return RedirectResponse(incident_url(number), 303)
    if len(text) <= MOST_IN_ADDRESS:
        said = {name: value for name, value in (("text", text), ("service", service)) if value}
        return RedirectResponse(f"/triage?{urlencode(said)}", 303)
    return page(request, "triage.html", _triaged(base, who, sight, text, service))


def _triaged(base: KnowledgeBase, who: Caller, sight: Sight, text: str, service: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "text": text, "service": service, "triage": None, "flood": None,
        "services": base.incidents.values_of("service", sight),
    }  # fmt: skip
    if not text:
        return told
    found = base.triager.triage(Ticket(text, service or None), sight)
    base.searches.keep("triage", text, [hit.id for hit in found.suggestions], caller=who.id)
    return {**told, "triage": found, "flood": timeline(found.major.incidents) if found.major else None}
