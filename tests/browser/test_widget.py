"""The widget in a ticket form: of the service, of a portal elsewhere, and where the service is slow or down."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

import kb_service
from indexer.encoder import Encoder
from tests.authors import Service
from tests.browser.conftest import Opened
from tests.browser.test_every_page import violations
from tests.conftest import CONTENT, eventually

TEXT = "how do I connect to the vpn from home"
TITLE = "How do I connect to the VPN from home?"
FORM = """<!doctype html><html lang="en"><title>Portal</title>
<script type="module" src="{service}/widget.js"></script>
<form action="/sent" method="get"><label>What <input id="what" name="what"></label>
<label>More <textarea id="more"></textarea></label>
<kb-suggest for="what" description="more" key="{key}" {more}></kb-suggest><button>Send</button></form>
<output></output><script type="module" src="/portal.js"></script>"""
PORTAL = """for (const event of ["shown", "opened", "solved"]) document.addEventListener(`kb-${event}`, (one) =>
  document.querySelector("output").append(`${event} ${one.detail.article ?? one.detail.articles.length}; `));"""


@dataclass
class Portal:
    """Another site with a ticket form. ``policy`` is the strictest that the widget can do with."""

    address: str = ""
    service: str = ""
    key: str = ""
    more: str = ""

    @property
    def policy(self) -> str:
        return (
            f"default-src 'none'; script-src 'self' {self.service}; connect-src {self.service}; img-src blob:;"
            " trusted-types kb-suggest; require-trusted-types-for 'script'"
        )


@contextmanager
def open_portal() -> Iterator[Portal]:
    portal = Portal()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_script = self.path == "/portal.js"
            form = FORM.format(service=portal.service, key=portal.key, more=portal.more)
            body = PORTAL if is_script else "sent" if self.path.startswith("/sent") else form
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript" if is_script else "text/html")
            self.send_header("Content-Security-Policy", portal.policy)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    portal.address = f"http://localhost:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield portal
    server.shutdown()
    server.server_close()


@dataclass
class Keyed:
    """A service that asks for keys."""

    address: str
    admin: str

    def deflection(self) -> dict[str, int]:
        headers = {"X-API-Key": self.admin}
        body: dict[str, int] = httpx2.get(f"{self.address}/api/deflection", headers=headers).raise_for_status().json()
        return body


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with open_portal() as opened:
        yield opened


@pytest.fixture(scope="module")
def keyed(
    portal: Portal, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, model_cache: Path
) -> Iterator[Keyed]:
    assert encoder.dimension
    data = tmp_path_factory.mktemp("keyed") / "data"
    service = Service(data, KB_ENCODER="onnx", KB_CACHE=str(model_cache), KB_CONTENT=str(CONTENT))
    made = ["keys", "create", "--json", "--role"]
    admin = json.loads(service.kb(*made, "admin"))["key"]
    portal.key = json.loads(service.kb(*made, "requester", "--origins", portal.address))["key"]
    with service.running() as client:
        portal.service = str(client.base_url)
        yield Keyed(portal.service, admin)


def ask(page: Page, text: str = TEXT) -> None:
    page.locator("#what, #short_description").press_sequentially(text, delay=5)


def test_it_is_small() -> None:
    assert len(gzip.compress((Path(kb_service.__file__).parent / "static" / "widget.js").read_bytes())) < 10_000


def test_on_a_form_of_the_service_itself(demo: str, opened: Opened) -> None:
    page = opened(demo, "/demo/ticket")
    ask(page)
    link = page.get_by_role("link", name=TITLE)
    expect(link).to_be_visible()
    assert page.locator("kb-suggest li").count() <= 3
    assert violations(page) == []
    link.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("second factor")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("#short_description")).to_have_value(TEXT)


def test_on_another_site_by_its_key(keyed: Keyed, portal: Portal, opened: Opened) -> None:
    before = keyed.deflection()
    page = opened(portal.address)
    ask(page)
    page.get_by_role("link", name=TITLE).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("second factor")
    # What it links to opens in its place, by the same key
    dialog.get_by_role("link", name="reset your password").first.click()
    expect(dialog.get_by_role("heading", name="reset your password")).to_be_visible()
    expect(dialog).to_contain_text("new password")
    dialog.get_by_role("button", name="This solved it").click()
    expect(page.get_by_text("Nothing needs to be sent")).to_be_visible()
    opened_one, solved_one = "opened faq/connect-to-vpn-from-home", "solved faq/reset-my-password"
    expect(page.locator("output")).to_contain_text(f"{opened_one}; opened faq/reset-my-password; {solved_one}")
    expect(page.locator("#what")).to_have_value(TEXT)
    eventually(lambda: keyed.deflection()["confirmed"] == before["confirmed"] + 1, "it is counted")


def test_a_form_that_is_sent_is_reported_and_sent(keyed: Keyed, portal: Portal, opened: Opened) -> None:
    before = keyed.deflection()
    page = opened(portal.address)
    ask(page)
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("body")).to_have_text("sent")
    eventually(lambda: keyed.deflection()["submitted"] == before["submitted"] + 1, "it is counted")


@pytest.mark.usefixtures("keyed")
def test_nothing_is_suggested_for_what_is_not_known(portal: Portal, opened: Opened) -> None:
    page = opened(portal.address)
    with page.expect_response("**/api/suggest*") as answered:
        ask(page, "the coffee machine in the lobby is leaking milk")
    assert answered.value.json()["suggestions"] == []
    expect(page.locator("kb-suggest section")).to_have_count(0)
    assert (page.locator("kb-suggest").bounding_box() or {"height": 0})["height"] == 0


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize(
    ("more", "title"), [('limit="1" lang="de"', "Das könnte helfen"), ('lang="tlh"', "This may help")]
)
def test_its_attributes(portal: Portal, opened: Opened, more: str, title: str) -> None:
    portal.more = more
    page = opened(portal.address)
    portal.more = ""
    ask(page, "vpn from home")
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    if "limit" in more:
        expect(page.locator("kb-suggest li")).to_have_count(1)


@contextmanager
def answering(seconds: float | None) -> Iterator[str]:
    """A service that gives the widget and then takes its time; None: none that answers at all afterwards."""
    widget = (Path(kb_service.__file__).parent / "static" / "widget.js").read_bytes()
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(widget)

        def do_OPTIONS(self) -> None:
            if seconds is None:
                self.connection.close()
                return
            done.wait(seconds)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    done.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("seconds", [30.0, None])
def test_a_service_that_is_slow_or_down_keeps_no_form_from_being_sent(
    portal: Portal, opened: Opened, seconds: float | None
) -> None:
    known, key = portal.service, portal.key
    with answering(seconds) as service:
        portal.service, portal.key = service, "kb_x"
        page = opened(portal.address, ignored=("Failed to load", "net::", "CORS", "preflight"))
        with page.expect_request("**/api/suggest*"):
            ask(page)
        expect(page.locator("kb-suggest section")).to_have_count(0)
        started = time.monotonic()
        page.get_by_role("button", name="Send").click()
        expect(page.locator("body")).to_have_text("sent")
        assert time.monotonic() - started < 2
    portal.service, portal.key = known, key
