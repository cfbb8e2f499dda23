"""For agents: an incident comes in."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field, model_validator

from kb_service.api.caller import Base, CallerSight, Records, Who
from kb_service.api.description import As
from kb_service.api.known_names import FormFields, KnownParameters
from kb_service.api.problems import NOT_FOUND, RESPONSES
from kb_service.api.record_bodies import TriagedBody
from kb_service.api.search_threads import on_search_threads
from kb_service.bodies import triage_json
from kb_service.incident import MOST_LETTERS, MOST_LETTERS_SHORT, Incident, incident_of
from kb_service.triage import Ticket

router = APIRouter(prefix="/api", tags=["incidents"], dependencies=[KnownParameters, Records], responses=RESPONSES)


class TriageBody(FormFields):
    """A number of the record, or what came in; a text that is nothing but such a number is one."""

    number: str | None = Field(None, max_length=64, examples=["INC0020119"])
    text: str | None = Field(None, max_length=MOST_LETTERS)
    short_description: str | None = Field(None, max_length=MOST_LETTERS_SHORT)
    description: str | None = Field(None, max_length=MOST_LETTERS)
    service: str | None = Field(None, max_length=200)
    cmdb_ci: str | None = Field(None, max_length=200)
    category: str | None = Field(None, max_length=200)
    impact: str | int | None = None
    urgency: str | int | None = None
    priority: str | int | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "TriageBody":
        if not any((self.number or "", self.text or "", self.short_description or "", self.description or "")):
            unread = f"; no field is called {', '.join(self.unknown)}" if self.unknown else ""
            raise ValueError(f"give a number, a text or a short_description{unread}")
        return self

    @property
    def ticket(self) -> Ticket:
        """What came in, as a record would say it. Raises InvalidIncidentError."""
        said = {name: getattr(self, name) for name in ("service", "cmdb_ci", "impact", "urgency", "priority")}
        text = "\n\n".join(filter(None, (self.short_description, self.text, self.description)))
        record: Incident = incident_of({"number": "NEW", "description": text, **said})
        return Ticket(
            text=record.text,
            service=record.service,
            cmdb_ci=record.cmdb_ci,
            impact=record.impact,
            urgency=record.urgency,
            priority=record.priority,
        )


@router.post("/triage", summary="Triage an incident", responses=NOT_FOUND)
@on_search_threads
def triage(
    base: Base, who: Who, sight: CallerSight, asked: Annotated[TriageBody, Body()]
) -> Annotated[dict[str, Any], As(TriagedBody)]:
    """Articles, related incidents, a flood, a problem, whom to hand it to: each with its evidence."""
    number = (asked.number or "").strip()
    named = base.incidents.named(asked.ticket.text, sight) if not number else None
    number = named.number if named else number
    ticket = Ticket.of(base.incidents.existing(number, sight).incident) if number else asked.ticket
    found = base.triager.triage(ticket, sight)
    base.searches.keep("triage", ticket.text, [hit.id for hit in found.suggestions], number or None, who.id)
    body = triage_json(found, base.searcher.catalogue, sight)
    return {
        "number": ticket.incident.number if ticket.incident else None,
        **body,
        "unknown": asked.unknown,
        "generation": base.index.generation,
        "demo": base.desk.is_demo,
    }
