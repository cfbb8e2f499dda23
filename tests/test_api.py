"""The API as a program sees it."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from kb_service import KnowledgeBase, Settings
from kb_service.api.search_bodies import CompleteBody, SearchBody
from kb_service.app import create_app
from tests.browsers import foreign_script
from tests.client import client_of, routes_of
from tests.conftest import Desk

PROBLEM_KEYS = {"type", "title", "status", "detail"}


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    desk.write(
        "runbooks/port.md",
        "---\ntitle: Check a port\naudience: public\nservices: [network]\ntags: [port]\ntier: L1\naliases: [netstat]\n"
        "owner: network\nweight: 3\nrelated: [faq/vpn]\n---\n"
        "## Steps\n\nRun `ss`, see [the VPN](../faq/vpn.md#when) and [gone](gone.md).\n\n![A port](port.png)\n\n"
        "```bash\nss -ltn\n```\n\n## Errors\n\nORA-12541 means that nothing listens.\n",
    )
    desk.write("runbooks/port.png", "not really a picture")
    desk.write("faq/vpn.md", "---\ntitle: When do I need the VPN?\n---\nFor file shares.\n\n## When\n\nAt home.\n")
    desk.write("glossary/ola.md", "---\ntitle: OLA (operational level agreement)\n---\nBetween teams.\n")
    desk.write("glossary/rfi-rfp.md", "---\ntitle: RFI/RFP\naudience: public\n---\nTwo requests.\n")
    desk.write("glossary/history.md", "---\ntitle: History\n---\nWhat was.\n")
    desk.write("faq/draft.md", "---\ntitle: Draft about a port\nworkflow_state: draft\n---\nport port\n")
    desk.write("faq/old.md", "---\ntitle: Old port news\nvalid_to: 2020-01-01\n---\nport port\n")
    desk.write("faq/window.md", "---\ntitle: Release note on the gateway\nvalid_to: 2999-01-01\n---\ngateway release\n")
    desk.write("faq/plain.md", "---\ntitle: Release note on the gateway\n---\ngateway release\n")
    desk.write("faq/broken.md", "---\ntitle: a: b\n---\n")
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    with client_of(base) as opened:
        yield opened


def ids(client: TestClient, address: str) -> list[str]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return [hit["id"] for hit in answer.json()["hits"]]


def test_a_search_keeps_the_contract(client: TestClient) -> None:
    body = client.get("/api/search", params={"q": "check port"}).json()
    assert {"query", "hits", "generation", "took_ms"} <= body.keys()
    hit = body["hits"][0]
    assert {"id", "title", "type", "url", "anchor", "snippet", "score", "confidence", "reasons"} <= hit.keys()
    assert (hit["id"], hit["type"], hit["confidence"] in {"strong", "medium", "weak"}) == (
        "runbooks/port",
        "runbook",
        True,
    )
    assert "title says: check, port" in [reason["text"] for reason in hit["reasons"]]
    assert hit["score"] >= body["hits"][-1]["score"]


@pytest.mark.parametrize("asked", ["q=port", "q=", "q=OLA", "q=port+12541+gatewya&facets=true", "q=vpn&limit=1"])
def test_what_is_written_without_the_framework_is_as_it_is_described(client: TestClient, asked: str) -> None:
    for path, model in (("search", SearchBody), ("complete", CompleteBody)):
        answer = client.get(f"/api/{path}?{asked if model is SearchBody else asked.partition('&f')[0]}").json()
        assert model.model_validate(answer, extra="forbid").model_dump() == answer


def test_an_identifier_finds_what_holds_it_at_its_passage(client: TestClient) -> None:
    (hit, *_) = client.get("/api/search", params={"q": "ora-12541"}).json()["hits"]
    assert (hit["id"], hit["anchor"], hit["confidence"]) == ("runbooks/port", "errors", "strong")
    assert "<mark>ORA-12541</mark>" in hit["snippet"]
    assert hit["reasons"][0]["text"] == "exact: ora-12541"


def test_filters(client: TestClient) -> None:
    assert ids(client, "/api/search?q=port&type=runbook") == ["runbooks/port"]
    assert ids(client, "/api/search?q=port&service=Network&tag=port&tier=L1") == ["runbooks/port"]
    assert ids(client, "/api/search?q=port&tier=L3") == []
    assert "glossary/ola" not in ids(client, "/api/search?q=teams&audience=public")
    assert "glossary/ola" in ids(client, "/api/search?q=teams")


def test_only_what_is_published_and_valid_appears_unless_asked_for(client: TestClient) -> None:
    assert {"faq/draft", "faq/old"}.isdisjoint(ids(client, "/api/search?q=port"))
    assert ids(client, "/api/search?q=port&state=draft") == ["faq/draft"]
    assert ids(client, "/api/search?q=port&state=expired") == ["faq/old"]
    assert {"faq/draft", "faq/old", "runbooks/port"} <= set(ids(client, "/api/search?q=port&state=any"))
    assert "faq/draft" not in ids(client, "/api/search?q=port&state=any&audience=public")


def test_what_holds_for_a_limited_time_rises(client: TestClient) -> None:
    assert ids(client, "/api/search?q=release+gateway")[:2] == ["faq/window", "faq/plain"]


def test_pages_of_hits_do_not_overlap(client: TestClient) -> None:
    every = ids(client, "/api/search?q=port release teams&limit=100")
    assert ids(client, "/api/search?q=port release teams&limit=2") == every[:2]
    assert ids(client, "/api/search?q=port release teams&limit=2&offset=2") == every[2:4]


@pytest.mark.parametrize(
    "text",
    ["", " ", '"', "AND", "NEAR(a b)", "a* OR b", "col:x", "'; DROP TABLE words; --", "😀", "\x00", "%", "-", "^x",
     "ORA-01017 " * 4_000, "ünïcödé", "a" * 50_000, "\n\t", "{}[]()", "\ud7ff", "ﷺ" * 50],
)  # fmt: skip
def test_any_text_is_a_query(client: TestClient, text: str) -> None:
    for path in ("/api/search", "/api/complete"):
        answer = client.get(path, params={"q": text})
        assert answer.status_code == 200, answer.text
        assert answer.json()["query"] == text


def test_an_article(client: TestClient) -> None:
    body = client.get("/api/articles/runbooks/port").json()
    assert (body["id"], body["owner"], body["extra"], body["tier"]) == ("runbooks/port", "network", {"weight": 3}, "L1")
    assert [line["anchor"] for line in body["contents"]] == ["steps", "errors"]
    assert 'href="/a/faq/vpn#when"' in body["html"]
    assert "gone.md" not in body["html"]
    assert 'src="/media/runbooks/port.png?of=runbooks%2Fport"' in body["html"]
    assert body["related"][0] == {
        "id": "faq/vpn", "title": "When do I need the VPN?", "url": "/a/faq/vpn", "why": "named"
    }  # fmt: skip


def test_what_one_may_not_see_is_not_there(client: TestClient) -> None:
    hidden, missing = (client.get(f"/api/articles/{name}?audience=public") for name in ("faq/vpn", "faq/xyz"))
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json()["detail"].replace("faq/vpn", "") == missing.json()["detail"].replace("faq/xyz", "")
    related = client.get("/api/articles/runbooks/port?audience=public").json()["related"]
    assert "faq/vpn" not in [one["id"] for one in related]
    assert client.get("/api/glossary/OLA?audience=public").status_code == 404
    assert "/a/faq/vpn" not in client.get("/api/articles/runbooks/port?audience=public").json()["html"]


def test_a_requester_opens_nothing_unpublished(client: TestClient, desk: Desk) -> None:
    desk.write("faq/secret-draft.md", "---\ntitle: D\naudience: public\nworkflow_state: draft\n---\nx")
    desk.write("faq/over.md", "---\ntitle: O\naudience: public\nvalid_to: 2020-01-01\n---\nx")
    desk.update()
    for name in ("faq/secret-draft", "faq/over"):
        assert client.get(f"/api/articles/{name}").status_code == 200
        assert client.get(f"/api/articles/{name}?audience=public").status_code == 404


def test_blank_parameters_of_a_form_are_not_asked(client: TestClient) -> None:
    blank = "/api/search?q=port&type=&service=&tag=&tier=&limit=&offset=&state="
    assert ids(client, blank) == ids(client, "/api/search?q=port")


def test_an_old_name_leads_to_the_new_one(client: TestClient, desk: Desk) -> None:
    (desk.content / "faq" / "vpn.md").rename(desk.content / "faq" / "when is the vpn needed.md")
    desk.update()
    assert client.get("/api/articles/faq/vpn").json()["id"] == "faq/when is the vpn needed"
    moved = client.get("/a/faq/vpn", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (308, "/a/faq/when%20is%20the%20vpn%20needed")
    assert client.get("/a/faq/vpn").status_code == 200


def test_the_glossary(client: TestClient) -> None:
    assert [term["term"] for term in client.get("/api/glossary").json()["terms"]] == ["History", "OLA", "RFI/RFP"]
    for name in ("OLA", "ola", "operational level agreement", "Operational%20Level%20Agreement"):
        assert client.get(f"/api/glossary/{name}").json()["definition"] == "Between teams."
    assert client.get("/api/glossary/RFI/RFP").json()["definition"] == "Two requests."
    assert client.get("/api/glossary/history").json()["id"] == "glossary/history"
    assert client.get("/api/articles/glossary/history").status_code == 200


def test_a_search_says_how_it_was_understood(client: TestClient) -> None:
    body = client.get("/api/search", params={"q": "chekc the OLA gatewey"}).json()["understood"]
    assert body["text"] == "check the OLA gateway"
    assert body["changes"] == [
        {"typed": "chekc", "meant": "check", "kind": "typo"},
        {"typed": "gatewey", "meant": "gateway", "kind": "typo"},
    ]
    assert body["expansions"] == [{"said": "OLA", "names": ["operational level agreement"]}]
    assert body["relaxed"]
    assert body["notes"] == [
        "'chekc' read as 'check'",
        "'gatewey' read as 'gateway'",
        "No article has all of these words; shown are those with most of them, or with the same meaning.",
    ]
    plain = client.get("/api/search", params={"q": "check port"}).json()["understood"]
    assert (plain["relaxed"], plain["notes"]) == (False, [])


def test_what_is_shown_stays_while_one_types(client: TestClient) -> None:
    typed = "/api/search?q=release note gateway"
    first, second = ids(client, typed)[:2]
    assert ids(client, typed + f"&shown={second}&shown={first}")[:2] == [second, first]
    best = ids(client, "/api/search?q=check a port&shown=faq/vpn")
    assert best[0] == "runbooks/port"


def test_suggestions_for_a_ticket(client: TestClient) -> None:
    body = client.post("/api/suggest", json={"short_description": "Check a port", "description": "is ORA-12541"}).json()
    assert [one["id"] for one in body["suggestions"]] == ["runbooks/port"]
    assert body["reason"] == ""
    assert body["suggestions"][0]["probability"] >= 0.5


@pytest.mark.parametrize(
    ("ticket", "why"),
    [
        ({"short_description": "how do I cook pasta"}, "No article is sure enough"),
        ({"short_description": "po"}, "Too little to go by"),
        ({"text": "a field of another tool: VPN"}, "short_description and description have fewer than 3 letters"),
    ],
)
def test_nothing_is_suggested_rather_than_something_wrong(client: TestClient, ticket: dict[str, str], why: str) -> None:
    body = client.post("/api/suggest", json=ticket).json()
    assert body["suggestions"] == []
    assert why in body["reason"]


def test_type_ahead_forgives_slips_and_a_word_too_many(client: TestClient) -> None:
    both = client.get("/api/complete?q=chekc netsat").json()
    assert both["note"] == "'chekc' read as 'check'; 'netsat' read as 'netstat'"
    mended = client.get("/api/complete?q=chekc po").json()
    assert [one["text"] for one in mended["completions"]] == ["Check a port"]
    assert mended["note"] == "'chekc' read as 'check'"
    fewer = client.get("/api/complete?q=check a gateway po").json()
    assert [one["text"] for one in fewer["completions"]] == ["Check a port"]
    assert fewer["note"] == "No name has all of these words; these have all but one."
    assert client.get("/api/complete?q=chekc po&audience=public").json()["completions"] == mended["completions"]


def test_completions_shown_keep_their_places(client: TestClient, desk: Desk) -> None:
    desk.write("faq/close.md", "---\ntitle: Close a port\n---\nx")
    desk.update()

    def texts(address: str) -> list[str]:
        return [one["text"] for one in client.get(address).json()["completions"]]

    first, second = texts("/api/complete?q=port")[:2]
    assert texts(f"/api/complete?q=port&shown={second}&shown={first}")[:2] == [second, first]


def test_type_ahead(client: TestClient) -> None:
    body = client.get("/api/complete?q=check po").json()
    assert body["completions"] == [{"text": "Check a port", "id": "runbooks/port", "url": "/a/runbooks/port"}]
    assert client.get("/api/complete?q=draft").json()["completions"] == []


def test_health_and_readiness(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    body = client.get("/readyz").json()
    assert (body["generation"], body["encoder"], body["objects"], body["refused"]) == (1, "hashing-1", 9, 1)
    assert body["encoded"]["share"] == 1.0


def test_before_the_first_publish_it_is_not_ready(desk: Desk) -> None:
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    with client_of(base) as client:
        assert client.get("/healthz").status_code == 200
        for path in ("/readyz", "/api/search?q=x"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert answer.json().keys() >= PROBLEM_KEYS


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/api/articles/nothing", 404),
        ("GET", "/api/glossary/nothing", 404),
        ("GET", "/media/nothing.png", 404),
        ("GET", "/media/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/media/runbooks/port.md", 404),
        ("POST", "/api/search", 405),
        ("GET", "/api/search?q=x&limit=0", 422),
        ("GET", "/api/search?q=x&type=nonsense", 422),
        ("GET", "/api/search?q=x&state=nonsense", 422),
        ("GET", "/api/search?q=x&audience=restricted", 403),
        ("GET", "/api/search?q=x&offset=-1", 422),
    ],
)
def test_every_error_has_one_shape(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body.keys() >= PROBLEM_KEYS
    assert body["status"] == status
    assert path.partition("?")[0] in body["detail"] or path != "/nothing"


def test_what_is_missing_is_named_also_where_it_is_the_whole_body(client: TestClient) -> None:
    assert client.post("/api/suggest").json()["detail"] == "body: Field required."


def test_a_failure_that_nobody_foresaw_has_the_shape_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb_service.search.rank", lambda *_: 1 / 0)
    answer = client.get("/api/search?q=port")
    assert (answer.status_code, answer.json()["status"]) == (500, 500)


def test_a_method_that_is_not_answered_names_those_that_are(client: TestClient) -> None:
    for path, allowed in (
        ("/api/search", "GET, HEAD"),
        ("/api/incidents", "GET, HEAD, POST"),
        ("/api/incidents/1", "GET, HEAD, PUT, PATCH"),
    ):
        answer = client.delete(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert answer.json()["detail"] == f"{path} is not asked by DELETE: use {allowed}."


def test_a_body_that_is_no_text_is_refused_with_what_to_send(client: TestClient) -> None:
    answer = client.post("/api/gaps", content=b'{"text": "\xff"}', headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (400, "The body cannot be read: send JSON in UTF-8.")


def test_every_error_is_described_by_the_type_that_it_comes_as(client: TestClient) -> None:
    for operations in client.get("/openapi.json").json()["paths"].values():
        for operation in operations.values():
            assert {"400", "401", "403", "422", "429", "500", "503"} <= operation["responses"].keys()
            for status, response in operation["responses"].items():
                if status >= "400":
                    shape = "GoneDetails" if status == "410" else "ProblemDetails"
                    schema = {"$ref": f"#/components/schemas/{shape}"}
                    assert response["content"] == {"application/problem+json": {"schema": schema}}


def test_no_answer_is_described_as_anything_at_all(client: TestClient) -> None:
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        for operation in operations.values():
            for response in operation["responses"].values():
                schema = response.get("content", {}).get("application/json", {}).get("schema", {"$ref": ""})
                assert schema.keys() & {"$ref", "anyOf"} or path == "/healthz", path


def test_every_route_is_described_with_examples(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    assert {"/api/search", "/api/complete", "/api/articles/{id}", "/api/glossary", "/api/glossary/{term}", "/healthz",
            "/readyz"} <= schema["paths"].keys()  # fmt: skip
    for path in schema["paths"].values():
        assert all(operation["summary"] for operation in path.values())
    parameters = {one["name"]: one for one in schema["paths"]["/api/search"]["get"]["parameters"]}
    assert "question" in parameters["q"]["examples"]
    docs = client.get("/docs")
    assert docs.status_code == 200
    assert not re.findall(r"(?:src|href)=[\"']https?://", docs.text), "nothing from another host"
    assert client.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200


def test_routes_are_made_once_for_all_applications(desk: Desk) -> None:
    one, other = (
        create_app(KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))) for _ in range(2)
    )
    assert [id(route) for route in routes_of(one)] == [id(route) for route in routes_of(other)]
    assert len({id(route) for route in routes_of(one)}) > 50
    assert one.openapi() == other.openapi() == one.openapi()


def test_pages_carry_no_script_but_files_of_ours(client: TestClient) -> None:
    for path in ("/", "/?q=check+port", "/?q=%3Cscript%3E", "/a/runbooks/port", "/a/no/such"):
        page = client.get(path)
        assert page.status_code == (404 if path == "/a/no/such" else 200)
        assert foreign_script(page.text) == []
        assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "Check a port" in client.get("/?q=check+port").text
    style = client.get("/static/style.css")
    assert (style.status_code, style.headers["cache-control"]) == (200, "no-cache")
    again = client.get("/static/style.css", headers={"If-None-Match": style.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    assert client.get("/media/runbooks/port.png?of=runbooks/port").headers["content-type"] == "image/png"
