"""For ticket forms: articles while the requester is still typing, and what became of them."""

import logging
import sqlite3
import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from indexer.disk import disk_error
from indexer.frontmatter import Audience
from kb_service import suggest as suggesting
from kb_service.api.caller import Base, CallerSight, Records, Who
from kb_service.api.description import As
from kb_service.api.known_names import FormFields, KnownFields, KnownParameters
from kb_service.api.problems import NOT_FOUND, RESPONSES
from kb_service.api.search_bodies import SuggestionBody
from kb_service.api.search_threads import on_search_threads
from kb_service.bodies import suggestion_json
from kb_service.deflection import Deflection, Event
from kb_service.incident import MOST_LETTERS
from kb_service.query import Query as SearchQuery
from kb_service.triage import Ticket

router = APIRouter(prefix="/api", tags=["ticket forms"], dependencies=[KnownParameters], responses=RESPONSES)

_log = logging.getLogger("kb.service")


class TicketBody(FormFields):
    """What a requester has written so far."""

    short_description: str = Field("", max_length=MOST_LETTERS, examples=["cannot log in after password change"])
    description: str | None = Field(None, max_length=MOST_LETTERS)
    service: str | None = Field(None, max_length=200, description="Articles of this service go before others as good.")
    category: str | None = Field(None, max_length=200, description="The same for articles with this tag.")
    audience: Audience | None = Field(
        None,
        description="See no more than this audience may, as the parameter of this name: `public` where anybody writes.",
    )
    limit: int = Field(suggesting.MOST_SUGGESTIONS, ge=1, le=suggesting.MOST_SUGGESTIONS)
    suggestion_id: str | None = Field(
        None, max_length=64, description="The one of the last answer, while the same form is filled in: what was"
        " suggested keeps its place unless something is better by a margin.",
    )  # fmt: skip
    shown: list[str] = Field([], max_length=20, description="Ids suggested already, where no suggestion_id is kept.")


class EventBody(KnownFields):
    """What happened on the form."""

    event: Event
    article: str | None = Field(None, max_length=500, description="The article that was opened or solved it.")
    number: str | None = Field(None, max_length=64, description="The number of the ticket that was submitted.")


class SuggestBody(BaseModel):
    """Articles for a ticket that is being written."""

    suggestions: list[SuggestionBody]
    reason: str = Field(description="Why there is none; empty where there are some.")
    suggestion_id: str | None = Field(description="To be sent along the next time, and with what became of them.")
    unknown: list[str] = Field(description="Which fields of the body were not read, as none is of that name.")
    generation: int
    took_ms: float


class HappenedBody(BaseModel):
    """What was kept."""

    suggestion_id: str
    event: Event


@router.post("/suggest", summary="Articles for a ticket that is being written")
@on_search_threads
def suggest(base: Base, who: Who, sight: CallerSight, ticket: TicketBody) -> Annotated[dict[str, Any], As(SuggestBody)]:
    """At most three, and only such as answer with the probability set by `KB_SUGGEST`; else none, and why.

    Under a dozen letters words alone are asked. Ask once a pause, not once a key.
    """
    started = time.perf_counter()
    sight = sight if ticket.audience is None else sight.narrowed(ticket.audience)
    text = "\n\n".join(filter(None, (ticket.short_description.strip(), (ticket.description or "").strip())))
    asked = SearchQuery(
        text,
        sight=sight,
        limit=ticket.limit,
        shown=base.suggestion_sessions.suggested(ticket.suggestion_id, who.id) or tuple(ticket.shown),
        prefer={name: value for name, value in (("service", ticket.service), ("tag", ticket.category)) if value},
        evidence=base.triager.evidence(Ticket(text, ticket.service), sight) if suggesting.says_enough(text) else {},
    )
    found = suggesting.suggest(base.searcher, asked, base.settings.suggest)
    known = ticket.suggestion_id
    session = None
    if found.hits or known:
        try:
            session = base.suggestion_sessions.keep(known, text, [hit.id for hit in found.hits], who.id)
        except sqlite3.Error as error:
            if (failing := disk_error(error)) is None:
                raise
            # To who waits for it the article is worth more than that it is counted
            _log.error("a suggestion is not counted: %s", failing)
    return {
        "suggestions": [suggestion_json(hit) for hit in found.hits],
        "reason": found.reason,
        "suggestion_id": session,
        "unknown": ticket.unknown,
        "generation": found.generation,
        "took_ms": round((time.perf_counter() - started) * 1000, 2),
    }


@router.post("/suggest/{suggestion_id}/events", summary="Say what became of suggestions", status_code=201,
             responses=NOT_FOUND)  # fmt: skip
def report(
    base: Base, who: Who, sight: CallerSight, suggestion_id: str, body: EventBody
) -> Annotated[dict[str, Any], As(HappenedBody)]:
    """`shown`, `opened` (an article), `solved` ("this solved it"), `submitted` (a ticket all the same)."""
    knowledge = base.searcher.article(body.article, sight) if body.article else None
    base.suggestion_sessions.report(
        suggestion_id,
        body.event,
        article=knowledge.id if knowledge else body.article,
        revision=knowledge.revision if knowledge else None,
        number=body.number,
        caller=who.id,
    )
    return {"suggestion_id": suggestion_id, "event": body.event}


@router.get("/deflection", summary="What suggestions saved", dependencies=[Records])
def deflection(
    base: Base, days: Annotated[int, Query(ge=1, le=3650)] = 30
) -> Annotated[dict[str, Any], As(Deflection)]:
    """Forms of the last days: suggested, shown, opened, submitted; confirmed and potential deflections."""
    return asdict(base.suggestion_sessions.deflection(days))
