"""A real Chromium for the tests of the pages: one that is there, or else one that is installed.

``python -m tests.chromium`` says which; it fails where none can be had and CI is set, and else says what is not run.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.debian import install_package, run_in_time

# As the systems call it
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")


def chromium() -> str | None:
    """The path of one that is there: on the PATH, Debian's, or Playwright's own."""
    named = next(filter(None, map(shutil.which, _NAMES)), None)
    if named:
        return named
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def launch(playwright: Playwright, executable: str) -> Browser:
    """Started so that it asks nothing of anybody but the service."""
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    # Its sandbox does not work for root, as in a container
    return playwright.chromium.launch(
        executable_path=executable, args=quiet, chromium_sandbox=os.name == "posix" and os.geteuid() != 0
    )


def install() -> None:
    """By the system where we may, else by Playwright."""
    if not install_package("chromium"):
        run_in_time([sys.executable, "-m", "playwright", "install", "chromium-headless-shell"])


def main() -> int:
    """Find one or install one, and say so."""
    if chromium() is None:
        print("There is no Chromium on the PATH, nor Playwright's own: installing one", file=sys.stderr)
        install()
    found = chromium()
    if found:
        print(f"Chromium: {found}")
        return 0
    print(
        "\n*** NOT RUN: the tests of the pages in a browser (tests/browser). There is no Chromium, and none could be"
        " installed.\n*** Install one (Debian: apt-get install chromium) so that 'chromium' is on the PATH.\n",
        file=sys.stderr,
    )
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
