"""Many records in one body, each taken or refused by itself."""

import json

import pytest
from fastapi.testclient import TestClient

from tests.incidents_api.asking import bulk, is_problem, nested, put


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
