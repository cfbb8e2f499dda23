"""What is told of each request: an id, figures, a line of log; and what failed, where nobody foresaw it."""

import logging
import re
import secrets
import time
from asyncio import CancelledError

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb_service.api.problems import failure
from kb_service.failures import Failures
from kb_service.logs import REQUEST_ID
from kb_service.metrics import Metrics

HEADER = "x-request-id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What comes back from the provider opens a session
_SECRET = "/login"  # noqa: S105 (an address)
_ENDS = (
    "The service ends, and this was not done in the time that was left. What was sent may be kept all the same: look"
    " when the service is there again, then send it once more if need be."
)
_log = logging.getLogger("kb.service")
_requests = logging.getLogger("kb.requests")


class Observed:
    """Lies before everything else: counts and times each request, and gives it the id by which its log lines are found.

    That is the caller's own (``X-Request-ID``) where it is well-formed. The address of a request is logged with
    ``texts`` only, as it holds what was asked.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, texts: bool) -> None:
        self._app, self._metrics, self._texts = app, metrics, texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _id_of(scope)
        # Shared with what comes after, which says there who asks
        scope.setdefault("state", {})
        query, status, sent = scope["query_string"], 0, 0

        async def observed(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER.encode(), request_id.encode())]
            else:
                sent += len(message.get("body", b""))
            await send(message)

        # Whoever logs that this failed does so in the same context, so it is not taken back
        REQUEST_ID.set(request_id)
        started = time.perf_counter()
        try:
            await self._app(scope, receive, observed)
        except Exception:
            status = status or 500
            raise
        finally:
            seconds = time.perf_counter() - started
            self._metrics.answered(route_of(scope), scope["method"], status, seconds)
            if _requests.isEnabledFor(logging.INFO):
                self._log(scope, query, status, seconds, sent)

    def _log(self, scope: Scope, query: bytes, status: int, seconds: float, sent: int) -> None:
        caller = scope["state"].get("caller")
        told = {
            "method": scope["method"],
            "route": route_of(scope),
            "status": status,
            "duration_ms": round(seconds * 1000, 2),
            "caller": caller.id if caller else None,
            "bytes": sent,
        }
        if self._texts and not scope["path"].startswith(_SECRET):
            told |= {"path": scope["path"], "query": query.decode("latin-1")}
        _requests.info("%s %s %d", scope["method"], told["route"], status, extra={"request": told})


class FailuresAsProblems:
    """Says in the one shape of errors what the service failed at, where nothing is said yet, and logs what.

    Where it may be mended in a moment it says when to ask again.
    """

    def __init__(self, app: ASGIApp, failures: Failures) -> None:
        self._app, self._failures = app, failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            # The server logs it and hangs up
            if begun or scope["type"] != "http":
                raise
            said = await run_in_threadpool(self._failures.attend, error)
            if said is None:
                _log.exception("%s %s failed", scope["method"], route_of(scope))
            await failure(said)(scope, receive, send)
        except CancelledError:
            # By the server, which ends
            if begun or scope["type"] != "http":
                raise
            await failure(_ENDS)(scope, receive, send)


def route_of(scope: Scope) -> str:
    """The template of the route that a request reached; ``none`` where it reached none."""
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is None and scope.get("app_root_path") is not None and "path_params" in scope:
        # Of files below a folder
        return f"{scope['root_path']}/{{path:path}}"
    return template or "none"


def _id_of(scope: Scope) -> str:
    given = Headers(scope=scope).get(HEADER, "")
    return given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(8)
