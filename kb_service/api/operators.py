"""For operators: is it alive, what does it answer from, and how does it do."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import generate_latest
from pydantic import BaseModel

from kb_service.api.caller import Admins, Base, Publishing
from kb_service.api.description import FOR_ANYBODY
from kb_service.api.problems import RESPONSES, problem
from kb_service.failures import NOTHING_YET
from kb_service.metrics import Metrics

router = APIRouter(tags=["operation"], responses=RESPONSES)


@router.get("/healthz", summary="Is the process alive", openapi_extra=FOR_ANYBODY)
async def healthz() -> dict[str, str]:
    """Answers as long as the process does; touches nothing."""
    return {"status": "ok"}


class ReadyBody(BaseModel):
    """It can answer."""

    status: Literal["ready"]


class EncodedBody(BaseModel):
    """How many passages can be found by meaning yet."""

    done: int
    of: int
    share: float


class RecordsBehindBody(BaseModel):
    """How many records there are, and whether some cannot be found yet."""

    count: int
    behind: bool


class ReadyToAdminsBody(ReadyBody):
    """It can answer, and from what."""

    generation: int
    revision: str | None
    revision_seen: str | None
    encoder: str | None
    objects: int
    passages: int
    encoded: EncodedBody
    incidents: RecordsBehindBody
    demo: bool
    publishing: bool
    refused: int
    last_publish_seconds: float | None
    failure: str | None


@router.get("/readyz", summary="Can it answer, and from what", response_model=None, openapi_extra=FOR_ANYBODY,
            responses={200: {"model": ReadyToAdminsBody | ReadyBody}})  # fmt: skip
def readyz(request: Request, base: Base, publishing: Publishing) -> dict[str, Any] | JSONResponse:
    """To admins: the live generation, its revision and encoder, counts, and how much can be found by meaning yet."""
    if not base.index.generation:
        return problem(503, NOTHING_YET)
    if request.state.caller is None or not request.state.caller.is_at_least("admin"):
        return {"status": "ready"}
    passages, wanted, there = base.index.counts()
    is_current = base.index.meta("encoder") == base.encoder.identity
    share = (round(there / wanted, 4) if wanted else 1.0) if is_current else 0.0
    status = publishing.status
    return {
        "status": "ready",
        "generation": base.index.generation,
        "revision": base.index.meta("revision"),
        "revision_seen": status.seen,
        "encoder": base.index.meta("encoder"),
        "objects": base.searcher.catalogue.count(),
        "passages": passages,
        "encoded": {"done": there, "of": wanted, "share": share},
        "incidents": {"count": base.incidents.count(), "behind": base.incident_index.behind()},
        "demo": base.desk.is_demo,
        "publishing": status.running,
        "refused": len({refusal.path for refusal in base.searcher.catalogue.refusals()}),
        "last_publish_seconds": status.last.seconds if status.last else None,
        "failure": str(status.failure) if status.failure else None,
    }


@router.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse, dependencies=[Admins])
def metrics(request: Request) -> PlainTextResponse:
    """Gauges, counters and histograms in Prometheus' text format."""
    kept: Metrics = request.app.state.metrics
    return PlainTextResponse(generate_latest(kept.registry), media_type="text/plain; version=0.0.4; charset=utf-8")
