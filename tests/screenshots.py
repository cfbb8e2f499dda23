"""``make screenshots``: a picture of every page of the demo desk, wide and narrow, light and dark, to be looked at.

They lie in ``data/screenshots``; two of them are the README's, in ``pictures``.
"""

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import sync_playwright

from tests.authors import Service
from tests.browser.pages import pages
from tests.chromium import chromium, launch
from tests.conftest import CONTENT, REPOSITORY

_FOLDER = REPOSITORY / "data" / "screenshots"
_PICTURES = {"search": "search.png", "triage of a flood": "triage.png"}
_VIEWS: dict[str, tuple[int, Literal["light", "dark"]]] = {
    "wide": (1280, "light"),
    "wide-dark": (1280, "dark"),
    "narrow": (360, "light"),
}


def main() -> int:
    executable = chromium()
    if executable is None:
        print("There is no Chromium: python -m tests.chromium installs one", file=sys.stderr)
        return 1
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as data:
        service = Service(
            Path(data) / "data",
            KB_ENCODER="onnx", KB_CACHE=str(REPOSITORY / "data" / "cache"), KB_CONTENT=str(CONTENT),
            KB_RATE_KEY="none", KB_RATE_ADDRESS="none",
        )  # fmt: skip
        with service.running("--demo") as client:
            _take(str(client.base_url), executable)
    print(f"{len(list(_FOLDER.glob('*.png')))} pictures in {_FOLDER}")
    return 0


def _take(address: str, executable: str) -> None:
    every = list(pages(address))
    with sync_playwright() as playwright:
        browser = launch(playwright, executable)
        for view, (width, colours) in _VIEWS.items():
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=colours)
            for name, path in every:
                page.goto(address + path, wait_until="networkidle")
                page.screenshot(path=_FOLDER / f"{re.sub(r'[^a-z]+', '-', name)}-{view}.png", full_page=True)
                if view == "wide" and name in _PICTURES:
                    (REPOSITORY / "pictures").mkdir(exist_ok=True)
                    page.screenshot(path=REPOSITORY / "pictures" / _PICTURES[name])
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
