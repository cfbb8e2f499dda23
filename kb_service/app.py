"""The service: routes over one opened knowledge base."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline

from kb_service.api import articles, feedback, hooks, incidents, operators, publishing, search, tickets, triage
from kb_service.api.middleware import MarkedAsDemo, TooLargeAsProblem, WithoutBlankParameters
from kb_service.api.problems import RESPONSES, add_handlers
from kb_service.incident_index import Follower
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Publisher
from kb_service.web import incidents as incident_pages
from kb_service.web import pages
from kb_service.webhooks import Replays

MOST_BODY_BYTES = 2 * 1024 * 1024


def create_app(base: KnowledgeBase, publisher: Publisher | None = None) -> FastAPI:
    """The service over a knowledge base; ``publisher`` is what keeps it in step, if anything does."""
    publisher = publisher or Publisher(base)
    follower = Follower(base.incident_index)
    base.incidents.on_change = follower.wake

    @asynccontextmanager
    async def following(_app: FastAPI) -> AsyncIterator[None]:
        follower.start()
        yield
        await run_in_threadpool(follower.stop)
        await run_in_threadpool(publisher.stop)

    app = FastAPIOffline(
        redoc_url=None,
        lifespan=following,
        title="Knowledge base",
        description="Finds the right article during incident triage, by words, by meaning and by exact identifiers.",
        version="0.1.0",
        responses=RESPONSES,
    )
    app.state.knowledge_base = base
    app.state.publisher = publisher
    app.state.replays = Replays()
    app.add_middleware(WithoutBlankParameters)
    app.add_middleware(TooLargeAsProblem)
    if base.desk.is_demo:
        app.add_middleware(MarkedAsDemo)
    add_handlers(app)
    for part in (
        search, articles, incidents, triage, tickets, feedback, publishing, operators, pages, incident_pages,
    ):  # fmt: skip
        app.include_router(part.router, max_body_size=MOST_BODY_BYTES)
    app.include_router(hooks.router, max_body_size=hooks.MOST_BODY_BYTES)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app
