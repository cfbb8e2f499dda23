"""The service: routes over one opened knowledge base."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb_service.api import feedback, incidents, operators, search, tickets, triage
from kb_service.api.problems import RESPONSES, add_handlers
from kb_service.incident_index import Follower
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Publisher
from kb_service.web import incidents as incident_pages
from kb_service.web import pages

MOST_BODY_BYTES = 2 * 1024 * 1024


class _WithoutBlankParameters:
    """A form sends its empty fields too (``&type=&limit=``): what is blank is not asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = scope["query_string"].split(b"&")
            scope = {**scope, "query_string": b"&".join(one for one in given if one.partition(b"=")[2])}
        await self._app(scope, receive, send)


class _MarkedAsDemo:
    """Says on every answer that the records are a sample."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["KB-Demo"] = "sample records"
            await send(message)

        await self._app(scope, receive, marked)


def create_app(base: KnowledgeBase, publisher: Publisher | None = None) -> FastAPI:
    """The service over a knowledge base; ``publisher`` is what keeps it in step, if anything does."""
    follower = Follower(base.incident_index)
    base.incidents.on_change = follower.wake

    @asynccontextmanager
    async def following(_app: FastAPI) -> AsyncIterator[None]:
        follower.start()
        yield
        await run_in_threadpool(follower.stop)

    app = FastAPIOffline(
        redoc_url=None,
        lifespan=following,
        max_body_size=MOST_BODY_BYTES,
        title="Knowledge base",
        description="Finds the right article during incident triage, by words, by meaning and by exact identifiers.",
        version="0.1.0",
        responses=RESPONSES,
    )
    app.state.knowledge_base = base
    app.state.publisher = publisher or Publisher(base)
    app.add_middleware(_WithoutBlankParameters)
    if base.desk.is_demo:
        app.add_middleware(_MarkedAsDemo)
    add_handlers(app)
    app.include_router(search.router)
    app.include_router(incidents.router)
    app.include_router(triage.router)
    app.include_router(tickets.router)
    app.include_router(feedback.router)
    app.include_router(operators.router)
    app.include_router(pages.router)
    app.include_router(incident_pages.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app
