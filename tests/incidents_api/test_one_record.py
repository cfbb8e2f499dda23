"""A record is put, changed and read, of the version that was read."""

import pytest
from fastapi.testclient import TestClient

from tests.incidents_api.asking import is_problem, put


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
