"""What is asked of a service about its records, and what is looked at in every answer."""

import time
from typing import Any

import httpx2
from fastapi.testclient import TestClient

OPENED = "2026-03-01T08:00:00Z"
NDJSON = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}


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


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels
