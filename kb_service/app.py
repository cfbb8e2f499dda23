"""The service: routes over one opened knowledge base."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi_offline import FastAPIOffline
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from indexer.disk import disk_error
from indexer.errors import KnowledgeBaseError
from kb_service.api import articles, feedback, hooks, incidents, me, operators, publishing, search, tickets, triage
from kb_service.api.below_root import BelowRoot
from kb_service.api.description import describe
from kb_service.api.gate import Gate
from kb_service.api.middleware import (
    HeadAsGet,
    MarkedAsDemo,
    SafeByDefault,
    TooLargeAsProblem,
    WithinBounds,
    WithoutBlankParameters,
    WithoutQueues,
)
from kb_service.api.observing import FailuresAsProblems, Observed
from kb_service.api.problems import add_handlers
from kb_service.callers import Callers
from kb_service.ending import end_in_failure
from kb_service.failures import Failures
from kb_service.gauges import Gauges
from kb_service.incident_index import Follower
from kb_service.knowledge_base import KnowledgeBase
from kb_service.metrics import Metrics
from kb_service.origins import Origins
from kb_service.page_sessions import ForeignFormError, PageSessions
from kb_service.publishing import Publisher
from kb_service.rates import RateLimiter, Rates
from kb_service.retention import expire
from kb_service.settings import Settings
from kb_service.web import articles as article_pages
from kb_service.web import docs, files, history, runs, searching, sign_in, widget
from kb_service.web import glossary as glossary_page
from kb_service.web import help as help_page
from kb_service.web import incidents as incident_pages
from kb_service.web import publishing as publishing_page
from kb_service.web import sessions as sessions_page
from kb_service.web import triage as triage_page
from kb_service.web.problems import ProblemsAsPages
from kb_service.webhooks import Replays

MOST_BODY_BYTES = 2 * 1024 * 1024
_EXPIRY_SECONDS = 24 * 3600.0
_log = logging.getLogger("kb.service")


def create_app(base: KnowledgeBase, publisher: Publisher | None = None) -> FastAPI:
    """The service over a knowledge base; ``publisher`` is what keeps it in step, if anything does."""
    publisher = publisher or Publisher(base)
    settings = base.settings
    callers = Callers(base.keys, settings)
    sessions = PageSessions(base.desk, settings.session_hours, settings.session_idle_hours)
    limiter = RateLimiter(Rates(settings.rate_key, settings.rate_address, settings.rate_refused))
    follower = Follower(base.incident_index)
    base.incidents.on_change = follower.wake
    metrics = Metrics(Gauges(base, publisher, follower))
    base.searcher.measured = partial(metrics.searched, "articles")
    base.incident_index.searcher.measured = partial(metrics.searched, "incidents")
    publisher.tell(metrics.published)

    async def expiring() -> None:
        while True:
            try:
                await run_in_threadpool(expire, base.incidents, base.incident_index, settings.retention)
            except Exception as error:
                is_told = isinstance(error, KnowledgeBaseError | OSError | sqlite3.Error)
                # Whatever it was, it must not be the last try
                _log.error(
                    "what is too old could not be deleted; it is tried again: %s", disk_error(error) or error,
                    exc_info=None if is_told else error,
                )  # fmt: skip
            await asyncio.sleep(_EXPIRY_SECONDS)

    @asynccontextmanager
    async def following(_app: FastAPI) -> AsyncIterator[None]:
        follower.start()
        daily = asyncio.create_task(expiring())
        yield
        daily.cancel()
        await run_in_threadpool(follower.stop)
        await run_in_threadpool(publisher.stop)

    app = FastAPIOffline(
        docs_url=None,
        redoc_url=None,
        lifespan=following,
        title="Knowledge base",
        description="Finds the right article during incident triage, by words, by meaning and by exact identifiers.",
        version=version("kb-service"),
    )
    app.state.knowledge_base = base
    app.state.publisher = publisher
    app.state.replays = Replays()
    app.state.metrics, app.state.failures = metrics, Failures(base, publisher, metrics, end_in_failure)
    app.state.callers, app.state.sessions, app.state.limiter = callers, sessions, limiter
    _surround(app, settings, is_demo=base.desk.is_demo)
    add_handlers(app)
    describe(app)
    app.add_exception_handler(ForeignFormError, sign_in.foreign_form)
    for part in (
        search, articles, incidents, triage, tickets, feedback, publishing, me, operators, hooks,
        searching, article_pages, history, runs, glossary_page, triage_page, incident_pages, publishing_page, help_page,
        docs, sessions_page, sign_in, widget, files,
    ):  # fmt: skip
        # Included as routers they would be made anew by the first request, and looked at in two steps by each
        app.router.routes.extend(part.router.routes)
    app.mount("/static", files.Files(directory=files.FOLDER), name="static")
    return app


def _surround(app: FastAPI, settings: Settings, *, is_demo: bool) -> None:
    """What every request passes, from the innermost to the outermost."""
    callers, sessions, limiter = app.state.callers, app.state.sessions, app.state.limiter
    app.add_middleware(WithoutBlankParameters)
    # A route may set another limit by its own max_body_size
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MOST_BODY_BYTES)
    app.add_middleware(TooLargeAsProblem)
    app.add_middleware(Gate, callers=callers, sessions=sessions, limiter=limiter, origins=Origins(settings))
    app.add_middleware(WithoutQueues)
    app.add_middleware(WithinBounds)
    app.add_middleware(FailuresAsProblems, failures=app.state.failures)
    app.add_middleware(ProblemsAsPages)
    if is_demo:
        app.add_middleware(MarkedAsDemo)
    if settings.root:
        app.add_middleware(BelowRoot, root=settings.root)
    app.add_middleware(SafeByDefault, url=settings.url)
    app.add_middleware(HeadAsGet)
    app.add_middleware(Observed, metrics=app.state.metrics, texts=settings.log_texts)
