"""For operators: is it alive, and what does it answer from."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from kb_service.api.caller import Base, Publishing
from kb_service.api.problems import problem

router = APIRouter(tags=["operation"])


@router.get("/healthz", summary="Is the process alive")
def healthz() -> dict[str, str]:
    """Answers as long as the process does; touches nothing."""
    return {"status": "ok"}


@router.get("/readyz", summary="Can it answer, and from what", response_model=None)
def readyz(base: Base, publishing: Publishing) -> dict[str, Any] | JSONResponse:
    """The live generation, its revision and encoder, counts, and how much can be found by meaning yet."""
    if not base.index.generation:
        return problem(503, "Nothing is published yet. The first index is being built, or failed: see the log.")
    passages, wanted, there = base.index.counts()
    report = publishing.last
    return {
        "status": "ready",
        "generation": base.index.generation,
        "revision": base.index.meta("revision"),
        "encoder": base.index.meta("encoder"),
        "objects": base.searcher.catalogue.count(),
        "passages": passages,
        "encoded": {"done": there, "of": wanted, "share": base.searcher.encoded_share()},
        "incidents": {"count": base.incidents.count(), "behind": base.incident_index.behind()},
        "demo": base.desk.is_demo,
        "publishing": publishing.running,
        "refused": len({refusal.path for refusal in base.searcher.catalogue.refusals()}),
        "last_publish_seconds": report.seconds if report else None,
        "failure": str(publishing.failure) if publishing.failure else None,
    }
