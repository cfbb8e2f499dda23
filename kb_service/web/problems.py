"""What went wrong, as a page for who reads it in a browser; programs get it as they get every error.

Who was signed out while writing gets back what was sent, to copy, and after signing in the page it was written on.
"""

import json

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb_service.api.problems import MEDIA_TYPE
from kb_service.web.page import page
from kb_service.web.written import came_from, sent_by

# Longer than the text of any form
_MOST_SENT_BYTES = 512 * 1024
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
        told, sent = bytearray(), _Sent(receive)

        async def as_page(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start" and _is_problem(message):
                started = message
            elif started is None:
                await send(message)
            else:
                told.extend(message.get("body", b""))
                if not message.get("more_body"):
                    request = Request(scope)
                    written = sent_by(request, await sent.whole()) if started["status"] in {401, 403} else []
                    await _page(request, started, bytes(told), written)(scope, receive, send)

        await self._app(scope, sent, as_page)


class _Sent:
    """What a request's body is, whether the service has read it by now or not; nothing where it is very long."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._body = bytearray()
        self._has_more = True

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._has_more = bool(message.get("more_body"))
            if len(self._body) <= _MOST_SENT_BYTES:
                self._body += message.get("body", b"")
        else:
            self._has_more = False
        return message

    async def whole(self) -> bytes:
        while self._has_more and len(self._body) <= _MOST_SENT_BYTES:
            await self()
        return bytes(self._body) if len(self._body) <= _MOST_SENT_BYTES else b""


def _is_problem(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "").startswith(MEDIA_TYPE)


def _page(request: Request, started: Message, told: bytes, written: list[tuple[str, str]]) -> ASGIApp:
    known = request.scope.setdefault("state", {})
    for name in ("caller", "session"):
        known.setdefault(name, None)
    context = {"problem": json.loads(told), "written": written, "then": came_from(request)}
    response = page(request, "problem.html", context, started["status"])
    before = Headers(raw=started["headers"])
    for name in ("retry-after", "www-authenticate", "allow"):
        if name in before:
            response.headers[name] = before[name]
    return response
