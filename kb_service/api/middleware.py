"""What is done to every request and every answer."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb_service.api.problems import MEDIA_TYPE, problem


class WithoutBlankParameters:
    """A form sends its empty fields too (``&type=&limit=``): what is blank is not asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = scope["query_string"].split(b"&")
            scope = {**scope, "query_string": b"&".join(one for one in given if one.partition(b"=")[2])}
        await self._app(scope, receive, send)


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
    """The framework refuses a body over the limit in plain text; here it is said as every other error is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def as_problem(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                replaced = Headers(scope=message).get("content-type") != MEDIA_TYPE
                if replaced:
                    said = (
                        "The body is too large: send less at once. Records are at most 2 MiB, many in one body 64 MiB."
                    )
                    await problem(413, said)(scope, receive, send)
            if not replaced:
                await send(message)

        await self._app(scope, receive, as_problem)
