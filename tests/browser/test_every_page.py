"""What holds of every page: nobody is shut out, nothing is cut off, and each is light."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from indexer.encoder import Encoder
from tests.authors import Service
from tests.browser.conftest import Opened
from tests.browser.pages import pages
from tests.conftest import CONTENT

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
MOST_BYTES = 35_000
# 320 px is also what a window of 640 px shows at 200 %, and one of 1280 px at 400 %
WIDTHS = (320, 1280)
ColorScheme = Literal["light", "dark"]
COLOURS: tuple[ColorScheme, ...] = ("light", "dark")
LOADED = (
    r"""() => performance.getEntriesByType('resource').map(one => one.name).filter(one => /\.(js|css)$/.test(one))"""
)
AXE = Axe()


def violations(page: Page, colours: ColorScheme = "light") -> list[str]:
    """What axe finds, by rule and place; in the dark only of colours, since nothing else is another then."""
    page.emulate_media(color_scheme=colours, reduced_motion="reduce")
    rules = {"type": "tag", "values": WCAG} if colours == "light" else {"type": "rule", "values": ["color-contrast"]}
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = AXE.run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to one page."""

    title: str
    loaded: tuple[str, ...]
    needed: Mapping[int, int]
    violations: Mapping[ColorScheme, list[str]]


def look(page: Page, address: str) -> Seen:
    """Visit it once, at each width and in each scheme of colours."""
    page.goto(address)
    page.wait_for_load_state()
    title, loaded, needed = page.title(), tuple(page.evaluate(LOADED)), {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        needed[width] = page.evaluate("document.documentElement.scrollWidth")
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
    return Seen(title, loaded, needed, {colours: violations(page, colours) for colours in COLOURS})


def test_nobody_is_shut_out_nothing_is_cut_off_and_each_is_light_and_says_what_it_is(demo: str, opened: Opened) -> None:
    page = opened(demo)
    seen = {name: look(page, demo + path) for name, path in pages(demo)}
    # WCAG 2.2 A and AA, as far as axe can tell
    assert {name: one.violations for name, one in seen.items() if any(one.violations.values())} == {}
    cut_off = {name: one.needed for name, one in seen.items() if any(most > wide for wide, most in one.needed.items())}
    assert cut_off == {}
    files = {file: len(page.request.get(file).body()) for one in seen.values() for file in one.loaded}
    # Scripts and styles, unpacked
    sizes = [sum(files[file] for file in one.loaded) for one in seen.values()]
    assert 0 < min(sizes) <= max(sizes) < MOST_BYTES
    different = [one.title for name, one in seen.items() if name not in {"runbook", "search, narrowed"}]
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
