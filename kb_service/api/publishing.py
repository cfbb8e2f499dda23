"""For authors and operators: what is live, what was refused and why, and how the content is followed."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from indexer.errors import Problem
from indexer.git_command import without_credentials
from kb_service.api.caller import Authors, Base, Publishing
from kb_service.api.description import As
from kb_service.api.known_names import KnownParameters
from kb_service.api.problems import RESPONSES
from kb_service.content import is_ref
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Failure, Publisher, Status, Why

router = APIRouter(prefix="/api", tags=["operation"], dependencies=[KnownParameters, Authors], responses=RESPONSES)


class FollowsBody(BaseModel):
    """How the content is followed."""

    kind: Literal["remote", "ref", "files"]
    content: str
    ref: str | None
    folder: str | None
    watch: bool
    poll_seconds: float | None
    webhook: bool


class PublishedBody(BaseModel):
    """The last publish that changed something."""

    at: datetime
    why: Why
    seconds: float
    changed: int
    encoded: int
    objects: int
    passages: int
    note: str | None


class PublishingBody(BaseModel):
    """What is live."""

    revision: str | None
    revision_seen: str | None
    in_step: bool
    generation: int
    looked_at: datetime | None
    running: bool
    follows: FollowsBody
    last: PublishedBody | None
    refused: list[Problem] = Field(description="What is wrong, file by file.")
    failure: Failure | None


@router.get("/publishing", summary="What is live, and what was refused and why")
def publishing(base: Base, publisher: Publishing) -> Annotated[dict[str, Any], As(PublishingBody)]:
    """The revision that answers, the newest one seen, the last publish, what keeps a newer one back."""
    status = publisher.status
    revision = base.index.meta("revision")
    return {
        "revision": revision,
        "revision_seen": status.seen,
        "in_step": status.failure is None and not status.running and (status.seen is None or status.seen == revision),
        "generation": base.index.generation,
        "looked_at": status.looked_at,
        "running": status.running,
        "follows": _follows(base, publisher),
        "last": _last(status),
        "refused": [asdict(refusal) for refusal in base.searcher.catalogue.refusals()],
        "failure": asdict(status.failure) if status.failure else None,
    }


def _follows(base: KnowledgeBase, publisher: Publisher) -> dict[str, Any]:
    settings = base.settings
    kind = "remote" if settings.content_remote else "ref" if is_ref(settings) else "files"
    return {
        "kind": kind,
        "content": without_credentials(settings.content_remote or str(settings.content)),
        "ref": settings.content_ref or ("HEAD" if kind != "files" else None),
        "folder": settings.content_folder or None,
        "watch": publisher.watches_files,
        "poll_seconds": settings.poll_seconds or None,
        "webhook": settings.hook_secret is not None,
    }


def _last(status: Status) -> dict[str, Any] | None:
    if status.last is None:
        return None
    report = status.last.report
    return {
        "at": status.last.at,
        "why": status.last.why,
        "seconds": status.last.seconds,
        "changed": report.changed,
        "encoded": report.encoded,
        "objects": report.objects,
        "passages": report.passages,
        "note": report.note or None,
    }
