"""What a request may use and see: the service's parts, and the caller's audience."""

from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.exceptions import HTTPException

from indexer.frontmatter import AUDIENCES, Audience
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Publisher


def knowledge_base(request: Request) -> KnowledgeBase:
    opened: KnowledgeBase = request.app.state.knowledge_base
    return opened


def publisher(request: Request) -> Publisher:
    running: Publisher = request.app.state.publisher
    return running


def audience(
    request: Request,
    wanted: Annotated[
        Audience | None,
        Query(alias="audience", description="See no more than this audience may. Ticket forms ask as `public`."),
    ] = None,
) -> Audience:
    """The caller's audience; one may ask for less than one may see, never for more."""
    most = knowledge_base(request).settings.default_audience
    if wanted is None:
        return most
    if AUDIENCES.index(wanted) > AUDIENCES.index(most):
        raise HTTPException(403, f"The audience '{wanted}' is not for this caller, who may see '{most}'.")
    return wanted


def sees_records(caller: Annotated[Audience, Depends(audience)]) -> None:
    """Requesters do not see the desk's records, nor what is made of them."""
    if caller == "public":
        raise HTTPException(403, "Incident records are for agents; this caller sees public articles only.")


Records = Depends(sees_records)
Base = Annotated[KnowledgeBase, Depends(knowledge_base)]
Publishing = Annotated[Publisher, Depends(publisher)]
CallerAudience = Annotated[Audience, Depends(audience)]
