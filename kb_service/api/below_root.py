"""A service that lies below a path of its host: ``https://portal.example.org/kb``, by the path in ``KB_URL``.

Inside, every address begins at the service's own root. Whether a proxy takes the path away before it asks, or leaves
it, makes no difference.
"""

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What says by itself where the service lies, of what it is told of the root
_DESCRIPTION = "/openapi.json"


class BelowRoot:
    """Lies before everything that looks at a path."""

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app, self._root = app, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == self._root:
            await RedirectResponse(f"{self._root}/", 308)(scope, receive, send)
            return
        if scope["path"].startswith(f"{self._root}/"):
            raw = scope.get("raw_path") or b""
            below = raw.startswith(f"{self._root}/".encode())
            # In place, so that those before this one see which route it comes to
            scope["path"] = scope["path"][len(self._root) :]
            if below:
                scope["raw_path"] = raw[len(self._root) :]
        if scope["path"] == _DESCRIPTION:
            scope["root_path"] = self._root

        async def from_root(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                target = headers.get("location", "")
                if target.startswith("/") and not target.startswith("//"):
                    headers["Location"] = self._root + target
            await send(message)

        await self._app(scope, receive, from_root)
