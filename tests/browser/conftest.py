"""A desk that runs, and people at a real browser."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from indexer.encoder import Encoder
from tests.authors import Service
from tests.chromium import chromium, launch
from tests.conftest import CONTENT

WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)
Opened = Callable[..., Page]


@pytest.fixture(scope="session")
def executable() -> str:
    """A test of the pages is never left out where it must run."""
    found = chromium()
    if found is None:
        why = "there is no Chromium; python -m tests.chromium installs one"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    return str(found)


# Of a module: while Playwright runs, nothing else in the same process may run a loop of its own
@pytest.fixture(scope="module")
def browser(executable: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright, executable)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, model_cache: Path) -> Iterator[str]:
    """The address of ``kb serve --demo`` over our own content, with the real model."""
    assert encoder.dimension
    service = Service(
        tmp_path_factory.mktemp("demo") / "data",
        KB_ENCODER="onnx", KB_CACHE=str(model_cache), KB_CONTENT=str(CONTENT),
        KB_RATE_KEY="none", KB_RATE_ADDRESS="none",
    )  # fmt: skip
    with service.running("--demo") as client:
        yield str(client.base_url)


def _is_error(line: ConsoleMessage, ignored: tuple[str, ...]) -> bool:
    return line.type == "error" and not any(one in line.text for one in ignored)


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """Opens pages, each in a browser of its own; an error of a script, or what the policy forbids, fails the test."""
    contexts: list[BrowserContext] = []
    said: list[str] = []
    missing: list[str] = []

    def new(address: str, path: str = "/", ignored: tuple[str, ...] = (), **given: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **given})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda line: said.append(line.text) if _is_error(line, ignored) else None)
        # A page that says that there is none is no error of a script
        page.on("response", lambda answer: missing.append(answer.url) if answer.status == 404 else None)
        page.goto(address + path)
        return page

    yield new
    for context in contexts:
        context.close()
    assert [line for line in said if "404 (Not Found)" not in line or not missing] == []
