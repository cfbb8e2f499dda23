"""What becomes of suggestions: which tickets were not needed."""

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from kb_service import KnowledgeBase
from kb_service.access import INTERNAL
from tests.test_related import PRINTER
from tests.triage_api.asked import problem, suggest


def event(client: TestClient, session: str, name: str, **fields: str) -> None:
    answer = client.post(f"/api/suggest/{session}/events", json={"event": name, **fields})
    assert (answer.status_code, answer.json()) == (201, {"suggestion_id": session, "event": name})


def test_deflections_are_confirmed_or_potential_after_an_hour(client: TestClient, base: KnowledgeBase) -> None:
    def counts() -> dict[str, int]:
        body = client.get("/api/deflection").json()
        return {name: value for name, value in body.items() if name != "since"}

    sessions = [suggest(client, PRINTER)["suggestion_id"] for _ in range(5)]
    for session in sessions[:4]:
        event(client, session, "shown")
        event(client, session, "opened", article="runbooks/printer")
    event(client, sessions[0], "solved", article="runbooks/printer")
    event(client, sessions[1], "submitted", number="INC77")
    event(client, sessions[2], "solved")
    event(client, sessions[2], "submitted", number="INC78")
    said = {"suggested": 5, "shown": 4, "opened": 4, "submitted": 2, "confirmed": 1}
    assert counts() == {**said, "potential": 0}
    hour_ago = (datetime.now(UTC) - timedelta(minutes=61)).isoformat()
    with base.desk.writing() as connection:
        connection.execute("UPDATE suggestion_events SET at = ?", (hour_ago,))
    # Only the fourth was opened and then neither solved nor submitted
    assert counts() == {**said, "potential": 1}
    event(client, sessions[3], "opened", article="faq/toner")
    assert counts() == {**said, "potential": 0}
    with base.desk.writing() as connection:
        connection.execute("UPDATE suggestions SET at = ?", ((datetime.now(UTC) - timedelta(days=40)).isoformat(),))
    assert set(counts().values()) == {0}
    assert client.get("/api/deflection?days=60").json()["suggested"] == 5


def test_an_event_keeps_the_revision_and_an_unknown_suggestion_is_404(client: TestClient, base: KnowledgeBase) -> None:
    assert "no suggestion 'x'" in problem(client, "/api/suggest/x/events", {"event": "shown"}, 404)
    session = suggest(client, PRINTER)["suggestion_id"]
    assert "event" in problem(client, f"/api/suggest/{session}/events", {"event": "eaten"}, 422)
    event(client, session, "opened", article="runbooks/printer")
    knowledge = base.searcher.article("runbooks/printer", INTERNAL)
    assert knowledge
    found = base.desk.connection.execute("SELECT article, revision FROM suggestion_events").fetchall()
    assert [tuple(one) for one in found] == [("runbooks/printer", knowledge.revision)]
