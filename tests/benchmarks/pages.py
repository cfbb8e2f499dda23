"""``python -m tests.benchmarks.pages``: from the last key until a result is seen, in a knowledge base of a thousand.

A real ``kb serve`` with the real model, a real Chromium on the same machine. KB_CACHE saves preparing the model.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from tests.authors import StandaloneService
from tests.benchmarks.made import ARTICLES, content
from tests.chromium import chromium, launch

QUERIES = (
    "vpn does not connect", "printer offline", "0x80070005", "account locked out after password change",
    "disk full", "certificate expired", "outlook does not send", "wifi drops in the meeting room",
    "502 bad gateway", "mfa phone lost", "who declares a major incident", "sla or ola",
    "laptop is slow since the update", "shared drive missing", "port 8443 not reachable",
    "backup failed last night", "dns name not found", "phishing mail", "clock is wrong", "raci",
)  # fmt: skip
KEY_MS = 80
# When each answer after the last key was drawn, and how much moved that nobody asked for
RECORD = """() => {
  window.seen = []; window.moved = 0; window.typed = 0;
  document.addEventListener('input', () => { window.typed = performance.now(); window.seen = [] }, {capture: true});
  new MutationObserver(() => {
    const asked = window.typed, meant = Boolean(document.querySelector('#results [data-search]'));
    if (!document.querySelector('#results .hits > li')) return;
    requestAnimationFrame(() => asked === window.typed && window.seen.push([performance.now() - asked, meant]));
  }).observe(document.getElementById('results'), {childList: true});
  new PerformanceObserver(list => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.moved += one.value;
  }).observe({type: 'layout-shift'});
}"""
SHARE = """() => performance.getEntriesByType('resource').filter(one => one.name.includes('/results?')).slice(-2)
  .map(one => one.responseStart - one.requestStart)"""


def typed(page: Page, text: str) -> tuple[float, float, list[float]]:
    """Milliseconds after the last key until the first result and until the one by meaning; the server's share."""
    page.locator("#search input").fill("")
    page.wait_for_selector(".overview")
    page.locator("#search input").press_sequentially(text, delay=KEY_MS)
    page.wait_for_function("() => window.seen.some(([, meant]) => meant)")
    seen: list[tuple[float, bool]] = page.evaluate("window.seen")
    return seen[0][0], next(at for at, meant in seen if meant), page.evaluate(SHARE)


def main() -> None:
    """Measure, and print one table."""
    executable = chromium()
    if executable is None:
        raise SystemExit("There is no Chromium: python -m tests.chromium installs one")
    cache = os.environ.get("KB_CACHE") or "data/cache"
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        service = StandaloneService(
            Path(name) / "data",
            KB_ENCODER="onnx", KB_CACHE=cache, KB_CONTENT=str(content(Path(name))), KB_RATE_ADDRESS="none",
        )  # fmt: skip
        with service.running() as client:
            while client.get("/readyz").json()["encoded"]["share"] < 1:
                time.sleep(0.5)
            browser = launch(playwright, executable)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(str(client.base_url))
            page.evaluate(RECORD)
            typed(page, QUERIES[0])
            found = [typed(page, text) for text in QUERIES]
            moved = page.evaluate("window.moved")
            browser.close()
    _print(found, moved)


def _print(found: Sequence[tuple[float, float, list[float]]], moved: float) -> None:
    table = Table(title=f"From the last key to what is seen, {ARTICLES} articles, {len(found)} queries; milliseconds")
    for head in ("", "median", "p95", "most"):
        table.add_column(head, justify="left" if not head else "right")
    rows = {
        "the first result": [one[0] for one in found],
        "the result by meaning too (after a pause of 180 ms)": [one[1] for one in found],
        "the server's share of a request": [share for one in found for share in one[2]],
    }
    for what, times in rows.items():
        ordered = sorted(times)
        figures = (statistics.median(ordered), ordered[int(len(ordered) * 0.95)], ordered[-1])
        table.add_row(what, *(f"{one:.0f}" for one in figures))
    console = Console(width=110)
    console.print(table)
    console.print(f"layout shift that nobody asked for, all queries together: {moved:.4f}")


if __name__ == "__main__":
    main()
