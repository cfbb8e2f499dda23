"""Behind a real nginx, which ends TLS and has the service below a path, as the README says."""

import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from kb_service import KnowledgeBase, Settings
from kb_service.app import create_app
from kb_service.ranking import rank
from tests.authors import Service
from tests.beside.nginx import free_port, nginx
from tests.conftest import WAIT_SECONDS, eventually
from tests.written import article


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    folder.mkdir()
    (folder / "vpn.md").write_text(article("VPN drops", "Restart the wombat client. See [mail](mail.md)."), "utf-8")
    (folder / "mail.md").write_text(article("Mail is slow", "Look at the queue."), "utf-8")
    return folder


def client_at(folder: Path, address: str, **given: str) -> httpx2.Client:
    trusted = ssl.create_default_context(cafile=folder / "certificate.pem")
    return httpx2.Client(base_url=address, verify=trusted, timeout=WAIT_SECONDS, headers=given)


@pytest.fixture
def service(tmp_path: Path, articles: Path) -> Iterator[tuple[str, str]]:
    """The address that people use, and an admin's key."""
    port = free_port()
    address = f"https://127.0.0.1:{port}/kb"
    service = Service(
        tmp_path / "data", KB_CONTENT=str(articles), KB_URL=address, KB_PROXIES="127.0.0.1", KB_RATE_ADDRESS="20/minute"
    )
    key = service.kb("keys", "create", "--role", "admin").splitlines()[-1]
    with service.running() as direct, nginx(tmp_path / "nginx", port, direct.base_url.port or 0):
        yield address, key


def test_an_address_counts_as_the_one_that_asked_nginx_whatever_it_says_it_is(
    tmp_path: Path, service: tuple[str, str]
) -> None:
    address, _ = service
    with client_at(tmp_path / "nginx", address) as client:
        statuses = [
            client.get("/api/search", headers={"X-Forwarded-For": f"192.0.2.{one}"}).status_code for one in range(30)
        ]
    assert statuses[:20] == [401] * 20
    assert set(statuses[20:]) <= {401, 429}
    assert statuses[-1] == 429


def test_a_body_as_large_as_the_service_takes_gets_through(tmp_path: Path, service: tuple[str, str]) -> None:
    address, key = service
    rows = [{"number": f"INC{one}", "short_description": "VPN", "description": "x" * 30_000} for one in range(1000)]
    with client_at(tmp_path / "nginx", address, **{"X-API-Key": key}) as client:
        body = "".join(json.dumps(row) + "\n" for row in rows).encode()
        assert len(body) > 30_000_000
        answer = client.post("/api/incidents", content=body, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["created"] == 1000


def test_the_head_of_a_page_is_there_while_its_hits_are_still_looked_for(
    tmp_path: Path, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    address = f"https://127.0.0.1:{port}/kb"
    settings = Settings(content=articles, data=tmp_path / "data", encoder="hashing", url=address, proxies="127.0.0.1")
    base = KnowledgeBase(settings)
    base.update()
    key = {"X-API-Key": base.keys.create("admin", by="test")[1]}
    is_seen = threading.Event()

    def ranked(*given: Any, **named: Any) -> Any:
        assert is_seen.wait(WAIT_SECONDS), "the head of the page was held back"
        return rank(*given, **named)

    monkeypatch.setattr("kb_service.search.rank", ranked)
    server = uvicorn.Server(uvicorn.Config(create_app(base), port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started, "the service listens")
        (listening,) = server.servers[0].sockets
        with (
            nginx(tmp_path / "nginx", port, listening.getsockname()[1]),
            client_at(tmp_path / "nginx", address, **key) as client,
            client.stream("GET", "/", params={"q": "wombat"}) as answer,
        ):
            assert answer.status_code == 200, answer.read()
            parts = answer.iter_text()
            head = next(parts)
            assert 'name="q" value="wombat"' in head
            assert "<mark>" not in head
            is_seen.set()
            assert "<mark>wombat</mark>" in "".join(parts)
    finally:
        is_seen.set()
        server.should_exit = True
        thread.join()
