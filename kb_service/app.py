"""The service: routes over one opened knowledge base."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp, Receive, Scope, Send

from kb_service.api import operators, search
from kb_service.api.problems import RESPONSES, add_handlers
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Publisher
from kb_service.web import pages


class _WithoutBlankParameters:
    """A form sends its empty fields too (``&type=&limit=``): what is blank is not asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = scope["query_string"].split(b"&")
            scope = {**scope, "query_string": b"&".join(one for one in given if one.partition(b"=")[2])}
        await self._app(scope, receive, send)


def create_app(base: KnowledgeBase, publisher: Publisher | None = None) -> FastAPI:
    """The service over a knowledge base; ``publisher`` is what keeps it in step, if anything does."""
    app = FastAPIOffline(
        redoc_url=None,
        title="Knowledge base",
        description="Finds the right article during incident triage, by words, by meaning and by exact identifiers.",
        version="0.1.0",
        responses=RESPONSES,
    )
    app.state.knowledge_base = base
    app.state.publisher = publisher or Publisher(base)
    app.add_middleware(_WithoutBlankParameters)
    add_handlers(app)
    app.include_router(search.router)
    app.include_router(operators.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app
