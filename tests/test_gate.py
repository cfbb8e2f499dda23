"""Who may come in, from where, and as what: keys, origins, host names, and what each role may do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from kb_service.access import ROLES, Role
from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests.client import client_of, routes_of
from tests.conftest import Desk

PORTAL = "https://portal.example.org"
EVIL = "https://evil.example"
# What each route asks for at least; None: nothing. One that is not here is a new one
LEAST: dict[str, Role | None] = {
    "/": "requester",
    "/a/{id:path}": "requester",
    "/media/{path:path}": "requester",
    "/results": "requester",
    "/gaps": "requester",
    "/feedback": "requester",
    "/fill/{id:path}": "requester",
    "/history/{id:path}": "requester",
    "/diff/{id:path}": "requester",
    "/glossary": "requester",
    "/help": "requester",
    "/docs": "requester",
    "/demo/ticket": "requester",
    "/widget.js": None,
    "/favicon.ico": None,
    "/triage": "agent",
    "/runs": "agent",
    "/runs/{run_id}": "agent",
    "/incidents/{number}/articles": "agent",
    "/publishing": "author",
    "/incidents": "agent",
    "/incidents/{number}": "agent",
    "/login": None,
    "/login/provider": None,
    "/login/callback": None,
    "/logout": None,
    "/sessions": "requester",
    "/healthz": None,
    "/readyz": None,
    "/metrics": "admin",
    "/hooks/git": None,
    "/api/search": "requester",
    "/api/complete": "requester",
    "/api/glossary": "requester",
    "/api/glossary/{term:path}": "requester",
    "/api/articles/{id:path}": "requester",
    "/api/history/{id:path}": "requester",
    "/api/diff/{id:path}": "requester",
    "/api/suggest": "requester",
    "/api/suggest/{suggestion_id}/events": "requester",
    "/api/feedback": "requester",
    "/api/clicks": "requester",
    "/api/gaps": "requester",
    "GET /api/gaps": "author",
    "/api/me": "requester",
    "/api/me/kept": "requester",
    "/api/deflection": "agent",
    "/api/flags": "agent",
    "/api/incidents": "agent",
    "/api/incidents/{number}": "agent",
    "/api/incidents/{number}/related": "agent",
    "/api/incidents/{number}/articles": "agent",
    "/api/incidents/{number}/articles/{article:path}": "agent",
    "/api/related": "agent",
    "/api/triage": "agent",
    "/api/publishing": "author",
}


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeBase:
    return opened(tmp_path)


def opened(folder: Path, **given: Any) -> KnowledgeBase:
    desk = Desk(folder)
    desk.write("vpn.md", "---\ntitle: VPN does not connect\naudience: public\n---\nRestart the client.\n")
    desk.write("pay.md", "---\ntitle: Payroll server\naudience: restricted\ngroups: [HR]\n---\nRestart the server.\n")
    made = KnowledgeBase(Settings(content=desk.content, data=folder / "own", encoder="hashing", **given))
    made.update()
    return made


def key_of(base: KnowledgeBase, role: Role, **given: Any) -> str:
    return base.keys.create(role, by="test", **given)[1]


def bearer(key: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", **more}


def problem(answer: Response, status: int) -> str:
    """Refused in the one shape of errors; gives what is said."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    return str(body["detail"])


@pytest.fixture
def client(base: KnowledgeBase) -> Iterator[TestClient]:
    """Of a service that has a key, so that it is not open."""
    key_of(base, "admin")
    with client_of(base) as made:
        yield made


def test_a_key_is_taken_in_either_header(base: KnowledgeBase, client: TestClient) -> None:
    key = key_of(base, "agent", name="Desk")
    for headers in (bearer(key), {"authorization": f"bearer  {key} "}, {"X-API-Key": key}):
        body = client.get("/api/me", headers=headers).json()
        assert (body["name"], body["role"], body["audience"]) == ("Desk", "agent", "internal")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic a2I6a2I="},
        {"X-API-Key": " "},
        {"X-API-Key": "kb_"},
        {"X-API-Key": "kb_aaaaaaaa_" + "x" * 43},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."},
        {"Cookie": "kb_session=eyJpZCI6IngifQ.x.y"},
    ],
)
def test_who_shows_nothing_valid_gets_nothing(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.get("/api/search", params={"q": "vpn"}, headers=headers)
    assert problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_every_refused_key_is_refused_in_the_same_words(base: KnowledgeBase, client: TestClient) -> None:
    known = key_of(base, "agent")
    said = {
        problem(client.get("/api/me", headers=bearer(key)), 401)
        for key in ("kb_aaaaaaaa_" + "x" * 43, known[:-1] + ("a" if known[-1] != "a" else "b"), known[:12], "kb_")
    }
    assert len(said) == 1


def test_open_until_there_is_a_key_and_never_again(base: KnowledgeBase) -> None:
    client = client_of(base)
    assert client.get("/api/me").json()["id"] == "open"
    made, _ = base.keys.create("agent", by="test")
    problem(client.get("/api/me"), 401)
    base.keys.revoke(made.id, "test")
    problem(client.get("/api/me"), 401)
    problem(client_of(base).get("/api/me"), 401)


@pytest.mark.parametrize("beyond", [{"host": "0.0.0.0"}, {"url": "https://kb.example.org"}, {"proxies": "10.0.0.1"}])  # noqa: S104
def test_only_loopback_is_ever_open(tmp_path: Path, beyond: dict[str, str]) -> None:
    problem(client_of(opened(tmp_path, **beyond)).get("/api/me"), 401)


def test_anybody_may_see_what_is_public_where_that_is_wanted(tmp_path: Path) -> None:
    base = opened(tmp_path, anonymous=True)
    key_of(base, "agent")
    client = client_of(base)
    assert client.get("/api/me").json()["role"] == "requester"
    assert [hit["id"] for hit in client.get("/api/search?q=server+restart").json()["hits"]] == ["vpn"]
    problem(client.get("/api/incidents"), 403)
    problem(client.get("/api/me", headers=bearer("kb_wrong")), 401)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_its_routes_and_no_others(base: KnowledgeBase, client: TestClient, role: Role) -> None:
    key = key_of(base, role)
    app = client.app
    assert isinstance(app, FastAPI)
    for route in routes_of(app):
        for method in route.methods or ():
            own = f"{method} {route.path}"
            least = LEAST[own if own in LEAST else route.path]
            address = route.path.replace("{id:path}", "none").replace("{number}", "INC1")
            nobody = client.request(method, address, follow_redirects=False)
            headers = bearer(key, Origin="http://localhost")
            answer = client.request(method, address, headers=headers, follow_redirects=False)
            if least is None:
                assert nobody.status_code != 401, address
                continue
            assert nobody.status_code == 401 or nobody.headers["location"].startswith("/login?then="), address
            allowed = ROLES.index(role) >= ROLES.index(least)
            assert (answer.status_code == 403) == (not allowed), (method, address, answer.text)


def test_a_requester_sees_no_more_by_asking_for_more(base: KnowledgeBase, client: TestClient) -> None:
    key = key_of(base, "requester")
    for audience in ("internal", "restricted"):
        said = problem(client.get(f"/api/search?q=server&audience={audience}", headers=bearer(key)), 403)
        assert audience in said


def test_what_is_restricted_is_for_its_groups(base: KnowledgeBase, client: TestClient) -> None:
    of_hr, of_net, agent = (key_of(base, "agent", groups=groups) for groups in (["hr"], ["net"], []))
    assert client.get("/api/articles/pay", headers=bearer(of_hr)).json()["title"] == "Payroll server"
    there_is_none = problem(client.get("/api/articles/none", headers=bearer(agent)), 404)
    for key in (of_net, agent):
        assert problem(client.get("/api/articles/pay", headers=bearer(key)), 404) == there_is_none.replace(
            "none", "pay"
        )


def test_what_is_said_of_an_article_that_is_forgotten_is_for_those_who_see_all(
    base: KnowledgeBase, client: TestClient
) -> None:
    """As where an index was made anew without git, and nobody knows any more for whom the article was."""
    agent, admin = key_of(base, "agent"), key_of(base, "admin")
    base.incidents.put({"number": "INC1", "short_description": "x"})
    base.attachments.add("INC1", "gone", "r", "attached")
    base.feedback.add("gone", "r", "flag", comment="Bob is on the list")
    for key, told in ((agent, 0), (admin, 1)):
        assert len(client.get("/api/incidents/INC1", headers=bearer(key)).json()["articles"]) == told
        assert len(client.get("/api/flags", headers=bearer(key)).json()["flags"]) == told


def test_a_service_is_one_s_own_whatever_its_case(base: KnowledgeBase, client: TestClient) -> None:
    key = key_of(base, "agent", services=["übersicht"])
    base.incidents.put({"number": "INC1", "short_description": "x", "service": "ÜBERSICHT"})
    assert client.get("/api/incidents", headers=bearer(key)).json()["total"] == 1
    assert client.get("/api/incidents/INC1", headers=bearer(key)).status_code == 200


def test_a_publishable_key_works_on_its_own_pages_only(base: KnowledgeBase, client: TestClient) -> None:
    key = key_of(base, "requester", origins=[PORTAL])
    asked: dict[str, Any] = {"json": {"short_description": "vpn does not connect"}}
    answer = client.post("/api/suggest", headers=bearer(key, Origin=PORTAL), **asked)
    assert answer.json()["suggestions"][0]["id"] == "vpn"
    assert answer.headers["access-control-allow-origin"] == PORTAL
    assert "Origin" in answer.headers["vary"]
    for origin in ({}, {"Origin": EVIL}, {"Origin": "null"}, {"Origin": f"{PORTAL}.evil.example"}):
        refused = client.post("/api/suggest", headers=bearer(key, **origin), **asked)
        problem(refused, 403)
        assert "access-control-allow-origin" not in refused.headers


def test_a_page_may_read_why_it_is_refused(base: KnowledgeBase, client: TestClient) -> None:
    key = key_of(base, "requester", origins=[PORTAL])
    answer = client.get("/api/incidents", headers=bearer(key, Origin=PORTAL))
    problem(answer, 403)
    assert answer.headers["access-control-allow-origin"] == PORTAL


def test_browsers_may_ask_beforehand_for_the_pages_of_live_keys(base: KnowledgeBase, client: TestClient) -> None:
    made, _ = base.keys.create("requester", origins=[PORTAL], by="test")
    before = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = client.options("/api/suggest", headers={"Origin": PORTAL, **before})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, PORTAL)
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    problem(client.options("/api/suggest", headers={"Origin": EVIL, **before}), 401)
    base.keys.revoke(made.id, "test")
    refused = client.options("/api/suggest", headers={"Origin": PORTAL, **before})
    problem(refused, 401)
    assert "access-control-allow-origin" not in refused.headers


def test_a_page_of_another_site_changes_nothing_on_an_open_service(base: KnowledgeBase) -> None:
    client = client_of(base)
    record = {"short_description": "planted"}
    for origin in (EVIL, "null", "http://localhost.evil.example", "http://localhost:1234"):
        problem(client.put("/api/incidents/INC1", json=record, headers={"Origin": origin}), 403)
    assert base.incidents.get("INC1") is None
    assert client.put("/api/incidents/INC1", json=record, headers={"Origin": "http://localhost"}).status_code == 201


@pytest.mark.parametrize("origin", ["http://[x", "http://[::1"])
def test_an_origin_that_is_none_is_another_site_s(base: KnowledgeBase, origin: str) -> None:
    client, headers = client_of(base), {"Origin": origin}
    problem(client.put("/api/incidents/INC1", json={"short_description": "planted"}, headers=headers), 403)
    answer = client.get("/api/me", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[", "10.0.0.1"]
)
def test_on_loopback_only_its_own_names_are_answered(base: KnowledgeBase, host: str) -> None:
    problem(client_of(base).get("/api/search?q=vpn", headers={"Host": host}), 403)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:80", "127.1.2.3", "[::1]:8000"])
def test_on_loopback_each_of_its_names_is_answered(base: KnowledgeBase, host: str) -> None:
    assert client_of(base).get("/api/search?q=vpn", headers={"Host": host}).status_code == 200


def test_further_host_names_are_answered_where_they_are_set(tmp_path: Path) -> None:
    base = opened(tmp_path, hosts="kb.example.org, kb", host="10.0.0.1")
    key = key_of(base, "agent")
    client = client_of(base)
    assert client.get("/api/me", headers=bearer(key, Host="KB.example.org:8000")).status_code == 200
    problem(client.get("/api/me", headers=bearer(key, Host="10.0.0.1")), 403)


def test_whether_it_is_ready_is_told_under_any_name_and_no_more_than_that(base: KnowledgeBase) -> None:
    client = client_of(base)
    assert client.get("/readyz").json().keys() > {"status", "revision"}
    for headers in ({"Host": "10.0.0.1:8000"}, bearer(key_of(base, "admin"), Host="10.0.0.1:8000")):
        found = client.get("/readyz", headers=headers)
        assert (found.status_code, found.json()) == (200, {"status": "ready"})


def test_a_key_that_asks_too_often_waits_and_others_do_not(tmp_path: Path) -> None:
    base = opened(tmp_path, rate_key="3/hour")
    one, other = key_of(base, "agent"), key_of(base, "agent")
    client = client_of(base)
    statuses = [client.get("/api/me", headers=bearer(one)).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    refused = client.get("/api/me", headers=bearer(one))
    assert "3 per 1 hour" in problem(refused, 429)
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert client.get("/api/me", headers=bearer(other)).status_code == 200


def test_who_opens_a_page_with_a_key_in_it_does_not_wait_for_the_others_who_do(tmp_path: Path) -> None:
    base = opened(tmp_path, rate_key="3/hour")
    in_page, own = key_of(base, "requester", origins=[PORTAL]), key_of(base, "agent")
    app = client_of(base).app

    def statuses(address: str, headers: dict[str, str], times: int) -> list[int]:
        client = TestClient(app, "http://localhost", client=(address, 1))
        return [client.get("/api/me", headers=headers).status_code for _ in range(times)]

    shared = bearer(in_page, Origin=PORTAL)
    assert statuses("10.0.0.1", shared, 4) == [200, 200, 200, 429]
    assert statuses("10.0.0.2", shared, 1) == [200]
    assert statuses("2001:db8::1", shared, 3) + statuses("2001:db8::2", shared, 1) == [200, 200, 200, 429]
    assert statuses("10.0.0.1", bearer(own), 3) + statuses("10.0.0.2", bearer(own), 1) == [200, 200, 200, 429]


def test_a_page_may_read_that_its_address_asks_too_often(tmp_path: Path) -> None:
    base = opened(tmp_path, rate_address="2/hour")
    key = key_of(base, "requester", origins=[PORTAL])
    client = client_of(base)
    assert [client.get("/api/me", headers=bearer(key, Origin=PORTAL)).status_code for _ in range(2)] == [200, 200]
    for origin, allowed in ((PORTAL, PORTAL), (EVIL, None)):
        refused = client.get("/api/me", headers=bearer(key, Origin=origin))
        problem(refused, 429)
        assert refused.headers.get("access-control-allow-origin") == allowed


def test_whoever_guesses_keys_is_stopped_and_a_right_one_is_still_taken(tmp_path: Path) -> None:
    base = opened(tmp_path, rate_refused="10/hour")
    right, client = key_of(base, "agent"), client_of(base)
    guesses = [client.get("/api/me", headers=bearer(f"kb_aaaaaaaa_{n:043}")).status_code for n in range(12)]
    assert guesses == [401] * 10 + [429] * 2
    assert client.get("/api/me", headers=bearer(right)).status_code == 200


def test_answers_are_for_their_caller_only(base: KnowledgeBase, client: TestClient) -> None:
    for path in ("/api/me", "/", "/api/articles/vpn"):
        assert client.get(path, headers=bearer(key_of(base, "agent"))).headers["cache-control"] == "private, no-cache"
