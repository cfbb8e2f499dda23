"""``POST /api/feedback`` and the flags of articles."""

import pytest
from fastapi.testclient import TestClient

from kb_service import KnowledgeBase
from kb_service.access import INTERNAL
from tests.conftest import Desk
from tests.triage_api.asked import problem


@pytest.mark.parametrize("verdict", ["helped", "not_helped", "flag"])
def test_each_verdict_is_kept_with_the_revision(
    client: TestClient, base: KnowledgeBase, desk: Desk, verdict: str
) -> None:
    knowledge = base.searcher.article("runbooks/printer", INTERNAL)
    assert knowledge
    said = {"article": "runbooks/printer", "verdict": verdict, "comment": " wrong path ", "anchor": "steps",
            "number": "inc1"}  # fmt: skip
    answer = client.post("/api/feedback", json=said)
    body = answer.json()
    assert answer.status_code == 201
    assert (body["verdict"], body["comment"], body["number"]) == (verdict, "wrong path", "INC1")
    assert (body["revision"], body["changed_since"]) == (knowledge.revision, False)
    assert body["url"] == "/a/runbooks/printer#steps"
    desk.write("runbooks/printer.md", "---\ntitle: Printer prints strange characters\nowner: Print-Team\n---\nNew.\n")
    base.update()
    flags = client.get("/api/flags").json()["flags"]
    assert len(flags) == (verdict == "flag")
    if flags:
        assert (flags[0]["revision"], flags[0]["changed_since"]) == (knowledge.revision, True)


def test_wrong_feedback_says_what_is_wrong(client: TestClient) -> None:
    article = {"article": "runbooks/printer", "verdict": "helped"}
    for comment in ({}, {"comment": "  "}):
        assert "say what is wrong" in problem(client, "/api/feedback", {**article, "verdict": "flag", **comment}, 422)
    assert "verdict" in problem(client, "/api/feedback", {**article, "verdict": "meh"}, 422)
    assert "'nowhere' is no heading" in problem(client, "/api/feedback", {**article, "anchor": "nowhere"}, 422)
    assert "no article 'x/y'" in problem(client, "/api/feedback", {**article, "article": "x/y"}, 404)
    assert "no incident 'INC4711'" in problem(client, "/api/feedback", {**article, "number": "INC4711"}, 404)
    hidden = {**article, "article": "runbooks/secret"}
    assert "no article" in problem(client, "/api/feedback?audience=public", hidden, 404)


def test_a_public_caller_does_not_learn_which_records_there_are(client: TestClient) -> None:
    said = {"article": "runbooks/printer", "verdict": "helped"}
    both = [client.post("/api/feedback?audience=public", json={**said, "number": one}) for one in ("INC1", "INC4711")]
    assert [answer.status_code for answer in both] == [201, 201]
    assert {answer.json()["number"] for answer in both} == {None}


def test_flags_by_owner_and_by_article_latest_first(client: TestClient) -> None:
    for article, comment in (("runbooks/printer", "one"), ("runbooks/secret", "two"), ("runbooks/printer", "three")):
        client.post("/api/feedback", json={"article": article, "verdict": "flag", "comment": comment})

    def comments(query: str) -> list[str]:
        return [one["comment"] for one in client.get(f"/api/flags{query}").json()["flags"]]

    assert comments("") == ["three", "two", "one"]
    assert comments("?owner=print-team") == ["three", "one"]
    assert comments("?article=runbooks/secret") == ["two"]
    assert comments("?owner=nobody") == []
