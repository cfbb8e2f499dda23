"""One shape for every error: RFC 9457 problem details, saying what is wrong and what to do."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match

from indexer.disk import DiskError
from indexer.errors import IndexDamagedError, IndexMissingError, KnowledgeBaseError
from indexer.git_command import GitError
from kb_service.access import NotForCallerError
from kb_service.api.search_threads import OverloadedError
from kb_service.callers import CredentialsRefusedError, NoCredentialsError
from kb_service.deflection import UnknownSuggestionError
from kb_service.failures import UNFORESEEN
from kb_service.incident import InvalidIncidentError
from kb_service.incident_reading import DamagedIncidentError, UnknownIncidentError
from kb_service.incidents import ChangedMeanwhileError
from kb_service.logs import REQUEST_ID
from kb_service.metrics import Metrics
from kb_service.origins import ForeignHostError, ForeignOriginError
from kb_service.page_sessions import ForeignFormError
from kb_service.past import DeletedArticleError, UnknownArticleError, UnknownRevisionError
from kb_service.rates import TooManyRequestsError
from kb_service.runs import RunEndedError, RunKeptError, RunUnderWayError, UnknownRunError
from kb_service.searches import UnknownSearchError
from kb_service.webhooks import (
    BrokenWebhookError,
    ForeignWebhookError,
    ReplayedWebhookError,
    UnsignedWebhookError,
    WebhookRefusedError,
)

MEDIA_TYPE = "application/problem+json"
# The framework's words for a body that is no text
_UNREADABLE = "There was an error parsing the body"
# As a route is asked for it: HEAD is answered from what GET would be
_METHODS = {"GET": "GET", "HEAD": "GET"} | {method: method for method in ("POST", "PUT", "PATCH", "DELETE")}
# Of a request with everything wrong, so that the answer is no larger than it
_MOST_ERRORS = 20
_NO_SUCH_FIELD = "There is no such field; /docs tells of those there are"


class ProblemDetails(BaseModel):
    """The body of every 4xx and 5xx."""

    type: str = Field("about:blank", description="Names the kind of problem.")
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(
        description="What is wrong and what to do.", examples=["There is no article 'runbooks/nothing'."]
    )
    errors: list[dict[str, Any]] | None = Field(None, description="Each wrong value: where it stands, what is wrong.")
    request_id: str | None = Field(None, description="Of a 5xx: what the log's lines about it are found by.")


class GoneDetails(ProblemDetails):
    """The body of a 410: what was deleted, and the last revision of it."""

    id: str
    article_title: str = Field(description="The title that the article had.")
    revision: str = Field(description="Its last revision, to be asked for by `at`.")
    path: str
    deleted_at: datetime
    commit: str | None = Field(description="The first commit known to be without it.")
    url: str = Field(description="Where its last revision is.")


Responses = dict[int | str, dict[str, Any]]


def _problems(described: Mapping[int, str], model: type[ProblemDetails] = ProblemDetails) -> Responses:
    """Answers of these statuses, for the description of the API."""
    return {
        status: {"model": model, "description": said, "content": {MEDIA_TYPE: {}}} for status, said in described.items()
    }


def _header(name: str, said: str, kind: str = "string", *, always: bool = True) -> dict[str, Any]:
    return {"headers": {name: {"description": said, "required": always, "schema": {"type": kind}}}}


RESPONSES = _problems(
    {
        400: "It cannot be read",
        401: "Who asks is not said, or the key or token is not valid",
        403: "Not for this caller",
        413: "The body is too large",
        414: "The address has too many parameters",
        422: "A value is not what it should be",
        429: "Asked more often than may be; Retry-After says when there is room again",
        431: "There are too many headers",
        500: "The service failed at this; its log says where",
        503: "Nothing to answer from yet, too much to answer, or the disk fails; Retry-After says when to ask again",
    }
)
RESPONSES[401] |= _header("WWW-Authenticate", "How to say who asks.")
RESPONSES[429] |= _header("Retry-After", "Seconds.", "integer")
RESPONSES[503] |= _header("Retry-After", "Seconds.", "integer", always=False)
NOT_FOUND = _problems({404: "There is nothing of that name"})
CHANGED_MEANWHILE = _problems({412: "The record has changed since it was read"})
OTHER_TYPE = _problems({415: "The body is of another type"})
GONE = _problems({410: "It was deleted"}, GoneDetails)
HOOK_PROBLEMS = _problems(
    {
        400: "It cannot be read",
        401: "It is not signed as it should be",
        403: "It is of another repository, or webhooks are not taken",
        409: "It was taken before",
    }
)
# Of a record: what a change answers with
ETAG = _header("ETag", "The version of the record, for If-Match.")
# What no page says for itself: it runs nothing, whatever it holds and a browser takes it for
SAFE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_HOOK_STATUS: Mapping[type[WebhookRefusedError], int] = {
    BrokenWebhookError: 400,
    UnsignedWebhookError: 401,
    ForeignWebhookError: 403,
    ReplayedWebhookError: 409,
}


def problem(
    status: int, detail: str, errors: list[dict[str, Any]] | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A response that says what is wrong."""
    body = ProblemDetails(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=errors,
        request_id=(REQUEST_ID.get() or None) if status >= 500 else None,
    )
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def refusal(request: Request, error: KnowledgeBaseError) -> JSONResponse:
    """A response that says why a caller is refused, or what the service cannot do now."""
    metrics: Metrics = request.app.state.metrics
    if isinstance(error, CredentialsRefusedError):
        metrics.refused_credentials.inc()
    if isinstance(error, (NoCredentialsError, *CredentialsRefusedError)):
        return problem(401, str(error), headers={"WWW-Authenticate": "Bearer"})
    if isinstance(error, NotForCallerError | ForeignHostError | ForeignOriginError | ForeignFormError):
        return problem(403, str(error))
    if isinstance(error, OverloadedError):
        metrics.shed("overload")
        return problem(503, str(error), headers={"Retry-After": str(error.seconds)})
    if isinstance(error, TooManyRequestsError):
        metrics.shed("wrong_keys" if error.name == "refused" else "rate")
        return problem(429, str(error), headers={"Retry-After": str(error.seconds)})
    return failure(str(error))


def failure(said: str | None) -> JSONResponse:
    """A response that says what the service cannot do now, but may in a moment; None where nobody foresaw it."""
    if said is not None:
        return problem(503, said, headers={"Retry-After": "5"})
    # Also where it is given beyond all that is done to every answer
    return problem(500, UNFORESEEN, headers=SAFE_HEADERS)


def add_handlers(app: FastAPI) -> None:
    """Give the app's errors this shape, those that nobody foresaw too."""

    @app.exception_handler(HTTPException)
    def _raised(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 405:
            allowed = _allowed(request)
            said = f"{request.url.path} is not asked by {request.method}: use {allowed}."
            return problem(405, said, headers={"Allow": allowed})
        # What the framework raises says no more than its status
        is_nowhere = error.status_code == 404 and error.detail == HTTPStatus.NOT_FOUND.phrase
        detail = f"There is nothing at {request.url.path}." if is_nowhere else str(error.detail)
        if error.status_code == 400 and error.detail == _UNREADABLE:
            detail = "The body cannot be read: send JSON in UTF-8."
        return problem(error.status_code, detail, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"where": list(one["loc"]), "what": _NO_SUCH_FIELD if one["type"] == "extra_forbidden" else one["msg"]}
            for one in error.errors()[:_MOST_ERRORS]
        ]
        said = "; ".join(f"{'.'.join(map(str, one['where'][1:] or one['where']))}: {one['what']}" for one in errors)
        return problem(422, f"{said}.", errors)

    @app.exception_handler(InvalidIncidentError)
    def _invalid_record(_request: Request, error: InvalidIncidentError) -> JSONResponse:
        errors = [{"where": ["body", one.field], "what": one.problem} for one in error.problems]
        return problem(422, str(error), errors)

    @app.exception_handler(UnknownIncidentError)
    @app.exception_handler(UnknownSuggestionError)
    @app.exception_handler(UnknownSearchError)
    def _unknown(_request: Request, error: KnowledgeBaseError) -> JSONResponse:
        return problem(404, str(error))

    @app.exception_handler(ChangedMeanwhileError)
    def _changed(_request: Request, error: ChangedMeanwhileError) -> JSONResponse:
        return problem(412, str(error))

    @app.exception_handler(RunKeptError)
    @app.exception_handler(RunEndedError)
    @app.exception_handler(RunUnderWayError)
    def _not_as_it_is(_request: Request, error: KnowledgeBaseError) -> JSONResponse:
        return problem(409, str(error))

    @app.exception_handler(UnknownRunError)
    @app.exception_handler(UnknownArticleError)
    @app.exception_handler(UnknownRevisionError)
    def _unknown_article(_request: Request, error: KnowledgeBaseError) -> JSONResponse:
        return problem(404, str(error))

    @app.exception_handler(DeletedArticleError)
    def _deleted(_request: Request, error: DeletedArticleError) -> JSONResponse:
        gone = error.tombstone
        body = GoneDetails(
            type="about:blank",
            title=HTTPStatus(410).phrase,
            status=410,
            detail=str(error),
            errors=None,
            id=gone.id,
            article_title=gone.title,
            revision=gone.revision,
            path=gone.path,
            deleted_at=gone.at,
            commit=gone.after,
            url=f"/api/articles/{quote(gone.id)}?at={gone.revision}",
        )
        return JSONResponse(body.model_dump(mode="json", exclude_none=True), 410, media_type=MEDIA_TYPE)

    @app.exception_handler(WebhookRefusedError)
    def _refused_webhook(_request: Request, error: WebhookRefusedError) -> JSONResponse:
        return problem(_HOOK_STATUS[type(error)], str(error))

    @app.exception_handler(KnowledgeBaseError)
    def _refused_or_unable(request: Request, error: KnowledgeBaseError) -> JSONResponse:
        return refusal(request, error)

    @app.exception_handler(DiskError)
    @app.exception_handler(GitError)
    @app.exception_handler(IndexMissingError)
    @app.exception_handler(IndexDamagedError)
    def _failed(_request: Request, error: KnowledgeBaseError) -> JSONResponse:
        return failure(app.state.failures.attend(error))

    @app.exception_handler(DamagedIncidentError)
    def _damaged(_request: Request, error: DamagedIncidentError) -> JSONResponse:
        app.state.failures.attend(error)
        return problem(500, str(error))

    @app.exception_handler(ClientDisconnect)
    def _broken_off(_request: Request, _error: ClientDisconnect) -> JSONResponse:
        # Nobody is there to read it; but it is no fault of the service, which its log would tell of
        return problem(400, "The body did not come whole. Send it again.")

    @app.exception_handler(Exception)
    def _unforeseen(_request: Request, _error: Exception) -> JSONResponse:
        return failure(None)


def _allowed(request: Request) -> str:
    """Every method of an address; the framework names those of the first route that has it."""
    routes: Sequence[BaseRoute] = request.app.routes
    return ", ".join(
        method
        for method, asked in _METHODS.items()
        if any(route.matches({**request.scope, "method": asked})[0] is Match.FULL for route in routes)
    )
