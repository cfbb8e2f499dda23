"""What holds of every page: nobody is shut out, nothing is cut off, and each is light."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from indexer.encoder import Encoder
from tests.authors import Service
from tests.browser.conftest import Opened
from tests.browser.pages import pages
from tests.conftest import CONTENT

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
MOST_BYTES = 35_000
# Bytes of script and style, unpacked
LOADED = r"""() => performance.getEntriesByType('resource').filter(one => /\.(js|css)$/.test(one.name))
  .reduce((sum, one) => sum + one.decodedBodySize, 0)"""
AXE = Axe()


def violations(page: Page) -> list[str]:
    """What axe finds, by rule and place."""
    options = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
    found = AXE.run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_nobody_is_shut_out(demo: str, opened: Opened, colours: str) -> None:
    """WCAG 2.2 A and AA, as far as axe can tell."""
    page = opened(demo, color_scheme=colours, reduced_motion="reduce")
    wrong = {}
    for name, path in pages(demo):
        page.goto(demo + path)
        page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
        found = violations(page)
        if found:
            wrong[name] = found
    assert wrong == {}


# 320 px is also what a window of 640 px shows at 200 %, and one of 1280 px at 400 %
@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_cut_off(demo: str, opened: Opened, width: int) -> None:
    page = opened(demo, viewport={"width": width, "height": 800})
    wide = {}
    for name, path in pages(demo):
        page.goto(demo + path)
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            wide[name] = needed
    assert wide == {}


def test_each_is_light_and_says_what_it_is(demo: str, opened: Opened) -> None:
    titles, sizes = {}, {}
    for name, path in pages(demo):
        # With nothing kept of the page before
        page = opened(demo, path)
        page.wait_for_load_state()
        sizes[name] = page.evaluate(LOADED)
        titles[name] = page.title()
    assert max(sizes.values()) < MOST_BYTES
    assert min(sizes.values()) > 0
    different = [title for name, title in titles.items() if name not in {"runbook", "search, narrowed"}]
    assert len(set(different)) == len(different)
    assert all("Knowledge base" in title for title in different)


def test_below_a_path_of_its_host_everything_is_asked_below_it(
    tmp_path: Path, encoder: Encoder, model_cache: Path, opened: Opened
) -> None:
    assert encoder.dimension
    service = Service(
        tmp_path / "data",
        KB_ENCODER="onnx", KB_CACHE=str(model_cache), KB_CONTENT=str(CONTENT), KB_URL="http://127.0.0.1/kb",
    )  # fmt: skip
    with service.running("--demo") as client:
        address = f"{str(client.base_url).rstrip('/')}/kb"
        page = opened(address)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for _, path in pages(address):
            page.goto(address + path)
            page.wait_for_load_state()
        page.goto(f"{address}/")
        page.get_by_role("searchbox").fill("vpn does not connect")
        page.locator(".hits a.pick").first.click()
        page.wait_for_load_state()
        assert page.url.startswith(f"{address}/a/")
        page.goto(f"{address}/demo/ticket")
        page.get_by_label("What is wrong?").press_sequentially("how do i set up my second factor")
        page.locator("kb-suggest li a").first.press("Enter")
        expect(page.get_by_role("dialog")).to_contain_text("Recovery code")
    beside = [url for url in asked if not url.startswith(f"{address}/")]
    assert beside == []
