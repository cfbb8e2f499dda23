"""Records over HTTP, as a ticketing tool and an agent's page use them."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from kb_service import KnowledgeBase, Settings
from kb_service.api import incidents as api
from tests.client import client_of
from tests.conftest import Desk

OPENED = "2026-03-01T08:00:00Z"
NDJSON = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}


@contextmanager
def opened(desk: Desk) -> Iterator[TestClient]:
    desk.write("runbooks/vpn.md", "---\ntitle: VPN drops\naliases: [tunnel]\n---\n## Steps\n\nRenew the lease.\n")
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    with client_of(base) as client:
        yield client


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    with opened(desk) as client:
        yield client


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """For tests that look at nothing but a record of their own."""
    with opened(Desk(tmp_path_factory.mktemp("shared") / "desk")) as client:
        yield client


@pytest.fixture
def number() -> str:
    return f"INC{uuid.uuid4().hex}"


def put(client: TestClient, number: str, **fields: Any) -> httpx2.Response:
    return client.put(f"/api/incidents/{number}", json={"short_description": "x", "opened_at": OPENED, **fields})


def bulk(client: TestClient, body: bytes | str, kind: str = "application/x-ndjson") -> httpx2.Response:
    return client.post("/api/incidents", content=body, headers={"content-type": kind})


def is_problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.keys() >= {"type", "title", "status", "detail"}
    assert body["status"] == status
    assert body["detail"]
    return body


def found(client: TestClient, **asked: Any) -> list[str]:
    answer = client.get("/api/incidents", params=asked)
    assert answer.status_code == 200, answer.text
    return [one["number"] for one in answer.json()["incidents"]]


def until_found(client: TestClient, q: str, number: str) -> float:
    start = time.monotonic()
    while number not in found(client, q=q):
        assert time.monotonic() < start + 20
    return time.monotonic() - start


def test_a_put_makes_and_replaces(client: TestClient) -> None:
    made = put(client, "INC1", service="web", impact="1", urgency="2 - Medium", u_floor=3, tags=["a"])
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    body = made.json()
    assert (body["priority"], body["open"], body["version"], body["demo"]) == ("P2", True, 1, False)
    assert (body["unknown"], body["u_floor"], body["tags"]) == (["tags", "u_floor"], 3, ["a"])
    replaced = put(client, "inc1", state="closed")
    assert (replaced.status_code, replaced.headers["etag"]) == (200, '"2"')
    assert (replaced.json()["number"], replaced.json()["service"], replaced.json()["unknown"]) == ("INC1", None, [])
    read = client.get("/api/incidents/iNc1")
    assert (read.status_code, read.headers["etag"]) == (200, '"2"')
    assert read.json() == replaced.json()


def test_what_was_read_may_be_sent_back(client: TestClient) -> None:
    read = put(client, "INC1", service="web", u={"a": [1, None]}).json()
    again = client.put("/api/incidents/INC1", json=read)
    assert (again.status_code, again.json()) == (200, read)


def test_a_number_is_the_one_in_the_address(client: TestClient) -> None:
    same, other = ({"short_description": "x", "number": number} for number in ("inc1", "INC2"))
    assert client.put("/api/incidents/INC1", json=same).status_code == 201
    answer = client.put("/api/incidents/INC1", json=other)
    assert "'INC2' in the body is not 'INC1' in the address" in is_problem(answer, 422)["detail"]


def test_a_change_and_what_it_carries_along(client: TestClient) -> None:
    put(client, "INC1", impact="high", urgency="high", service="web")
    answer = client.patch("/api/incidents/INC1", json={"urgency": "low", "state": "Resolved"})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    body = answer.json()
    assert (body["priority"], body["service"], body["state"], body["open"]) == ("P3", "web", "resolved", False)
    assert body["resolved_at"]
    is_problem(client.patch("/api/incidents/INC9", json={}), 404)


@pytest.mark.parametrize(
    ("header", "status"),
    [('"2"', 200), ("2", 200), ('W/"2"', 200), ("*", 200), ('"1"', 412), ('"3"', 412), ("nonsense", 412), ('""', 412),
     ('"' + "9" * 5_000 + '"', 412)],
)  # fmt: skip
def test_only_the_version_that_was_read_is_changed(shared: TestClient, number: str, header: str, status: int) -> None:
    put(shared, number)
    put(shared, number, service="a")
    for method in ("PUT", "PATCH"):
        version = shared.get(f"/api/incidents/{number}").headers["etag"]
        body = {"short_description": "x", "service": method}
        given = header.replace("2", version.strip('"')) if status == 200 else header
        answer = shared.request(method, f"/api/incidents/{number}", json=body, headers={"if-match": given})
        assert answer.status_code == status
        if status != 200:
            is_problem(answer, status)
            assert shared.get(f"/api/incidents/{number}").headers["etag"] == version


def test_if_match_of_nothing_makes_only(client: TestClient) -> None:
    made = client.put("/api/incidents/INC1", json={"short_description": "x"}, headers={"if-match": '"0"'})
    assert made.status_code == 201
    again = client.put("/api/incidents/INC1", json={"short_description": "y"}, headers={"if-match": '"0"'})
    assert "at version 1, not 0" in is_problem(again, 412)["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("PATCH", ""), ("GET", "/related"), ("POST", "/articles"), ("DELETE", "/articles/runbooks/vpn")],
)
def test_there_is_no_such_record(shared: TestClient, method: str, path: str) -> None:
    body = {"article": "runbooks/vpn"} if method in {"POST", "PATCH"} else None
    assert "INC9" in is_problem(shared.request(method, f"/api/incidents/INC9{path}", json=body), 404)["detail"]


def test_each_wrong_value_is_named(client: TestClient) -> None:
    body = is_problem(put(client, "INC1", state="x", priority="x", users_affected=-1, opened_at="x"), 422)
    assert [one["where"] for one in body["errors"]] == [
        ["body", name] for name in ("priority", "state", "opened_at", "users_affected")
    ]
    assert all(one["what"] for one in body["errors"])
    is_problem(client.get("/api/incidents/INC1"), 404)
    assert is_problem(put(client, "no%20number"), 422)["errors"][0]["where"] == ["body", "number"]


@pytest.mark.parametrize("body", ["", "[1]", '"x"', "{", "null", '{"short_description":"x"', "\xff"])
def test_what_is_no_record(shared: TestClient, number: str, body: str) -> None:
    for method in ("PUT", "PATCH"):
        answer = shared.request(method, f"/api/incidents/{number}", content=body.encode("latin-1"), headers=JSON)
        is_problem(answer, answer.status_code)
        assert answer.status_code in {400, 422}


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("value", "statuses"),
    [
        ("NaN", {201}), ("-Infinity", {201}), ("1e999", {201}), ("9" * 4_000, {201}), ("9" * 5_000, {400}),
        (nested(15), {201}), (nested(200), {422}), (nested(600), {422}), (nested(900), {400, 422}),
        (nested(100_000), {400, 422}), ('"\\ud800"', {201}), ('"\\u0000"', {201}), ('{"\\ud800": "\\udfff"}', {201}),
    ],
)  # fmt: skip
def test_odd_json_is_taken_or_refused(shared: TestClient, number: str, value: str, statuses: set[int]) -> None:
    body = f'{{"short_description": "x", "opened_at": "{OPENED}", "u_odd": {value}}}'
    answer = shared.put(f"/api/incidents/{number}", content=body, headers=JSON)
    assert answer.status_code in statuses, answer.text[:200]
    if answer.status_code != 201:
        is_problem(answer, answer.status_code)
        is_problem(shared.get(f"/api/incidents/{number}"), 404)
        return
    assert shared.get(f"/api/incidents/{number}").json() == answer.json()
    assert shared.put(f"/api/incidents/{number}", json=answer.json()).json()["version"] == 1
    line = bulk(shared, body.replace("{", f'{{"number": "B{number}", ', 1)).json()
    assert line["created"] == 1


@pytest.mark.parametrize("value", ["NaN", "1e999", "9" * 4_000, nested(200), nested(900), '"\\ud800"', "true", "{}"])
@pytest.mark.parametrize("field", ["service", "state", "opened_at", "users_affected", "known_error"])
def test_odd_json_in_a_field_never_fails(shared: TestClient, number: str, field: str, value: str) -> None:
    body = f'{{"short_description": "x", "{field}": {value}}}'
    for method in ("PUT", "PATCH"):
        answer = shared.request(method, f"/api/incidents/{number}", content=body, headers=JSON)
        assert answer.status_code < 500, answer.text
    assert bulk(shared, f'{{"number": "INC3", {body[1:]}').status_code < 500


@pytest.mark.parametrize("value", ['"\\ud800"', nested(900), "NaN", "true", "[]"])
def test_an_odd_number_never_fails(shared: TestClient, value: str) -> None:
    body = f'{{"short_description": "x", "number": {value}}}'
    assert bulk(shared, body).status_code < 500
    assert shared.put("/api/incidents/INC1", content=body, headers=JSON).status_code < 500


def test_a_body_too_large_is_refused(shared: TestClient, number: str) -> None:
    assert put(shared, number, description="x" * 5_000_000).status_code == 413
    body = is_problem(put(shared, number, description="x" * 100_001), 422)
    assert body["errors"][0]["where"] == ["body", "description"]
    assert bulk(shared, b" " * (api.MOST_BULK_BYTES + 1)).status_code == 413
    line = json.dumps({"number": number, "short_description": "x", "description": "x" * 90_000})
    assert bulk(shared, "\n".join([line] * 40)).status_code == 200, "many may be larger than one"


def test_a_body_too_large_is_said_in_the_same_shape(shared: TestClient, number: str) -> None:
    is_problem(put(shared, number, description="x" * 5_000_000), 413)


@pytest.mark.parametrize("kind", ["text/plain", "text/csv", "", "multipart/form-data"])
def test_a_body_of_another_type_is_said(shared: TestClient, kind: str) -> None:
    assert "application/x-ndjson" in is_problem(bulk(shared, '{"number": "INC1"}', kind), 415)["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", ""), ("GET", "/INC1"), ("PUT", "/INC1"), ("PATCH", "/INC1"), ("GET", "/INC1/related"),
     ("POST", "/INC1/articles"), ("DELETE", "/INC1/articles/runbooks/vpn")],
)  # fmt: skip
def test_records_are_not_for_requesters(shared: TestClient, number: str, method: str, path: str) -> None:
    put(shared, number, service="secret")
    answer = shared.request(
        method, f"/api/incidents{path.replace('INC1', number)}?audience=public", json={"short_description": "x"}
    )
    assert "secret" not in is_problem(answer, 403)["detail"]
    is_problem(shared.get("/api/related?q=x&audience=public"), 403)


def test_many_lines_with_a_mark_blank_ones_and_other_ends(client: TestClient) -> None:
    rows = [{"number": f"INC{n}", "short_description": "ü \u2028 x"} for n in range(3)]
    body = "\r\n\r\n  \r\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    answer = bulk(client, b"\xef\xbb\xbf" + body.encode() + b"\r\n", "application/x-ndjson; charset=utf-8")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["created"], [one["line"] for one in answer.json()["lines"]]) == (3, [1, 4, 7])
    assert bulk(client, body).json()["unchanged"] == 3


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b" \n\t"])
def test_an_array(client: TestClient, mark: bytes) -> None:
    body = json.dumps(
        [{"number": "INC1", "short_description": "x"}, 7, {"number": "INC2", "short_description": "y"}], indent=1
    )
    answer = bulk(client, mark + body.encode(), "application/json").json()
    assert (answer["created"], answer["refused"]) == (2, 1)
    assert answer["lines"][1] == {"line": 2, "number": "", "status": "refused", "problem": "is no JSON object"}


def test_the_good_lines_are_taken_and_the_others_told(client: TestClient) -> None:
    put(client, "INC0")
    lines = [
        json.dumps({"number": "INC0", "short_description": "new"}), "{broken", "[1]", json.dumps({"number": "INC1"}),
        json.dumps({"number": "INC2", "short_description": "x", "u_floor": 3}), "\udcff",
        json.dumps({"number": "inc2", "short_description": "again"}), nested(100_000),
    ]  # fmt: skip
    answer = bulk(client, "\n".join(lines).encode("utf-8", "surrogateescape"))
    body = answer.json()
    assert (answer.status_code, body["created"], body["updated"], body["refused"]) == (200, 1, 1, 6)
    assert [one["status"] for one in body["lines"]] == [
        "updated", "refused", "refused", "refused", "created", "refused", "refused", "refused",
    ]  # fmt: skip
    problems = [one["problem"] for one in body["lines"]]
    for problem, why in zip(
        problems, (None, "broken JSON", "no JSON object", "short_description: is missing", None, "not UTF-8",
                   "stands on line 5 already", "broken JSON"), strict=True,
    ):  # fmt: skip
        assert (problem is None) if why is None else why in problem


@pytest.mark.parametrize("body", ["", "\n \n", "[]", "{broken", '{"number": "INC1"}', "[1, 2", nested(100_000)])
def test_all_refused_is_an_error(shared: TestClient, body: str) -> None:
    before = shared.get("/api/incidents").json()["total"]
    is_problem(bulk(shared, body), 422)
    assert shared.get("/api/incidents").json()["total"] == before


def test_lists_by_each_filter(client: TestClient) -> None:
    put(client, "INC1", service="Web", assignment_group="A", opened_at="2026-03-01T08:00:00Z")
    put(client, "INC2", state="on hold", service="mail", opened_at="2026-03-03T08:00:00Z")
    put(client, "INC3", state="closed", service="web", opened_at="2026-03-02T08:00:00Z", close_notes="done")
    put(client, "PRB1", kind="problem", opened_at="2026-02-01T08:00:00Z")
    assert found(client) == ["INC2", "INC3", "INC1", "PRB1"]
    assert found(client, state="open") == ["INC2", "INC1", "PRB1"]
    assert found(client, state="closed", service="WEB") == ["INC3"]
    assert found(client, kind="problem") == ["PRB1"]
    assert found(client, group="a") == ["INC1"]
    assert found(client, limit=2, offset=1) == ["INC3", "INC1"]
    assert client.get("/api/incidents?limit=1").json()["total"] == 4
    assert client.get("/api/incidents?state=&kind=&service=&q=").json()["total"] == 4
    for wrong in ("state=x", "kind=x", "limit=0", "limit=201", "offset=-1"):
        is_problem(client.get(f"/api/incidents?{wrong}"), 422)
    brief = client.get("/api/incidents?state=closed").json()["incidents"][0]
    assert brief.keys() >= {"number", "open", "age_minutes", "minutes_to_resolve", "url", "close_notes"}
    assert "description" not in brief


def test_a_list_by_words_and_by_number(client: TestClient) -> None:
    put(client, "INC1", short_description="Printer on the third floor jams", service="print")
    put(client, "INC2", short_description="Printer smokes", state="closed")
    put(client, "INC3", short_description="ORA-12541 in payroll")
    until_found(client, "ORA-12541", "INC3")
    assert found(client, q="printer jams")[0] == "INC1"
    assert found(client, q="printer", state="open", service="print") == ["INC1"]
    assert found(client, q="printer", state="closed") == ["INC2"]
    assert found(client, q=" inc2 ")[0] == "INC2"


def test_what_is_put_changed_or_put_in_bulk_is_found_within_a_second(client: TestClient) -> None:
    def waited(turn: int) -> list[float]:
        put(client, f"INC{turn}", short_description=f"The zebra{turn} printer jams")
        waits = [until_found(client, f"zebra{turn}", f"INC{turn}")]
        client.patch(f"/api/incidents/INC{turn}", json={"close_notes": f"Replaced the fuser{turn}."})
        waits.append(until_found(client, f"fuser{turn}", f"INC{turn}"))
        many = ({"number": f"B{turn}{n}", "short_description": f"bulk{turn}x{n} toner"} for n in range(300))
        bulk(client, "\n".join(json.dumps(one) for one in many))
        return [*waits, until_found(client, f"bulk{turn}x299", f"B{turn}299")]

    # What else the machine does only ever adds: the best of three turns counts
    best = [min(waits) for waits in zip(*map(waited, range(3)), strict=True)]
    print(f"found after {', '.join(f'{one:.3f}' for one in best)} s")
    assert max(best) < 1


def test_related_ones_are_told_apart_and_never_itself_or_those_below(client: TestClient) -> None:
    text = "VPN drops every hour after the update"
    for number in ("INC1", "INC2", "INC3", "INC4", "INC5"):
        put(client, number, short_description=text, description=f"{text}. Since Monday.", service="network")
    client.patch("/api/incidents/INC3", json={"state": "resolved", "close_notes": "Lease renewed."})
    client.patch("/api/incidents/INC4", json={"parent_incident": "INC1"})
    client.patch("/api/incidents/INC5", json={"parent_incident": "INC4"})
    client.post("/api/incidents/INC3/articles", json={"article": "runbooks/vpn", "resolved_by": True})
    put(client, "PRB1", kind="problem", short_description=text)
    put(client, "LAST", short_description="last of all")
    until_found(client, "last of all", "LAST")
    body = client.get("/api/incidents/INC1/related").json()
    assert [one["number"] for one in body["open"]] == ["INC2"]
    (resolved,) = body["resolved"]
    assert (resolved["number"], resolved["close_notes"]) == ("INC3", "Lease renewed.")
    assert [one["article"] for one in resolved["articles"]] == ["runbooks/vpn"]
    assert any(reason["text"] == "same service: network" for reason in resolved["reasons"])
    like_a_text = client.get("/api/related", params={"q": text, "limit": 2}).json()
    assert (len(like_a_text["open"]), len(like_a_text["resolved"])) == (2, 1)
    for wrong in ("/api/related", "/api/related?q=x&limit=51", "/api/incidents/INC1/related?limit=0"):
        is_problem(client.get(wrong), 422)


def test_before_anything_is_indexed_there_is_nothing_related(desk: Desk) -> None:
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    client = client_of(base)
    put(client, "INC1")
    assert client.get("/api/incidents/INC1/related").json() == {"open": [], "resolved": [], "demo": False}
    assert found(client, q="inc1") == ["INC1"]


def test_an_article_is_attached_with_its_revision_and_taken_back(client: TestClient, desk: Desk) -> None:
    put(client, "INC1")
    revision = client.get("/api/articles/runbooks/vpn").json()["revision"]
    attached = client.post("/api/incidents/inc1/articles", json={"article": "runbooks/vpn"})
    assert attached.status_code == 201
    body = attached.json()
    assert (body["number"], body["article"], body["title"]) == ("INC1", "runbooks/vpn", "VPN drops")
    assert (body["revision"], body["resolved_by"], body["changed_since"]) == (revision, False, False)
    client.post("/api/incidents/INC1/articles", json={"article": "runbooks/vpn", "resolved_by": True})
    (one,) = client.get("/api/incidents/INC1").json()["articles"]
    assert one["resolved_by"]
    desk.write("runbooks/vpn.md", "---\ntitle: VPN drops\naliases: [tunnel]\n---\n## Steps\n\nChanged since.\n")
    desk.update()
    (one,) = client.get("/api/incidents/INC1").json()["articles"]
    assert (one["revision"], one["changed_since"], one["published"]) == (revision, True, True)
    assert client.delete("/api/incidents/INC1/articles/runbooks/vpn").status_code == 204
    assert client.get("/api/incidents/INC1").json()["articles"] == []
    assert "not attached" in is_problem(client.delete("/api/incidents/INC1/articles/runbooks/vpn"), 404)["detail"]


def test_an_article_that_is_gone_stays_attached(client: TestClient, desk: Desk) -> None:
    put(client, "INC1")
    client.post("/api/incidents/INC1/articles", json={"article": "runbooks/vpn"})
    (desk.content / "runbooks" / "vpn.md").unlink()
    desk.write("faq/other.md", "# Other")
    desk.update()
    (one,) = client.get("/api/incidents/INC1").json()["articles"]
    assert (one["article"], one["published"], one["changed_since"]) == ("runbooks/vpn", False, None)
    assert client.get(one["url"]).status_code == 410


@pytest.mark.parametrize("body", [{}, {"article": ""}, {"article": "x" * 501}, {"article": "a", "resolved_by": "x"}])
def test_what_cannot_be_attached(shared: TestClient, number: str, body: dict[str, str]) -> None:
    put(shared, number)
    is_problem(shared.post(f"/api/incidents/{number}/articles", json=body), 422)
    is_problem(shared.post(f"/api/incidents/{number}/articles", json={"article": "no/such"}), 404)


def test_the_records_below_are_listed(client: TestClient) -> None:
    put(client, "INC1")
    put(client, "INC2", parent_incident="inc1")
    assert client.get("/api/incidents/INC1").json()["children"] == ["INC2"]
    body = is_problem(client.patch("/api/incidents/INC1", json={"parent_incident": "INC2"}), 422)
    assert body["errors"] == [{"where": ["body", "parent_incident"], "what": "makes a loop: INC1 -> INC2 -> inc1"}]
