"""HEAD: what monitors, previews of links and checkers of them ask."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from kb_service import KnowledgeBase, Settings
from tests.authors import Service
from tests.client import client_of
from tests.written import article

PATHS = ("/", "/?q=vpn", "/a/vpn", "/readyz", "/healthz", "/metrics", "/api/search?q=vpn", "/static/style.css", "/no")
# What belongs to one answer alone
_OWN = {"date", "x-request-id", "content-length", "transfer-encoding"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "vpn.md").write_text(article("VPN drops", "Restart the wombat client."), "utf-8")
    base = KnowledgeBase(Settings(content=tmp_path / "content", data=tmp_path / "data", encoder="hashing"))
    base.update()
    with client_of(base) as made:
        yield made


@pytest.mark.parametrize("path", PATHS)
def test_head_is_answered_with_the_head_of_what_get_is(client: TestClient, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert head.content == b""
    assert whole.content != b""
    assert head.status_code == whole.status_code
    ours, theirs = ({name: said for name, said in one.headers.items() if name not in _OWN} for one in (head, whole))
    assert ours == theirs


def test_what_get_does_not_answer_head_does_not_either(client: TestClient) -> None:
    answer = client.head("/api/triage")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")


def test_it_is_counted_as_what_it_is(client: TestClient) -> None:
    client.head("/a/vpn")
    counted = [line for line in client.get("/metrics").text.splitlines() if 'method="HEAD"' in line]
    assert counted == ['kb_requests_total{method="HEAD",route="/a/{id:path}",status="200"} 1.0']


def test_the_connection_goes_on_after_it(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "vpn.md").write_text(article("VPN drops", "Restart the wombat client."), "utf-8")
    with Service(tmp_path / "data", KB_CONTENT=str(tmp_path / "content")).running() as client:
        connection = http.client.HTTPConnection(urlsplit(str(client.base_url)).netloc, timeout=30)
        for path in (*PATHS, "/healthz"):
            for method in ("HEAD", "GET"):
                connection.request(method, path)
                answer = connection.getresponse()
                assert bool(answer.read()) is (method == "GET"), path
                assert answer.status == (404 if path == "/no" else 200)
        connection.close()
