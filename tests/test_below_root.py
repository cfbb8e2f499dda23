"""A service below a path of its host: what it sends leads back to it, whether a proxy takes the path away or not."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from kb_service import KnowledgeBase, Settings
from kb_service.app import create_app
from kb_service.web.page import below

ROOT = "/kb"


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeBase:
    (tmp_path / "a.md").write_text("# Printer\n\nSee [the other](b.md) and ![it](it.png).\n")
    (tmp_path / "b.md").write_text("# Spooler\n\nRestart it.\n")
    settings = Settings(content=tmp_path, data=tmp_path / "data", encoder="hashing", url=f"http://localhost{ROOT}/")
    made = KnowledgeBase(settings)
    made.update()
    return made


@pytest.fixture(params=[ROOT, ""], ids=["the path is left", "a proxy takes it away"])
def client(base: KnowledgeBase, request: pytest.FixtureRequest) -> TestClient:
    return TestClient(create_app(base), base_url=f"http://localhost{request.param}", follow_redirects=False)


@pytest.mark.parametrize(
    "path", ["/", "/?q=printer", "/a/a", "/glossary", "/help", "/login", "/nothing", "/demo/ticket"]
)
def test_every_address_of_a_page_is_below_it(client: TestClient, path: str) -> None:
    found = re.findall(r'(?:href|src|action)="([^"]*)"', client.get(path, headers={"Accept": "text/html"}).text)
    ours = [one for one in found if one.startswith("/")]
    assert len(ours) > 5
    assert [one for one in ours if not one.startswith(f"{ROOT}/")] == []


def test_an_article_links_below_it(client: TestClient) -> None:
    text = client.get("/a/a").text
    assert f'href="{ROOT}/a/b"' in text
    assert f'src="{ROOT}/media/it.png?of=a"' in text


def test_answers_of_the_api_count_from_the_service_s_own_root(client: TestClient) -> None:
    assert client.get("/api/search", params={"q": "spooler"}).json()["hits"][0]["url"] == "/a/b#spooler"
    assert 'href="/a/b"' in client.get("/api/articles/a").json()["html"]


def test_it_sends_on_below_it(base: KnowledgeBase, client: TestClient) -> None:
    assert client.get("/favicon.ico").headers["location"] == f"{ROOT}/static/favicon.svg"
    base.keys.create("admin", name="Ann", by="test")
    answer = client.get("/a/b?at=now", headers={"Accept": "text/html"})
    assert answer.headers["location"] == f"{ROOT}/login?then=%2Fa%2Fb%3Fat%3Dnow"


def test_its_cookie_is_sent_to_no_neighbour(client: TestClient) -> None:
    assert f"Path={ROOT};" in client.get("/login").headers["set-cookie"]


def test_files_and_the_description_of_the_api_are_there(client: TestClient) -> None:
    assert client.get("/static/style.css").status_code == 200
    assert client.get("/openapi.json").json()["servers"] == [{"url": ROOT}]
    docs = client.get("/docs").text
    assert "/docs.js" in docs
    for path in re.findall(rf'(?:href|src)="{ROOT}([^"]+)"', docs):
        assert client.get(path).is_success, path


def test_without_its_slash_it_is_found_too(base: KnowledgeBase) -> None:
    answer = TestClient(create_app(base), base_url="http://localhost", follow_redirects=False).get(ROOT)
    assert (answer.status_code, answer.headers["location"]) == (308, f"{ROOT}/")


def test_what_lies_beside_it_is_not_answered_as_if_below(base: KnowledgeBase) -> None:
    client = TestClient(create_app(base), base_url="http://localhost")
    assert client.get("/kbx/healthz").status_code == 404
    assert client.get("/kb/healthz").status_code == 200


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="/a/b">x</a>', '<a href="/kb/a/b">x</a>'),
        ('<video src="/media/v.mp4" poster="/media/p.png">', '<video src="/kb/media/v.mp4" poster="/kb/media/p.png">'),
        ('<a href="//other/x">', '<a href="//other/x">'),
        ('<a href="https://other/x" title=" href=">', '<a href="https://other/x" title=" href=">'),
        ('<a href="#here">', '<a href="#here">'),
        ('<code>&lt;a href="/a/b"&gt;</code>', '<code>&lt;a href="/a/b"&gt;</code>'),
    ],
)
def test_addresses_in_an_article(html: str, expected: str) -> None:
    assert below(ROOT, html) == expected
    assert below("", html) == html


@pytest.mark.parametrize(
    ("given", "url", "origin", "root"),
    [
        ("https://kb.example.org", "https://kb.example.org", "https://kb.example.org", ""),
        ("https://kb.example.org/", "https://kb.example.org", "https://kb.example.org", ""),
        ("https://example.org:443/kb/", "https://example.org/kb", "https://example.org", "/kb"),
        ("https://example.org/it/kb", "https://example.org/it/kb", "https://example.org", "/it/kb"),
    ],
)
def test_the_setting(given: str, url: str, origin: str, root: str) -> None:
    settings = Settings(url=given)
    assert (settings.url, settings.origin, settings.root) == (url, origin, root)


@pytest.mark.parametrize(
    "wrong", ["https://x/../y", "https://x//y", 'https://x/"y', "https://x/a?b", "ftp://x/kb", "/kb"]
)
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError, match="is no"):
        Settings(url=wrong)
