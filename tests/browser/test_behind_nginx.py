"""The pages behind a real nginx, below a path, by TLS: what a browser gets of them, and keeps."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.authors import Service
from tests.beside.nginx import free_port, nginx
from tests.browser.conftest import Opened
from tests.written import article

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082"
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[str, Service]]:
    """Its address for people, and it."""
    content = tmp_path / "content"
    content.mkdir()
    (content / "vpn.md").write_text(article("VPN drops", "Restart the wombat. ![A picture](it.png)"), "utf-8")
    (content / "it.png").write_bytes(PICTURE)
    port = free_port()
    address = f"https://127.0.0.1:{port}/kb"
    service = Service(tmp_path / "data", KB_CONTENT=str(content), KB_URL=address, KB_PROXIES="127.0.0.1")
    service.kb("keys", "create", "--role", "admin")
    with service.running() as direct, nginx(tmp_path / "nginx", port, direct.base_url.port or 0):
        yield address, service


def test_who_signs_in_searches_reads_and_signs_out(service: tuple[str, Service], opened: Opened) -> None:
    address, running = service
    key = running.kb("keys", "create", "--role", "agent", "--name", "Ann").splitlines()[-1]
    page = opened(address, "/?q=wombat", ignore_https_errors=True)
    page.get_by_label("Key").fill(key)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/?q=wombat")
    (cookie,) = page.context.cookies()
    assert (cookie["secure"], cookie["httpOnly"], cookie["path"]) == (True, True, "/kb")
    page.get_by_role("link", name="VPN drops").click()
    page.wait_for_url(f"{address}/a/vpn**")
    expect(page.get_by_role("img", name="A picture")).to_have_js_property("naturalWidth", 1)
    page.locator("details.who summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(f"{address}/login**")
    page.goto(f"{address}/a/vpn")
    expect(page).to_have_url(f"{address}/login?then=%2Fa%2Fvpn")
