"""The search page's head is on its way before anything is looked for, and a failure behind it is said in its place."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from kb_service import KnowledgeBase, Settings
from tests.client import client_of
from tests.conftest import Desk


@pytest.fixture
def client(desk: Desk) -> TestClient:
    desk.write("vpn.md", "# VPN\n\nRestart the wombat.\n")
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    return client_of(base)


def test_the_field_is_sent_before_anything_is_looked_for(client: TestClient) -> None:
    app = client.app
    assert isinstance(app, FastAPI)
    desk = app.state.knowledge_base.desk
    parts: list[tuple[str, int]] = []

    async def receive() -> dict[str, Any]:
        # A client that stays
        await asyncio.Event().wait()
        return {}

    async def send(message: Any) -> None:
        if message.get("body"):
            (searched,) = desk.connection.execute("SELECT count(*) FROM searches").fetchone()
            parts.append((message["body"].decode(), searched))

    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": "/", "query_string": b"q=wombat",
        "scheme": "http", "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    (head, before), (found, after), (tail, _) = parts
    assert (before, after) == (0, 1)
    assert 'type="search" name="q" value="wombat"' in head
    assert "<mark>wombat</mark>" in found
    assert tail.strip().endswith("</html>")


def test_what_fails_behind_the_head_is_said_in_its_place(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb_service.search.rank", lambda *_: 1 / 0)
    page = client.get("/?q=wombat").text
    assert page.index('id="results"') < page.index("The service failed at this") < page.index("</main>")


@pytest.mark.parametrize("text", ["<late>", "%3Clate%3E", "\0late\0", ""])
def test_whatever_is_asked_is_no_part_of_the_page(client: TestClient, text: str) -> None:
    answer = client.get("/", params={"q": text})
    assert (answer.status_code, answer.text.count('id="results"')) == (200, 1)
    assert "<late>" not in answer.text


def test_where_nothing_was_published_that_is_the_answer(desk: Desk) -> None:
    client = client_of(KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing")))
    assert client.get("/?q=x").status_code == 503
    assert client.get("/").status_code == 200
