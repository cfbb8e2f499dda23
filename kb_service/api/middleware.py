"""What is done to every request and every answer."""

from urllib.parse import urlsplit

from anyio.to_thread import current_default_thread_limiter
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb_service.api.problems import SAFE_HEADERS, problem
from kb_service.metrics import Metrics

_MOST_HEADERS = 100
_YEAR = 365 * 24 * 3600
_MOST_PARAMETERS = 1000
# For one of the threads; so many are answered within a second on a slow machine
MOST_WAITING = 60


class SafeByDefault:
    """Every answer has the headers that keep a browser from running it; a page says itself what it may run.

    Where people use the service by https, their browsers ask it by that alone from then on (RFC 6797); so they do what
    lies below its host name, unless it shares that with others.
    """

    def __init__(self, app: ASGIApp, url: str) -> None:
        """``url`` is the address that people use, where it is known."""
        self._app, self._headers = app, dict(SAFE_HEADERS)
        if url.startswith("https:"):
            below = "" if urlsplit(url).path else "; includeSubDomains"
            self._headers["Strict-Transport-Security"] = f"max-age={_YEAR}{below}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, safe)


class WithinBounds:
    """Refuses what no honest client sends, before it costs anything: two lengths, headers or parameters by the hundred.

    A proxy that goes by the other of two lengths would take the rest of a body for somebody's next request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = _out_of_bounds(scope) if scope["type"] == "http" else None
        await (self._app if refused is None else refused)(scope, receive, send)


def _out_of_bounds(scope: Scope) -> Response | None:
    names = [name for name, _ in scope["headers"]]
    if len(names) > _MOST_HEADERS:
        return problem(431, f"The request has {len(names)} headers: send at most {_MOST_HEADERS}.")
    if b"transfer-encoding" in names and (b"content-length" in names or scope["http_version"] == "1.0"):
        said = "The length of the body is not clear: send either Content-Length or, by HTTP/1.1, Transfer-Encoding."
        return problem(400, said, headers={"Connection": "close"})
    if scope["query_string"].count(b"&") >= _MOST_PARAMETERS:
        return problem(414, f"The address has too many parameters: send at most {_MOST_PARAMETERS}.")
    return None


class WithoutQueues:
    """Turns away at once what would have to wait for long until one of the threads is free for it.

    A search has threads of its own (``api.search_threads``); this is for all else. Who is alive is always said.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: ASGIApp = self._app
        if scope["type"] == "http" and scope["path"] != "/healthz":
            waiting = current_default_thread_limiter().statistics().tasks_waiting
            if waiting >= MOST_WAITING:
                metrics: Metrics = scope["app"].state.metrics
                metrics.shed("overload")
                said = f"The service has more to answer than it can: {waiting} wait already. Try again in 1 s."
                answer = problem(503, said, headers={"Retry-After": "1"})
        await answer(scope, receive, send)


class WithoutBlankParameters:
    """A form sends its empty fields too (``&type=&limit=``): what is blank is not asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = scope["query_string"].split(b"&")
            # In place: which route it is for is told to those outside by the same scope
            scope["query_string"] = b"&".join(one for one in given if one.partition(b"=")[2])
        await self._app(scope, receive, send)


class HeadAsGet:
    """Answers HEAD with the head of what GET would answer: monitors and checkers of links ask so (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def head_alone(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        asked = {**scope, "method": "GET"}
        try:
            await self._app(asked, receive, head_alone)
        finally:
            # Which route it was for is told to those outside
            scope.update(asked, method="HEAD")


class MarkedAsDemo:
    """Says on every answer that the records are a sample."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["KB-Demo"] = "sample records"
            await send(message)

        await self._app(scope, receive, marked)


class TooLargeAsProblem:
    """The framework refuses a body over the limit in its own words; here it is said what to do, as in every error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def as_problem(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                replaced = True
                said = "The body is too large: send less at once. Records are at most 2 MiB, many in one body 64 MiB."
                await problem(413, said)(scope, receive, send)
            if not replaced:
                await send(message)

        await self._app(scope, receive, as_problem)
