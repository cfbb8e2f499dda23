"""``POST /api/triage``: a record by its number, a text, or fields."""

import json

import pytest
from fastapi.testclient import TestClient

from tests.test_related import PRINTER
from tests.test_triage import KEYS
from tests.triage_api.asked import problem


def test_triage_by_number_by_text_and_by_fields(client: TestClient) -> None:
    by_number = client.post("/api/triage", json={"number": "inc1"}).json()
    assert by_number.keys() == KEYS | {"number", "unknown", "generation", "demo"}
    assert (by_number["number"], by_number["demo"]) == ("INC1", False)
    assert by_number["suggestions"][0]["id"] == "runbooks/printer"
    # Neither itself nor what is below it
    assert [one["number"] for one in by_number["related_incidents"]] == ["INC2"]
    by_text = client.post("/api/triage", json={"text": f"{PRINTER}, what does the SLA say?"}).json()
    assert by_text["number"] is None
    assert {one["number"] for one in by_text["related_incidents"]} == {"INC1", "INC2", "INC3"}
    assert [term["term"] for term in by_text["terms"]] == ["SLA"]
    fields = {"short_description": PRINTER, "service": "printing", "impact": 1, "urgency": "1 - High"}
    by_fields = client.post("/api/triage", json=fields).json()
    assert "(P1)" in by_fields["kind"]["reason"]
    assert by_fields["escalation"]["urgent"]
    first = by_fields["related_incidents"][0]
    assert "same service: printing" in [reason["text"] for reason in first["reasons"]]


def test_what_cannot_be_triaged_says_what_is_wrong(client: TestClient) -> None:
    assert "there is no incident 'INC4711'" in problem(client, "/api/triage", {"number": "INC4711"}, 404)
    for body in ({}, {"text": ""}, {"service": "printing"}):
        assert "give a number, a text or a short_description" in problem(client, "/api/triage", body, 422)
    assert "none of high, medium, low" in problem(client, "/api/triage", {"text": "x", "impact": "huge"}, 422)
    assert "text" in problem(client, "/api/triage", {"text": "x" * 100_001}, 422)
    assert "agents" in problem(client, "/api/triage?audience=public", {"text": "x"}, 403)


@pytest.mark.parametrize("text", ["x", "x?!", "x\x00", "x" + "a" * 99_999])
def test_any_text_is_triaged(client: TestClient, text: str) -> None:
    kind = {"content-type": "application/json"}
    assert client.post("/api/triage", content=json.dumps({"text": text}), headers=kind).status_code == 200


@pytest.mark.parametrize("text", ["  ", "\x00", "x\ud800"])
def test_what_says_nothing_or_is_no_text_is_refused(client: TestClient, text: str) -> None:
    kind = {"content-type": "application/json"}
    answer = client.post("/api/triage", content=json.dumps({"text": text}), headers=kind)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
