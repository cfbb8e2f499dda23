"""A page under the eyes of somebody who looks for what does not belong there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Error, Page, ProxySettings, Request

# What the pages are made of; all else is somebody else's
_LOOK = (Path(__file__).parent / "foreign.js").read_text("utf-8")
# Where a page of ours loads from by itself
_LOADED = ("/static/", "/media/", "/widget.js", "/results", "/api/suggest", "/api/articles/", "/runs/")
# Nothing listens there, and only the service is asked past it
NOWHERE: ProxySettings = {"server": "http://127.0.0.1:9", "bypass": "127.0.0.1"}
# What a pointer and the keyboard do to everything on a page, but open it
_TOUCHED = """() => { for (const one of document.querySelectorAll('body *'))
  for (const event of ['mouseover', 'focus', 'load', 'error', 'toggle'])
    one.dispatchEvent(new Event(event))
}"""


class Watch:
    """A page, and what of others' making showed on it, by where."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.wrong: dict[str, list[str]] = {}
        self.visited = 0
        self._heard: list[str] = []
        context.expose_binding("hit", lambda _source, number=0: self._heard.append(f"hit({number}) ran"))
        context.on("page", lambda page: self._heard.append(f"a page was opened: {page.url}"))
        self.page: Page = self._watched(context)

    def _watched(self, context: BrowserContext) -> Page:
        page = context.new_page()
        self._heard.clear()
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self._heard.append(f"an error: {error}"))
        page.on("console", self._line)
        page.on("request", self._request)
        page.on("download", lambda download: self._heard.append(f"a download: {download.url}"))
        return page

    def _dialog(self, dialog: Dialog) -> None:
        self._heard.append(f"a dialog said {dialog.message}")
        dialog.dismiss()

    def _line(self, line: ConsoleMessage) -> None:
        # The status of the page itself is looked at where it matters
        if line.type == "error" and "Failed to load resource: the server responded" not in line.text:
            self._heard.append(f"the console said: {line.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        is_ours = request.url.startswith(f"{self.address}/")
        if not is_ours or not (request.is_navigation_request() or parts.path.startswith(_LOADED)):
            self._heard.append(f"asked for {request.url}")

    def visit(self, path: str) -> None:
        """Open it, touch everything, and look at it."""
        with self.looking(path):
            self.page.goto(self.address + path)
            self._heard += self._evaluated(_TOUCHED)

    def _evaluated(self, script: str) -> list[str]:
        """What a script tells, or that the page was left meanwhile."""
        try:
            return self.page.evaluate(script) or []
        except Error as error:
            return [f"it was left: {error.message}"]

    @contextmanager
    def looking(self, name: str) -> Iterator[Page]:
        """Something is done on the page; then it is looked at, also where it could not be done."""
        try:
            yield self.page
        finally:
            self._look(name)

    def _look(self, name: str) -> None:
        self.visited += 1
        if self.page.url.startswith(f"{self.address}/"):
            self._heard += self._evaluated(_LOOK)
        else:
            self._heard.append(f"it led to {self.page.url}")
        found, self._heard = self._heard, []
        if found:
            self.wrong[name[:300]] = found[:10]


@contextmanager
def watching(browser_context: BrowserContext, address: str) -> Iterator[Watch]:
    """Fails, naming pages and payloads, if anything showed."""
    watch = Watch(browser_context, address)
    try:
        yield watch
    finally:
        print(f"{watch.visited} pages")
        assert not watch.wrong, json.dumps(watch.wrong, indent=1, ensure_ascii=False)
    assert watch.visited
