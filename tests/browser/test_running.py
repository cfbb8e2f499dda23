"""Running a runbook, and triaging what comes in."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.pages import FLOOD_TICKET, RUNBOOK


def begun(page: Page, address: str, number: str = "") -> None:
    page.goto(f"{address}/a/{RUNBOOK}")
    page.get_by_label("For the incident").fill(number)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/runs/*")
    expect(page.locator(".progress")).to_contain_text("0 of 5 steps done")


def latest(page: Page, address: str) -> str:
    page.goto(f"{address}/incidents?kind=incident&state=open")
    return page.locator("ul.records a.pick").first.inner_text()


def test_steps_and_fields_survive_a_reload(demo: str, opened: Opened) -> None:
    page = opened(demo)
    begun(page, demo)
    page.get_by_label("port", exact=True).fill("9443")
    page.get_by_label("port", exact=True).press("Tab")
    expect(page.locator(".text pre").first).to_contain_text("sport = :9443")
    page.get_by_role("button", name="Step 1 done").click()
    expect(page.locator(".progress")).to_contain_text("1 of 5 steps done")
    # Where one stood one still stands
    expect(page.get_by_role("button", name="Step 1 done")).to_be_focused()
    page.get_by_role("button", name="Step 3 done").press("Enter")
    expect(page.locator(".progress")).to_contain_text("2 of 5 steps done")
    page.reload()
    expect(page.locator(".progress")).to_contain_text("2 of 5 steps done")
    expect(page.get_by_label("port", exact=True)).to_have_value("9443")
    pressed = page.locator(".tick button[aria-pressed=true]")
    expect(pressed).to_have_count(2)
    assert re.fullmatch(r"\d\d:\d\d UTC", page.locator(".tick time").first.inner_text())
    page.get_by_role("button", name="Step 1 done").click()
    expect(pressed).to_have_count(1)
    expect(page).to_have_title(re.compile("^1 of 5: "))


def test_the_run_is_a_work_note_of_the_incident(demo: str, opened: Opened) -> None:
    page = opened(demo)
    number = latest(page, demo)
    begun(page, demo, number)
    page.get_by_role("button", name="Step 2 done").click()
    expect(page.locator(".progress")).to_contain_text("1 of 5")
    page.get_by_role("button", name="End it").click()
    expect(page.locator(".progress")).to_contain_text("ended at")
    page.goto(f"{demo}/incidents/{number}")
    note = page.locator("#notes")
    expect(note).to_contain_text("1 of 5 steps done")
    expect(note).to_contain_text("1. See whether and where something listens")
    page.get_by_role("link", name="The run").click()
    expect(page.locator("h1")).to_have_text("Port not reachable on a Linux server")


def test_a_run_goes_without_script_and_is_gone_on_with_from_its_runbook(demo: str, opened: Opened) -> None:
    page = opened(demo, java_script_enabled=False)
    begun(page, demo)
    page.get_by_label("host", exact=True).fill("app7.example.com")
    page.get_by_role("button", name="Fill in").click()
    expect(page.locator(".text").first).to_contain_text("app7.example.com")
    page.get_by_role("button", name="Step 1 done").click()
    expect(page.locator(".progress")).to_contain_text("1 of 5 steps done")
    page.goto(f"{demo}/a/{RUNBOOK}")
    page.locator("[id='page:run'] .records a").first.click()
    expect(page.locator(".progress")).to_contain_text("1 of 5 steps done")


def test_what_was_begun_by_mistake_is_discarded(demo: str, opened: Opened) -> None:
    page = opened(demo)
    begun(page, demo)
    run = page.url
    page.get_by_role("button", name="Step 1 done").click()
    expect(page.locator(".progress")).to_contain_text("1 of 5 steps done")
    expect(page.get_by_role("button", name="Discard it")).to_have_count(0)
    page.get_by_role("button", name="Step 1 done").click()
    page.get_by_role("button", name="Discard it").click()
    expect(page).to_have_url(re.compile(re.escape(RUNBOOK)))
    assert page.goto(run).status == 404  # type: ignore[union-attr]


def test_an_ended_run_is_ticked_no_more_until_it_is_gone_on_with(demo: str, opened: Opened) -> None:
    page = opened(demo)
    begun(page, demo)
    late = opened(demo, ignored=("409 (Conflict)",))
    late.goto(page.url)
    page.get_by_role("button", name="End it").click()
    expect(page.locator(".progress")).to_contain_text("ended at")
    expect(page.get_by_role("button", name="Step 1 done")).to_be_disabled()
    # In another tab it still looks as if it went on
    late.get_by_role("button", name="Step 1 done").click()
    expect(late.locator("#said")).to_contain_text("has ended")
    page.get_by_role("button", name="Go on with it").click()
    page.get_by_role("button", name="Step 1 done").click()
    expect(page.locator(".progress")).to_contain_text("1 of 5 steps done")


def test_an_unknown_incident_is_said_and_loses_nothing(demo: str, opened: Opened) -> None:
    page = opened(demo)
    begun(page, demo)
    page.get_by_label("Keep it as a work note of").fill("INC404")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#said")).to_contain_text("INC404")
    page.get_by_role("button", name="Step 1 done").click()
    expect(page.locator(".progress")).to_contain_text("1 of 5 steps done")


def test_a_flood_is_seen_with_its_evidence(demo: str, opened: Opened) -> None:
    page = opened(demo, "/triage")
    expect(page.get_by_label("What came in")).to_be_focused()
    page.keyboard.insert_text(FLOOD_TICKET)
    page.get_by_role("button", name="Triage").click()
    expect(page).to_have_url(re.compile(r"/triage\?text=web"))
    for heading in ("Articles", "Incidents like it", "What to do"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    flood = page.locator(".banner", has_text="Major incident?")
    expect(flood).to_be_visible()
    assert flood.locator("svg rect").count() > 2
    assert "came in from" in (flood.locator("svg").get_attribute("aria-label") or "")
    expect(page.locator(".hits .band").first).to_be_visible()


def test_a_long_ticket_has_an_address_that_no_server_sees(demo: str, opened: Opened) -> None:
    page = opened(demo, "/triage")
    ticket = "Outlook says 0x80070005 – Größe & <b>\n" + "a line of a log that nobody reads; " * 100
    page.get_by_label("What came in").fill(ticket)
    page.get_by_label("Service").fill("email")
    page.get_by_role("button", name="Triage").click()
    expect(page).to_have_url(re.compile(r"/triage#ticket=[\w-]+$"))
    first = page.locator(".hits a.pick").first.inner_text()
    other = opened(demo)
    asked: list[str] = []
    other.on("request", lambda one: asked.append(one.url))
    other.goto(page.url)
    expect(other.locator(".hits a.pick").first).to_have_text(first)
    expect(other.get_by_label("What came in")).to_have_value(ticket.strip())
    expect(other.get_by_label("Service")).to_have_value("email")
    assert max(map(len, (url.partition("#")[0] for url in asked))) < 100
    # Put into a page that is open already, and cut on its way
    other.goto(f"{demo}/triage?text=vpn")
    other.goto(f"{demo}/triage?text=vpn#{page.url.partition('#')[2]}")
    expect(other.get_by_label("What came in")).to_have_value(ticket.strip())
    other = opened(demo, "/triage#ticket=broken")
    expect(other.get_by_label("What came in")).to_be_empty()


def test_the_list_has_the_flood_on_top_and_filters(demo: str, opened: Opened) -> None:
    page = opened(demo, "/incidents")
    expect(page.locator("main > *").nth(1)).to_have_class("banner flood")
    page.get_by_label("State").select_option("resolved")
    page.get_by_role("button", name="Show").click()
    shown = page.locator("ul.records .meta").all_inner_texts()
    assert shown
    assert all("resolved" in one for one in shown)
    expect(page.get_by_label("State")).to_have_value("resolved")


def test_an_article_is_attached_with_one_key(demo: str, opened: Opened) -> None:
    page = opened(demo)
    number = latest(page, demo)
    page.goto(f"{demo}/incidents/{number}")
    hit = page.locator(".hits a.pick").first
    title = hit.inner_text()
    hit.focus()
    page.keyboard.press("a")
    expect(page.locator("#attached")).to_contain_text(title)
    page.get_by_role("button", name="It resolved it").first.click()
    expect(page.locator("#attached")).to_contain_text("resolved it")
    page.get_by_role("button", name=f"Detach {title}").click()
    expect(page.locator("#attached")).to_have_count(0)


def test_a_number_is_opened_from_the_triage(demo: str, opened: Opened) -> None:
    page = opened(demo)
    number = latest(page, demo)
    page.goto(f"{demo}/triage")
    page.get_by_label("Or a number").fill(number)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(number)
