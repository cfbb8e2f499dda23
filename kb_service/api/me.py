"""For every caller: who one is here, what one may see, and what is kept about one."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from indexer.frontmatter import Audience
from kb_service.access import NotForCallerError, Role
from kb_service.api.caller import Base, CallerSight, Who
from kb_service.api.description import As
from kb_service.api.known_names import KnownParameters
from kb_service.api.problems import RESPONSES
from kb_service.kept import kept_about

router = APIRouter(prefix="/api", tags=["callers"], dependencies=[KnownParameters], responses=RESPONSES)


class MeBody(BaseModel):
    """The caller."""

    id: str
    name: str
    role: Role
    audience: Audience
    groups: list[str] | None = Field(description="Whose restricted articles are seen; null: those of all.")
    services: list[str] | None = Field(description="What is one's concern; null: everything.")


class KeptBody(BaseModel):
    """What is kept about a caller, table by table, each row as it stands in the record."""

    caller: str
    searches: list[dict[str, Any]]
    opened: list[dict[str, Any]]
    suggestions: list[dict[str, Any]]
    suggestion_events: list[dict[str, Any]]
    feedback: list[dict[str, Any]]
    gaps: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    attachments: list[dict[str, Any]]
    keys: list[dict[str, Any]]
    signed_in: list[dict[str, Any]]
    changes: list[dict[str, Any]]


@router.get("/me", summary="Who one is")
def me(who: Who, sight: CallerSight) -> Annotated[dict[str, Any], As(MeBody)]:
    """The caller as the service knows it, and what it sees."""
    return {
        "id": who.id,
        "name": who.name,
        "role": who.role,
        "audience": sight.audience,
        "groups": None if sight.groups is None else sorted(sight.groups),
        "services": None if sight.services is None else sorted(sight.services),
    }


@router.get("/me/kept", summary="What is kept about one")
def kept(base: Base, who: Who) -> Annotated[dict[str, Any], As(KeptBody)]:
    """Searches, opened articles, suggestions, votes and comments, and changes of records: all that names the caller.

    Not where one is one of many, by a key that stands in a page or without any.
    """
    if who.is_shared:
        raise NotForCallerError("Others ask in the same name, and what is kept is theirs too", "Ask an administrator")
    return kept_about(base.desk, who.id)
