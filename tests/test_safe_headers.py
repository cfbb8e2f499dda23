"""What every answer says to a browser: what it may run, and that it is what it is called."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests.client import client_of, routes_of
from tests.conftest import Desk

PAGE = b"<!doctype html><script>hit(1)</script>"
DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" onload="hit(1)"/>'
PICTURES = "\n".join(
    f"![one]({target})\n"
    for target in (
        "page.png", "drawing.gif", "drawing.svg", "page.html", "page.png.html", "other.md", "#here", "?q=1", "/api/me",
        "/static/favicon.svg", "//evil.example/1.png", "http://evil.example/2.png", "https://evil.example/3.png",
        "http:evil.example/4.png", "http:/evil.example/5.png", "data:image/png;base64,AAAA", "/media/plan.png",
        "../plan.png", "page.png?x=//evil.example/", "http://evil.example/6.mp4", "//evil.example/7.mp4",
    )
)  # fmt: skip


@pytest.fixture
def base(desk: Desk) -> KnowledgeBase:
    desk.write("how/vpn.md", f"---\ntitle: VPN\naudience: public\n---\n{PICTURES}")
    desk.write("how/other.md", "# Other")
    for name, data in {
        "page.png": PAGE, "drawing.gif": DRAWING, "drawing.svg": DRAWING, "page.html": PAGE, "page.png.html": PAGE,
    }.items():  # fmt: skip
        (desk.content / "how" / name).write_bytes(data)
    made = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    made.update()
    return made


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", None),
        ("http://localhost", None),
        ("https://kb.example.org", "max-age=31536000; includeSubDomains"),
        ("https://example.org/kb", "max-age=31536000"),
    ],
)
def test_browsers_stay_with_https(tmp_path: Path, url: str, said: str | None) -> None:
    base = KnowledgeBase(Settings(content=tmp_path, data=tmp_path / "data", encoder="hashing", url=url))
    client = client_of(base, base_url=url or "http://localhost")
    for path in ("/healthz", "/login", "/api/search", "/static/style.css", "/nowhere"):
        assert client.get(path).headers.get("strict-transport-security") == said


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "TRACK", "DELETE"])
def test_a_method_that_no_route_has_is_refused(client: TestClient, method: str) -> None:
    answer = client.request(method, "/api/search", headers={"X-Secret": "echo"})
    assert answer.status_code == 405
    assert "echo" not in answer.text


@pytest.fixture
def client(base: KnowledgeBase) -> Iterator[TestClient]:
    with client_of(base, follow_redirects=False) as made:
        yield made


def is_safe(answer: Response) -> bool:
    """Runs nothing, or only scripts that are files of ours; and is taken for nothing else."""
    policy = dict(re.findall(r"([a-z-]+) ([^;]+)", answer.headers["content-security-policy"]))
    scripts = policy.get("script-src", policy["default-src"])
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    return (
        policy["default-src"] == "'none'"
        and policy["frame-ancestors"] == "'none'"
        and scripts == ("'self'" if is_page else "'none'")
        and (not is_page or policy["base-uri"] == "'none'")
        and "unsafe" not in answer.headers["content-security-policy"]
        and answer.headers["x-content-type-options"] == "nosniff"
        and answer.headers["referrer-policy"] == "same-origin"
    )


def test_every_answer_says_what_it_may_run(base: KnowledgeBase, client: TestClient) -> None:
    paths = [re.sub(r"\{[^}]+\}", "how/vpn", one.path) for one in routes_of(client.app)]  # type: ignore[arg-type]
    paths += ["/static/style.css", "/static/none.css", "/openapi.json", "/static-offline-docs/swagger-ui.css", "/none"]
    for path in paths:
        for accept in ("text/html", "*/*"):
            for method in ("GET", "POST", "OPTIONS", "HEAD"):
                answer = client.request(method, path, headers={"Accept": accept})
                assert is_safe(answer), f"{method} {path} {answer.status_code} {answer.headers}"
    base.keys.create("admin", by="test")
    for path in (*paths, "/login?then=<script>"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert is_safe(answer), f"signed out: {path} {answer.headers}"


def test_an_answer_that_failed_says_so_too(base: KnowledgeBase, client: TestClient) -> None:
    base.desk.connection.execute("DROP TABLE incidents")
    answer = client.get("/api/incidents", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert is_safe(answer)


def test_pictures_are_files_of_the_content_and_nothing_else(client: TestClient) -> None:
    for html in (client.get("/a/how/vpn").text, client.get("/api/articles/how/vpn").json()["html"]):
        text = html.partition('<div class="text">')[2].partition("</div>")[0] or html
        sources = re.findall(r'src="([^"]*)"', text)
        assert {one.partition("?")[0] for one in sources} == {
            "/media/how/page.png", "/media/how/drawing.gif", "/media/plan.png"
        }  # fmt: skip
        assert text.count("<img ") == PICTURES.count("![one]")


@pytest.mark.parametrize(("name", "kind"), [("page.png", "image/png"), ("drawing.gif", "image/gif")])
def test_a_picture_that_is_none_is_no_page(client: TestClient, name: str, kind: str) -> None:
    answer = client.get(f"/media/how/{name}?of=how/vpn")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert is_safe(answer)


@pytest.mark.parametrize("name", "drawing.svg page.html page.png.html other.md page.png/ page.png%00.svg".split())
def test_what_a_browser_might_run_is_not_given_out(client: TestClient, name: str) -> None:
    answer = client.get(f"/media/how/{name}?of=how/vpn")
    assert answer.status_code == 404
    assert is_safe(answer)
