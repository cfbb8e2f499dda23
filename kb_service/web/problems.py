"""What went wrong, as a page for who reads it in a browser; programs get it as they get every error."""

import json

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb_service.api.problems import MEDIA_TYPE
from kb_service.web.page import page

_FOR_PROGRAMS = ("/api/", "/media/", "/static/", "/hooks/", "/metrics", "/healthz", "/readyz", "/openapi.json")


class ProblemsAsPages:
    """Puts a page in the place of an error's JSON where a browser asks for a page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accepts = Headers(scope=scope).get("accept", "") if scope["type"] == "http" else ""
        if "text/html" not in accepts or scope["path"].startswith(_FOR_PROGRAMS):
            await self._app(scope, receive, send)
            return
        started: Message | None = None
        told = bytearray()

        async def as_page(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start" and _is_problem(message):
                started = message
            elif started is None:
                await send(message)
            else:
                told.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await _page(Request(scope), started, bytes(told))(scope, receive, send)

        await self._app(scope, receive, as_page)


def _is_problem(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "").startswith(MEDIA_TYPE)


def _page(request: Request, started: Message, told: bytes) -> ASGIApp:
    known = request.scope.setdefault("state", {})
    for name in ("caller", "session"):
        known.setdefault(name, None)
    response = page(request, "problem.html", {"problem": json.loads(told)}, started["status"])
    before = Headers(raw=started["headers"])
    for name in ("retry-after", "www-authenticate", "allow"):
        if name in before:
            response.headers[name] = before[name]
    return response
