"""What is no record is refused with the reason, whatever it is; nothing odd makes the service fail."""

import json

import pytest
from fastapi.testclient import TestClient

from kb_service.api import incidents as api
from tests.incidents_api.asking import JSON, OPENED, bulk, is_problem, nested, put


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
