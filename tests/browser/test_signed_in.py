"""The pages of a service that asks for keys: who signs in sees what is for them, works, and leaves."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from indexer.encoder import Encoder
from tests.authors import Service
from tests.browser.conftest import Opened
from tests.browser.pages import RUNBOOK
from tests.browser.test_every_page import violations
from tests.conftest import CONTENT
from tests.oidc_provider import CLIENT, SECRET, open_provider

SignedIn = Callable[..., Page]
NewKey = Callable[[str], str]


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, model_cache: Path
) -> Iterator[tuple[str, Service]]:
    assert encoder.dimension
    data = tmp_path_factory.mktemp("signed") / "data"
    service = Service(data, KB_ENCODER="onnx", KB_CACHE=str(model_cache), KB_CONTENT=str(CONTENT))
    service.kb("keys", "create", "--role", "admin")
    with service.running() as client:
        yield str(client.base_url), service


@pytest.fixture
def new_key(running: tuple[str, Service]) -> NewKey:
    """Makes a key of a role."""
    _, service = running

    def new(role: str) -> str:
        made = service.kb("keys", "create", "--json", "--role", role, "--name", f"One {role}")
        return str(json.loads(made)["key"])

    return new


@pytest.fixture
def signed_in(running: tuple[str, Service], opened: Opened, new_key: NewKey) -> SignedIn:
    """Opens a page, and signs in with a new key of a role where it asks for one."""
    address, _ = running

    def new(role: str, path: str, ignored: tuple[str, ...] = ()) -> Page:
        key = new_key(role)
        page = opened(address, path, ignored)
        expect(page).to_have_url(re.compile("/login"))
        page.get_by_label("Key").fill(key)
        page.keyboard.press("Enter")
        expect(page.locator("details.who")).to_contain_text(f"One {role} ({role})")
        page.wait_for_load_state()
        return page

    return new


def test_an_agent_works_and_signs_out(signed_in: SignedIn) -> None:
    page = signed_in("agent", f"/a/{RUNBOOK}")
    expect(page.locator("h1")).to_have_text("Port not reachable on a Linux server")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Step 1 done").click()
    expect(page.locator(".progress")).to_contain_text("1 of 5 steps done")
    expect(page.locator("main")).to_contain_text("Run by One agent")
    page.locator("details.who summary").click()
    expect(page.locator("details.who")).to_contain_text("works on incidents")
    assert violations(page) == []
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_label("Key")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Key")).to_be_visible()


def test_what_is_not_for_one_is_not_offered_and_says_so(signed_in: SignedIn) -> None:
    page = signed_in("agent", "/", ignored=("403 (Forbidden)",))
    expect(page.get_by_role("link", name="Incidents")).to_be_visible()
    expect(page.get_by_role("link", name="Publishing", exact=True)).to_have_count(0)
    page.goto(page.url + "publishing")
    expect(page.locator("h1")).to_have_text("Not for you")
    assert violations(page) == []


@pytest.mark.parametrize("text", ["vpn", "a line of a log that nobody reads; " * 100], ids=["short", "long"])
def test_who_is_signed_out_while_searching_goes_on_once_signed_in(
    signed_in: SignedIn, new_key: NewKey, text: str
) -> None:
    page = signed_in("agent", "/", ignored=("401 (Unauthorized)",))
    field = page.locator("input[type=search]")
    field.fill(text)
    page.wait_for_selector("#results [data-search]")
    page.context.clear_cookies()
    field.fill(f"{text} drops")
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_label("Key").fill("kb_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Key").fill(new_key("agent"))
    page.keyboard.press("Enter")
    expect(field).to_have_value(f"{text} drops")
    page.wait_for_selector("#results [data-search]")


@pytest.mark.parametrize(("start", "button"), [("/", "Search"), ("/triage", "Triage")])
def test_a_long_text_comes_back_from_the_provider(tmp_path: Path, opened: Opened, start: str, button: str) -> None:
    text = "a line of a log that nobody reads; " * 100 + "done"
    with open_provider() as provider:
        provider.claims = {"groups": ["desk"], "name": "Ann Other"}
        named = {"ISSUER": provider.issuer, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET, "ROLES": '{"desk": "agent"}'}
        service = Service(tmp_path / "data", KB_CONTENT=str(CONTENT), **{f"KB_OIDC_{k}": v for k, v in named.items()})
        service.kb("index")
        with service.running() as client:
            page = opened(str(client.base_url), start, ("401 (Unauthorized)",))
            page.get_by_role("link", name="Sign in through").click()
            expect(page.locator("details.who")).to_contain_text("Ann Other (agent)")
            page.wait_for_load_state()
            field = page.locator("input[type=search], textarea[name=text]").last
            field.fill(text)
            page.get_by_role("button", name=button, exact=True).click()
            expect(page).to_have_url(re.compile("#(q|ticket)="))
            address = page.url
            page.context.clear_cookies()
            page.goto("about:blank")
            page.goto(address)
            page.get_by_role("link", name="Sign in through").click()
            expect(field).to_have_value(text)
            expect(page).to_have_url(re.compile("#(q|ticket)="))
            page.goto("about:blank")


def test_a_requester_is_helped_by_the_form_and_says_so(signed_in: SignedIn) -> None:
    page = signed_in("requester", "/demo/ticket")
    expect(page.get_by_role("link", name="Triage")).to_have_count(0)
    page.locator("#short_description").press_sequentially("how do I connect to the vpn from home", delay=5)
    page.get_by_role("link", name="How do I connect to the VPN from home?").click()
    page.get_by_role("dialog").get_by_role("button", name="This solved it").click()
    expect(page.get_by_text("Nothing needs to be sent")).to_be_visible()
