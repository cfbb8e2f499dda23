"""What every request passes before anything is looked up: how often, from where, and who it is that asks."""

import logging
import time
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.errors import KnowledgeBaseError
from kb_service.access import Caller
from kb_service.api.problems import refusal
from kb_service.api.session_cookie import cookie_of
from kb_service.callers import Callers, CredentialsRefusedError, NoCredentialsError
from kb_service.origins import ForeignHostError, ForeignOriginError, Origins
from kb_service.page_sessions import PageSession, PageSessions, wanted_page
from kb_service.rates import RateLimiter, TooManyRequestsError

CSRF_HEADER = "x-csrf-token"
_log = logging.getLogger("kb.access")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Answered to anybody: they tell nothing, sign one in, or are signed themselves
_FOR_ANYBODY = ("/readyz", "/login", "/logout", "/hooks/git")
# Who watches over a service asks by its address, whatever name people use
_PROBED = "/readyz"
# Whether the process lives is told whatever state the rest is in; files are the same for everybody
_TOUCHING_NOTHING = ("/healthz", "/static/", "/widget.js", "/favicon.ico")
# Of a key, a session, another site: each is looked for in the record, which may take its time
_HEADERS_LOOKED_UP = frozenset({"authorization", "x-api-key", "cookie", "origin"})
_NO_PAGES = ("/api/", "/media/", "/metrics", "/openapi.json")
# Whoever asks too often costs no look-up each time
_ORIGINS_SECONDS = 1.0
_CORS = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, X-API-Key, Content-Type",
    "Access-Control-Max-Age": "600",
}


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who asks, and the browser's session if it has one; or why the request is refused.

    ``origin`` is that of another site's page, which may read the answer.
    """

    caller: Caller | None = None
    session: PageSession | None = None
    origin: str | None = None
    refused: KnowledgeBaseError | None = None


class Gate:
    """Lies before everything that looks anything up. Routes find the caller in ``request.state.caller``.

    ``WithinBounds`` lies before it: what that refuses is not counted, and no other site's page can read why.
    """

    def __init__(
        self, app: ASGIApp, callers: Callers, sessions: PageSessions, limiter: RateLimiter, origins: Origins
    ) -> None:
        self._app, self._callers, self._sessions = app, callers, sessions
        self._limiter, self._origins = limiter, origins
        self._lately: frozenset[str] = frozenset()
        self._looked = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_TOUCHING_NOTHING):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        admitted = await self._too_many(request)
        if admitted is None:
            nothing_to_look_up = _HEADERS_LOOKED_UP.isdisjoint(request.headers.keys())
            admitted = self._admit(request) if nothing_to_look_up else await run_in_threadpool(self._admit, request)
        marked = _marked(send, admitted.origin)
        state = scope.setdefault("state", {})
        state["caller"], state["session"] = admitted.caller, admitted.session
        if admitted.refused is not None:
            _log.info("a request from %s was refused: %s", address_of(request), admitted.refused)
            await _refusal(request, admitted.refused)(scope, receive, marked)
        elif admitted.origin and request.method == "OPTIONS":
            await Response(status_code=204, headers=_CORS)(scope, receive, marked)
        else:
            await self._app(scope, receive, marked)

    async def _too_many(self, request: Request) -> Admitted | None:
        """Before anything that costs more than this."""
        try:
            if not self._callers.is_open:
                self._limiter.take_address(address_of(request))
        except TooManyRequestsError as error:
            return Admitted(origin=await self._allowed_lately(request), refused=error)
        return None

    async def _allowed_lately(self, request: Request) -> str | None:
        """The origin of another site's page that may read the answer, or might a moment ago."""
        origin = self._origins.of_other_site(request.headers, request.url.scheme)
        now = time.monotonic()
        if origin and now - self._looked > _ORIGINS_SECONDS:
            self._looked = now
            self._lately = await run_in_threadpool(self._callers.keys.origins)
        return origin if origin in self._lately else None

    def _admit(self, request: Request) -> Admitted:
        origin = self._origins.of_other_site(request.headers, request.url.scheme)
        allowed = origin if origin and origin in self._callers.keys.origins() else None
        try:
            self._origins.check_host(request.headers.get("host", ""))
            # A browser asks beforehand, with nothing that says who; its real request is looked at by itself
            if allowed and request.method == "OPTIONS":
                return Admitted(origin=allowed)
            cookie = cookie_of(request)
            session = self._sessions.open(cookie) if cookie else None
            return Admitted(self._caller(request, session, origin), session, allowed)
        except ForeignHostError as error:
            # As to anybody, whoever the address would be for
            return Admitted() if request.url.path == _PROBED else Admitted(origin=allowed, refused=error)
        except KnowledgeBaseError as error:
            return Admitted(origin=allowed, refused=error)

    def _caller(self, request: Request, session: PageSession | None, origin: str | None) -> Caller | None:
        """Raises what the request is refused for."""
        credential = _credential(request)
        if credential:
            caller: Caller | None = self._by_credential(request, credential)
        else:
            caller = self._callers.by_session(session) if session else None
            self._check_sent_by_us(request, session if caller else None, origin)
            caller = caller or self._callers.without()
        if caller is None and not request.url.path.startswith(_FOR_ANYBODY):
            raise NoCredentialsError
        if caller is not None and caller.is_somebody:
            self._take_key(request, caller)
        return caller

    def _take_key(self, request: Request, caller: Caller) -> None:
        if caller.is_shared:
            self._limiter.take_shared_key(caller.id, address_of(request))
        else:
            self._limiter.take_key(caller.id)

    def _by_credential(self, request: Request, credential: str) -> Caller:
        try:
            return self._callers.by_credential(credential, request.headers.get("origin"))
        except CredentialsRefusedError:
            self._limiter.take_refused(address_of(request))
            raise

    def _check_sent_by_us(self, request: Request, session: PageSession | None, origin: str | None) -> None:
        """What a browser sends along by itself must not let another site's page change anything."""
        if request.method in _SAFE_METHODS or request.url.path == "/hooks/git":
            return
        if origin is not None:
            raise ForeignOriginError(origin)
        # Forms bring their token in the body, where their own routes look for it
        if session is not None and request.url.path.startswith("/api/"):
            session.check(request.headers.get(CSRF_HEADER, ""))


def _credential(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    bearer = given.strip() if scheme.casefold() == "bearer" else ""
    return bearer or request.headers.get("x-api-key", "").strip()


def address_of(request: Request) -> str:
    """Where a request comes from; behind a proxy of ours what that says."""
    return request.client.host if request.client else ""


def _marked(send: Send, origin: str | None) -> Send:
    """Answers are for their caller only, and may be read by the pages of an allowed origin."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("Cache-Control", "private, no-cache")
            headers.add_vary_header("Origin")
            if origin is not None:
                headers["Access-Control-Allow-Origin"] = origin
                headers["Access-Control-Expose-Headers"] = "Retry-After"
        await send(message)

    return marked


def _refusal(request: Request, error: KnowledgeBaseError) -> Response:
    if isinstance(error, NoCredentialsError) and _is_page(request):
        wanted = quote(request.scope["path"]) + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?then={quote(wanted_page(wanted), safe='')}", 303)
    return refusal(request, error)


def _is_page(request: Request) -> bool:
    return request.method == "GET" and not request.url.path.startswith(_NO_PAGES)
