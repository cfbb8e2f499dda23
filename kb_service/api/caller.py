"""What a request may use and see: the service's parts, who asks, and what that one may.

Nothing here looks anything up, so it is done where it is asked for: a thread for each would cost a tenth of a
millisecond.
"""

from typing import Annotated, Any

from fastapi import Depends, Query, Request

from indexer.frontmatter import Audience
from kb_service.access import Caller, NotForCallerError, Role, Sight
from kb_service.callers import NoCredentialsError
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Publisher


async def knowledge_base(request: Request) -> KnowledgeBase:
    opened: KnowledgeBase = request.app.state.knowledge_base
    return opened


async def publisher(request: Request) -> Publisher:
    running: Publisher = request.app.state.publisher
    return running


async def caller(request: Request) -> Caller:
    """Who asks. Raises NoCredentialsError."""
    known: Caller | None = request.state.caller
    if known is None:
        raise NoCredentialsError
    return known


async def sight(
    who: Annotated[Caller, Depends(caller)],
    wanted: Annotated[
        Audience | None,
        Query(alias="audience", description="See no more than this audience may. Ticket forms ask as `public`."),
    ] = None,
) -> Sight:
    """What the caller sees; one may ask for less than one may see, never for more."""
    return who.sight if wanted is None else who.sight.narrowed(wanted)


def needs(role: Role, what: str) -> Any:
    """A dependency: callers below the role, and those who ask to see no more than what is public, get 403."""

    async def check(who: Annotated[Caller, Depends(caller)], seen: Annotated[Sight, Depends(sight)]) -> None:
        who.require(role, what)
        if not seen.within:
            raise NotForCallerError(f"{what} is for agents; this asks for what is public", "Leave 'audience' out")

    return Depends(check)


Records = needs("agent", "The desk's record")
Authors = needs("author", "What was published and what was refused")
Admins = needs("admin", "What tells of the service itself")
Base = Annotated[KnowledgeBase, Depends(knowledge_base)]
Publishing = Annotated[Publisher, Depends(publisher)]
Who = Annotated[Caller, Depends(caller)]
CallerSight = Annotated[Sight, Depends(sight)]
