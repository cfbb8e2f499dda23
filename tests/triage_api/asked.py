"""What tests of triage and ticket forms ask with."""

from collections.abc import Sequence
from typing import Any

from fastapi.testclient import TestClient

from indexer.encoder import HashingEncoder, TextKind, Vectors
from kb_service import KnowledgeBase
from tests.test_api import PROBLEM_KEYS


class CountingEncoder(HashingEncoder):
    """Counts the texts that it is given."""

    def __init__(self) -> None:
        self.texts = 0

    def encode(self, texts: Sequence[str], kind: TextKind = "passage") -> Vectors:
        self.texts += len(texts)
        return super().encode(texts, kind)


def put(base: KnowledgeBase, *rows: dict[str, Any]) -> None:
    reports = base.incidents.put_many(list(enumerate(rows, 1)))
    assert not [one.problem for one in reports if one.status == "refused"]
    base.incident_index.catch_up()


def problem(client: TestClient, path: str, body: object, status: int) -> str:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert PROBLEM_KEYS <= answer.json().keys() <= PROBLEM_KEYS | {"errors"}
    return str(answer.json()["detail"])


def suggest(client: TestClient, text: str, audience: str = "", **fields: Any) -> dict[str, Any]:
    answer = client.post(f"/api/suggest{audience}", json={"short_description": text, **fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body
