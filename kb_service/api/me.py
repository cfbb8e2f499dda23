"""For every caller: who one is here, what one may see, and what is kept about one."""

from typing import Any

from fastapi import APIRouter

from kb_service.access import NotForCallerError
from kb_service.api.caller import Base, CallerSight, Who
from kb_service.kept import kept_about

router = APIRouter(prefix="/api", tags=["callers"])


@router.get("/me", summary="Who one is")
def me(who: Who, sight: CallerSight) -> dict[str, Any]:
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
def kept(base: Base, who: Who) -> dict[str, Any]:
    """Searches, opened articles, suggestions, votes and comments, and changes of records: all that names the caller.

    Not where one is one of many, by a key that stands in a page or without any.
    """
    if who.is_shared:
        raise NotForCallerError("Others ask in the same name, and what is kept is theirs too", "Ask an administrator")
    return kept_about(base.desk, who.id)
