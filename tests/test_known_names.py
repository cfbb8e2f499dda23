"""What a caller names and the service does not know is said: nobody believes that it counts."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb_service import KnowledgeBase, Settings
from tests.client import client_of, routes_of
from tests.conftest import Desk


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    desk.write("vpn.md", "---\ntitle: VPN does not connect\n---\nRestart the client.\n")
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    with client_of(base) as opened:
        yield opened


def test_a_filter_that_is_mistyped_is_refused_with_the_one_that_was_meant(client: TestClient) -> None:
    answer = client.get("/api/search?q=vpn&audiance=public&limit=3")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "audiance: There is no such parameter. Perhaps 'audience' is meant."
    assert answer.json()["errors"][0]["where"] == ["query", "audiance"]


def test_a_parameter_unlike_any_is_refused_with_those_there_are(client: TestClient) -> None:
    said = client.get("/api/complete?q=vpn&explain=1").json()["detail"]
    assert said == "explain: There is no such parameter. There are audience, limit, q, shown."
    assert client.post("/api/gaps?x=1", json={"text": "fax"}).status_code == 422


def test_every_address_of_the_api_refuses_what_it_does_not_take(client: TestClient) -> None:
    app: Any = client.app
    for route in routes_of(app):
        if route.path.startswith("/api/"):
            method = next(iter(route.methods or ()))
            path = route.path.replace("{number}", "INC1").replace("{id:path}", "vpn").replace("{term:path}", "vpn")
            answer = client.request(method, f"{path}?nothing-like-it=1")
            assert (answer.status_code, "There is no such parameter" in answer.text) == (422, True), (path, answer.text)


def test_a_page_takes_what_others_put_behind_its_address(client: TestClient) -> None:
    assert client.get("/?q=vpn&utm_source=mail").status_code == 200
    assert client.get("/healthz?from=monitor").status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/feedback", {"article": "vpn", "verdict": "helped", "coment": "it did"}, "coment"),
        ("/api/gaps", {"text": "fax", "note": "x"}, "note"),
        ("/api/clicks", {"search_id": 1, "article": "vpn", "revision": 1}, "revision"),
        ("/api/suggest/x/events", {"event": "opened", "id": "vpn"}, "id"),
        ("/api/incidents/INC1/articles", {"article": "vpn", "resolved": True}, "resolved"),
    ],
)
def test_a_field_that_would_be_lost_is_refused(client: TestClient, path: str, body: dict[str, Any], field: str) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"{field}: There is no such field; /docs tells of those there are."


def test_of_a_ticket_the_fields_that_were_not_read_are_told(client: TestClient) -> None:
    ticket = {"short_description": "VPN does not connect", "subject": "VPN", "body": ["it", "said"]}
    answer = client.post("/api/suggest", json=ticket).json()
    assert [one["id"] for one in answer["suggestions"]] == ["vpn"]
    assert answer["unknown"] == ["body", "subject"]
    assert client.post("/api/triage", json={"text": "VPN", "sys_id": "1"}).json()["unknown"] == ["sys_id"]
    assert client.post("/api/triage", json={"text": "VPN"}).json()["unknown"] == []


def test_a_ticket_of_which_nothing_can_be_read_is_refused_with_what_it_named(client: TestClient) -> None:
    said = client.post("/api/triage", json={"subject": "VPN"}).json()["detail"]
    assert "give a number, a text or a short_description; no field is called subject" in said
