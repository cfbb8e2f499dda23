"""Signing in to the pages, by a key or through the OpenID Connect provider, and out again."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from kb_service.access import Caller, NotForCallerError
from kb_service.api.gate import address_of
from kb_service.api.session_cookie import delete_cookie, own_address, set_cookie
from kb_service.callers import Callers, CredentialsRefusedError
from kb_service.keys import PREFIX, KeyRefusedError
from kb_service.metrics import Metrics
from kb_service.page_sessions import PageSession, PageSessions, Person, wanted_page
from kb_service.provider import ProviderError, SignIn
from kb_service.rates import TooManyRequestsError
from kb_service.signed_in import browser_named, end_sessions
from kb_service.web.forms import MOST_SHORT_FORM_BYTES, Form
from kb_service.web.page import page
from kb_service.web.written import came_from, written_in

router = APIRouter(include_in_schema=False)
_log = logging.getLogger("kb.access")


def foreign_form(request: Request, _error: Exception) -> Response:
    """What a form without the token of its session gets: one that has it."""
    said = "The form that was sent is not of your session, or the session is over: this one is new"
    return _sign_in(request, came_from(request), said, 403, written_in(getattr(request.state, "fields", {}).items()))


@router.get("/login")
def sign_in_page(request: Request, then: str = "/") -> Response:
    """The form for a key, and the way to the provider if there is one."""
    return _sign_in(request, wanted_page(then))


@router.post("/login", max_body_size=MOST_SHORT_FORM_BYTES)
def sign_in_by_key(request: Request, fields: Form) -> Response:
    """By a key. What is wrong with it is said above the form."""
    then = wanted_page(fields.get("then", "/"))
    if not _callers(request).takes_keys:
        return _sign_in(request, then, "Keys are for programs here: sign in through the provider", 403)
    given = fields.get("key", "").strip()
    try:
        if not given.startswith(PREFIX):
            raise KeyRefusedError("The key is not known", "It begins with 'kb_'")
        key = _callers(request).keys.verify(given)
        if key.origins:
            raise NotForCallerError("This key is for the pages of another site", "Sign in with another")
    except (KeyRefusedError, NotForCallerError) as error:
        return _refused(request, then, error)
    _callers(request).keys.used(key)
    _log.info("key:%s signed in by its key", key.id)
    return _signed_in(request, _sessions(request).sign_in(key=key.id, browser=_browser(request)), then)


@router.get("/login/provider")
def sign_in_at_provider(request: Request, then: str = "/", *, again: bool = False) -> Response:
    """Off to the provider, with what must come back kept in the session. Until then one is who one was.

    ``again``: one is to prove there who one is, also where one is signed in.
    """
    then = wanted_page(then)
    oidc = _callers(request).oidc
    if oidc is None or not oidc.provider.client_id:
        return _sign_in(request, then, "Nobody signs in through a provider here: KB_OIDC_CLIENT_ID is not set", 404)
    try:
        url, begun = oidc.begin(_redirect_uri(request), again=again)
    except ProviderError as error:
        return _sign_in(request, then, str(error), 503)
    known: PageSession | None = request.state.session
    session = replace(known or _sessions(request).begin(), then=then, begun=asdict(begun))
    return _with_session(request, RedirectResponse(url, 303), session)


@router.get("/login/callback")
def back_from_provider(
    request: Request,
    code: Annotated[str, Query(max_length=4096)] = "",
    state: Annotated[str, Query(max_length=512)] = "",
    error: Annotated[str, Query(max_length=500)] = "no reason",
    error_description: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Back from the provider, in the browser that was sent there."""
    session: PageSession | None = request.state.session
    oidc = _callers(request).oidc
    begun = SignIn(**session.begun) if session is not None and session.begun is not None else None
    if oidc is None or session is None or begun is None or begun.state != state:
        return _sign_in(request, "/", "This sign-in was not begun here, or long ago: begin again", 400)
    if not code:
        return _sign_in(request, session.then, f"The provider refused the sign-in: {error_description or error}", 401)
    try:
        caller, groups, proof = oidc.finish(_redirect_uri(request), code, begun)
    except NotForCallerError as refused:
        return _sign_in(request, session.then, str(refused), 403)
    except CredentialsRefusedError as refused:
        return _refused(request, session.then, refused)
    except ProviderError as unable:
        return _sign_in(request, session.then, str(unable), 503)
    _log.info("%s signed in through the provider", caller.id)
    issuer = oidc.provider.issuer
    person = Person(caller.id, caller.name, issuer, tuple(sorted(groups)), proof.strength, proof.at)
    return _signed_in(request, _sessions(request).sign_in(person=person, browser=_browser(request)), session.then)


@router.post("/logout", max_body_size=MOST_SHORT_FORM_BYTES)
def sign_out(request: Request, fields: Form) -> Response:
    """The session is over, wherever its cookie is; every session of the caller, where that is asked for.

    To end others one must have proved lately who one is: the page of all sessions says how.
    """
    session: PageSession | None = request.state.session
    caller: Caller | None = request.state.caller
    # It may have run out since the page was loaded
    if session is not None:
        if fields.get("everywhere") == "yes" and caller is not None and caller.is_somebody:
            if not session.is_fresh:
                return RedirectResponse("/sessions", 303)
            end_sessions(request.app.state.knowledge_base.desk, caller.id, caller.id)
        _sessions(request).end(session)
    response = RedirectResponse("/login", 303)
    delete_cookie(request, response)
    return response


def _sign_in(
    request: Request, then: str, problem: str = "", status: int = 200, written: Sequence[tuple[str, str]] = ()
) -> Response:
    known: PageSession | None = request.state.session
    session = known or _sessions(request).begin()
    oidc = _callers(request).oidc
    context = {
        "then": then,
        "problem": problem,
        "written": written,
        "token": session.token,
        "provider": urlsplit(oidc.provider.issuer).hostname if oidc and oidc.provider.client_id else None,
        "is_open": _callers(request).is_open,
        "takes_keys": _callers(request).takes_keys,
    }
    response = page(request, "sign_in.html", context, status)
    return response if known else _with_session(request, response, session)


def _refused(request: Request, then: str, error: Exception) -> Response:
    """By a key or a code that is not taken, which an address may not try as often as it likes."""
    _log.warning("a sign-in from %s was refused: %s", address_of(request), error)
    metrics: Metrics = request.app.state.metrics
    try:
        request.app.state.limiter.take_refused(address_of(request))
    except TooManyRequestsError as stopped:
        metrics.shed("wrong_keys")
        response = _sign_in(request, then, str(stopped), 429)
        response.headers["Retry-After"] = str(stopped.seconds)
        return response
    metrics.refused_credentials.inc()
    return _sign_in(request, then, str(error), 401)


def _signed_in(request: Request, session: PageSession, then: str) -> Response:
    before: PageSession | None = request.state.session
    if before is not None:
        _sessions(request).end(before)
    return _with_session(request, RedirectResponse(then, 303), session)


def _with_session(request: Request, response: Response, session: PageSession) -> Response:
    sessions = _sessions(request)
    set_cookie(request, response, sessions.seal(session), sessions.seconds)
    return response


def _browser(request: Request) -> str:
    return browser_named(request.headers.get("user-agent", ""))


def _redirect_uri(request: Request) -> str:
    return f"{own_address(request)}/login/callback"


def _callers(request: Request) -> Callers:
    callers: Callers = request.app.state.callers
    return callers


def _sessions(request: Request) -> PageSessions:
    sessions: PageSessions = request.app.state.sessions
    return sessions
