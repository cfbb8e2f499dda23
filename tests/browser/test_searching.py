"""Searching as people do: by the keyboard, fast, and with what the network does to answers."""

import re
import statistics
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Error, Page, Route, expect

from kb_service.web.page import MOST_IN_ADDRESS
from tests.browser.conftest import Opened
from tests.conftest import eventually

FIELD = "input[type=search]"
# What moved of what was there already, and not right after a key
SHIFTS = """() => { window.moved = 0; new PerformanceObserver(list => { for (const one of list.getEntries())
  if (!one.hadRecentInput) window.moved += one.value }).observe({type: 'layout-shift', buffered: true}) }"""


def titles(page: Page) -> list[str]:
    return page.locator("#results .hits h2").all_inner_texts()


def settled(page: Page) -> None:
    """Wait until the answer by meaning to what is in the field is there: the title says it, its search has a number."""
    asked = " ".join(page.locator(FIELD).input_value().split())
    expect(page).to_have_title(re.compile("^" + re.escape(asked[:40])))
    page.wait_for_selector("#results [data-search]")


def test_by_the_keyboard_alone(demo: str, opened: Opened) -> None:
    page = opened(demo)
    expect(page.locator(FIELD)).to_be_focused()
    page.keyboard.type("port not reachable linux")
    settled(page)
    expect(page).to_have_url(re.compile(r"/\?q=port\+not\+reachable\+linux$"))
    assert titles(page)[0] == "Port not reachable on a Linux server"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#results .hits > li").nth(1).locator("a.pick")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator(FIELD)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Port not reachable on a Linux server")
    # A heading is painted before the script that knows the keys has run
    page.wait_for_load_state()
    page.keyboard.press("/")
    expect(page.locator(FIELD)).to_be_focused()
    page.keyboard.type("printer")
    page.keyboard.press("Enter")
    settled(page)
    assert "q=printer" in page.url
    page.go_back()
    expect(page.locator("h1")).to_have_text("Port not reachable on a Linux server")


def test_c_copies_the_address_of_what_is_chosen(demo: str, opened: Opened) -> None:
    page = opened(demo, "/?q=printer")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("c")
    expect(page.locator("#said")).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == demo + (page.locator(".hits a.pick").first.get_attribute("href") or "")


def test_letters_are_no_keys_where_that_is_switched_off(demo: str, opened: Opened) -> None:
    page = opened(demo, "/help")
    page.get_by_label("Letters are keys").uncheck()
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.goto(f"{demo}/a/runbooks/vpn-wont-connect")
    page.keyboard.press("/")
    expect(page.locator(FIELD)).not_to_be_focused()


PLACES = [("t", "Triage"), ("i", "Incidents"), ("l", "Glossary"), ("p", "Publishing")]


@pytest.mark.parametrize(("key", "title"), [*PLACES, ("?", "Help")])
def test_every_page_is_two_keys_away(demo: str, opened: Opened, key: str, title: str) -> None:
    page = opened(demo)
    page.locator(FIELD).blur()
    for one in ("?",) if key == "?" else ("g", key):
        page.keyboard.press(one)
    expect(page).to_have_title(f"{title} – Knowledge base")


def test_an_answer_that_comes_late_is_not_shown(demo: str, opened: Opened) -> None:
    """Those to the earlier keys are held back, and come after that to the last one."""
    page = opened(demo)
    held: list[Route] = []
    ended: list[str] = []
    page.on("requestfinished", lambda one: ended.append(one.url))
    page.on("requestfailed", lambda one: ended.append(one.url))

    def hold(route: Route) -> None:
        if parse_qs(urlsplit(route.request.url).query)["q"] == ["printers"]:
            route.continue_()
        else:
            held.append(route)

    page.route("**/results?*", hold)
    for text in ("p", "pr", "printer", "printers"):
        with page.expect_request(re.compile(rf"/results\?q={text}&")):
            page.locator(FIELD).fill(text)
    settled(page)
    shown = titles(page)
    assert len(held) >= 3
    for route in held:
        # One that the page has given up takes no answer
        with suppress(Error):
            route.fulfill(body='<ol class="hits"><li data-id="x"><h2>Late</h2></li></ol>')
    late = {route.request.url for route in held}
    eventually(lambda: page.evaluate("true") and late <= set(ended), "all answers are there")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert titles(page) == shown
    assert "Late" not in shown


def test_narrowing_down_counts_and_can_be_taken_back(demo: str, opened: Opened) -> None:
    page = opened(demo, "/?q=vpn")
    facet = page.locator("aside label", has_text="runbook").first
    count = int(facet.locator(".count").inner_text())
    facet.locator("input").check()
    expect(page).to_have_url(re.compile("type=runbook"))
    expect(page.locator("#results .meta[data-said]")).to_contain_text(f"{count} article")
    shown = page.locator("#results .hits .meta").all_inner_texts()
    assert len(shown) == min(count, 10)
    assert all("runbook" in one for one in shown)
    # Where one stood one still stands
    expect(page.locator("aside input[value=runbook]")).to_be_focused()
    page.reload()
    expect(page.locator("aside input[value=runbook]")).to_be_checked()
    page.locator("aside input[value=runbook]").uncheck()
    expect(page).not_to_have_url(re.compile("type=runbook"))


def test_what_is_not_found_can_be_asked_for(demo: str, opened: Opened) -> None:
    page = opened(demo, "/?q=fax+prints+black+pages+zzqx")
    page.get_by_role("button", name="Ask for an article").click()
    expect(page.locator("h1")).to_have_text("Asked for")
    page.goto(f"{demo}/publishing")
    expect(page.locator("section[aria-labelledby=wanted]")).to_contain_text("fax prints black pages zzqx")


def test_what_was_opened_is_kept_and_stays_open_to_the_eye(demo: str, opened: Opened) -> None:
    page = opened(demo)
    page.keyboard.type("wifi drops")
    settled(page)
    with page.expect_request("**/api/clicks") as asked:
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    assert '"article":"runbooks/wifi-drops"' in (asked.value.post_data or "")
    expect(page.locator("h1")).to_contain_text("Wi-Fi")


LONG = "0x80070005 – Größe & <b>\n" + "a line of a log that nobody reads; " * 100


def test_scripts_and_service_agree_on_what_is_long(demo: str, opened: Opened) -> None:
    told = opened(demo).evaluate("import('/static/long.js').then((one) => one.MOST_IN_ADDRESS)")
    assert told == MOST_IN_ADDRESS


def test_a_long_text_stands_in_no_address_that_a_server_sees(demo: str, opened: Opened) -> None:
    page = opened(demo, "/glossary")
    asked: list[str] = []
    page.context.on("request", lambda one: asked.append(one.url))
    page.locator(FIELD).fill(LONG)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/#q=[\w-]+$"))
    settled(page)
    found = titles(page)
    assert found
    expect(page.locator(FIELD)).to_have_value(LONG.replace("\n", " "))
    page.locator("#results aside input").first.check()
    expect(page).to_have_url(re.compile(r"/\?type=[\w-]+#q=[\w-]+$"))
    expect(page.locator("#results aside input:checked")).to_have_count(1)
    page.go_back()
    expect(page.locator("#results aside input:checked")).to_have_count(0)
    settled(page)
    assert titles(page) == found
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#results .hits > li")).not_to_have_count(len(found))
    assert max(map(len, (url.partition("#")[0] for url in asked))) < 1_000


def test_back_leads_through_what_was_asked_for_by_enter(demo: str, opened: Opened) -> None:
    page = opened(demo)
    page.keyboard.type("printer")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=printer$"))
    page.locator(FIELD).fill("vpn")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=vpn$"))
    settled(page)
    page.wait_for_load_state()
    # Further down what was shown before may have kept its place
    best = titles(page)[0]
    page.go_back()
    expect(page.locator(FIELD)).to_have_value("printer")
    settled(page)
    page.wait_for_load_state()
    assert best not in titles(page)
    page.go_forward()
    expect(page.locator(FIELD)).to_have_value("vpn")
    settled(page)
    assert titles(page)[0] == best
    page.locator(FIELD).press("End")
    page.locator(FIELD).press_sequentially(" does not connect")
    expect(page).to_have_url(re.compile(r"q=vpn\+does\+not\+connect$"))
    page.go_back()
    expect(page.locator(FIELD)).to_have_value("vpn")
    settled(page)
    page.wait_for_load_state()
    # To go to a place of the page is not to search
    page.goto(f"{page.url}#main")
    expect(page.locator(FIELD)).to_have_value("vpn")


def test_without_script_everything_can_be_searched_and_read(demo: str, opened: Opened) -> None:
    page = opened(demo, java_script_enabled=False)
    page.locator(FIELD).fill("vpn")
    page.get_by_role("button", name="Search").click()
    # The head is there before anything is found
    expect(page.locator(".hits a.pick").first).to_be_visible()
    page.locator("aside summary").click()
    page.locator("aside input[value=runbook]").check()
    page.locator("aside").get_by_role("button", name="Narrow down").click()
    assert "type=runbook" in page.url
    page.locator(".hits details summary").first.click()
    expect(page.locator(".hits details ul").first).to_be_visible()
    page.locator(".hits a.pick").first.click()
    expect(page.locator("article h1")).to_be_visible()
    page.get_by_role("button", name="This helped").click()
    expect(page.locator(".banner.good")).to_contain_text("Thank you")


def test_nothing_jumps_while_somebody_types(demo: str, opened: Opened) -> None:
    page = opened(demo)
    page.evaluate(SHIFTS)
    page.keyboard.type("outlook does not send mail", delay=60)
    settled(page)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.moved") < 0.01


def test_the_service_is_away_for_a_moment(demo: str, opened: Opened) -> None:
    page = opened(demo, "/?q=printer")
    before = titles(page)
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('Failed to fetch')) }")
    page.locator(FIELD).fill("vpn")
    expect(page.locator("#said")).to_contain_text("press Enter to ask again")
    assert titles(page) == before


def test_the_first_result_is_there_in_a_moment(demo: str, opened: Opened) -> None:
    """From the last key to the first result that is shown; the figures at a thousand articles are ``make bench``'s."""
    page = opened(demo)
    times = []
    for text in ("vpn", "printer offline", "0x80070005", "account locked", "disk full", "certificate expired"):
        page.locator(FIELD).fill("")
        page.wait_for_selector(".overview")
        page.evaluate(
            """() => { window.seen = new Promise(done => new MutationObserver((_, own) => {
              if (document.querySelector('#results .hits li')) { own.disconnect(); requestAnimationFrame(() =>
                done(performance.now() - window.typed)) }
            }).observe(document.getElementById('results'), {childList: true}));
            document.addEventListener('keydown', () => (window.typed = performance.now()), {capture: true}) }"""
        )
        page.locator(FIELD).press_sequentially(text)
        times.append(page.evaluate("window.seen"))
    assert statistics.median(times) < 250
