"""Triage, ticket forms, feedback and the pages of records, as programs and people see them."""

import html
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from indexer.encoder import Encoder, HashingEncoder, Kind, Vectors
from kb_service import KnowledgeBase, Query, Settings, demo
from kb_service import suggest as suggesting
from kb_service.access import INTERNAL
from kb_service.desk_check import DeskError
from tests.browsers import foreign_script
from tests.client import client_of
from tests.conftest import Desk
from tests.test_api import PROBLEM_KEYS
from tests.test_related import NOISE, PRINTER, ago, row
from tests.test_triage import KEYS

SCRIPT = "<script>alert(1)</script>"


class CountingEncoder(HashingEncoder):
    """Counts the texts that it is given."""

    def __init__(self) -> None:
        self.texts = 0

    def encode(self, texts: Sequence[str], kind: Kind = "passage") -> Vectors:
        self.texts += len(texts)
        return super().encode(texts, kind)


class Counted(Settings):
    """With an encoder that counts."""

    def open_encoder(self) -> Encoder:
        return CountingEncoder()


@pytest.fixture
def base(desk: Desk) -> KnowledgeBase:
    desk.write(
        "runbooks/printer.md",
        "---\ntitle: Printer prints strange characters\naudience: public\nowner: Print-Team\ntier: L1\n---\n"
        "## Steps\n\nReinstall the driver of the printer.\n",
    )
    desk.write("runbooks/secret.md", "---\ntitle: Printer of the board prints\nowner: board\n---\nSecret driver.\n")
    desk.write("faq/toner.md", "---\ntitle: Order toner for a printer\naudience: public\n---\nBy the form.\n")
    desk.write("glossary/sla.md", "---\ntitle: SLA (service level agreement)\n---\nWhat was promised.\n")
    base = KnowledgeBase(Counted(content=desk.content, data=desk.data))
    base.update()
    return base


def put(base: KnowledgeBase, *rows: dict[str, Any]) -> None:
    reports = base.incidents.put_many(list(enumerate(rows, 1)))
    assert not [one.problem for one in reports if one.status == "refused"]
    base.incident_index.catch_up()


@pytest.fixture
def client(base: KnowledgeBase) -> Iterator[TestClient]:
    put(
        base,
        row("INC1", PRINTER, service="printing", priority="P3"),
        row("INC2", PRINTER, state="closed", close_notes="Driver reinstalled."),
        row("INC3", PRINTER, state="closed", parent_incident="INC1"),
        *NOISE,
    )
    with client_of(base) as opened:
        yield opened


def problem(client: TestClient, path: str, body: object, status: int) -> str:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert PROBLEM_KEYS <= answer.json().keys() <= PROBLEM_KEYS | {"errors"}
    return str(answer.json()["detail"])


# -- POST /api/triage


def test_triage_by_number_by_text_and_by_fields(client: TestClient) -> None:
    by_number = client.post("/api/triage", json={"number": "inc1"}).json()
    assert by_number.keys() == KEYS | {"number", "generation", "demo"}
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


# -- POST /api/suggest


def suggest(client: TestClient, text: str, audience: str = "", **fields: Any) -> dict[str, Any]:
    answer = client.post(f"/api/suggest{audience}", json={"short_description": text, **fields})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ids(body: dict[str, Any]) -> list[str]:
    return [one["id"] for one in body["suggestions"]]


def test_at_most_three_or_none_and_why(client: TestClient, desk: Desk, base: KnowledgeBase) -> None:
    for place in range(5):
        desk.write(f"same/{place}.md", "---\ntitle: Fax machine is jammed\n---\nFax machine is jammed.\n")
    base.update()
    many = suggest(client, "fax machine is jammed")
    assert (len(many["suggestions"]), many["reason"]) == (3, "")
    assert len(suggesting.suggest(base.searcher, Query("fax machine is jammed", limit=10), 0.1).hits) == 3
    assert len(suggest(client, "fax machine is jammed", limit=1)["suggestions"]) == 1
    assert "limit" in problem(client, "/api/suggest", {"short_description": "x", "limit": 4}, 422)
    none = suggest(client, "how do I cook pasta in a hurry")
    assert (none["suggestions"], none["suggestion_id"]) == ([], None)
    assert none["reason"].startswith("No article is sure enough")


def test_under_a_dozen_letters_nothing_is_encoded(client: TestClient, base: KnowledgeBase) -> None:
    assert isinstance(base.encoder, CountingEncoder)
    before = base.encoder.texts
    for typed in ("pri", "printer", "printer pri"):
        suggest(client, typed)
    assert base.encoder.texts == before
    suggest(client, "printer prints")
    assert base.encoder.texts == before + 1


def test_what_is_suggested_keeps_its_place_between_keystrokes(
    client: TestClient, desk: Desk, base: KnowledgeBase
) -> None:
    desk.write("a/one.md", "---\ntitle: Badge reader of the gate\n---\nBadge reader gate closed\n")
    desk.write("a/two.md", "---\ntitle: Badge reader of the door\n---\nBadge reader door closed\n")
    base.update()
    assert ids(suggest(client, "badge reader of the")) == ["a/one", "a/two"]
    first = suggest(client, "badge reader of the", shown=["a/two", "a/one"])
    session = first["suggestion_id"]
    # As good as the other, or a little better, is not enough to pass what is shown
    for typed in ("badge reader closed", "badge reader of the gate or door"):
        again = suggest(client, typed, suggestion_id=session)
        assert (ids(again), again["suggestion_id"]) == (["a/two", "a/one"], session)
    assert ids(suggest(client, "badge reader of the gate closed", suggestion_id=session))[0] == "a/one"
    unknown = suggest(client, "badge reader closed", suggestion_id="nobody's")
    assert unknown["suggestion_id"] not in {None, "nobody's"}
    assert ids(unknown) == ["a/one", "a/two"]


def test_a_public_caller_sees_no_incident_and_nothing_internal(client: TestClient, base: KnowledgeBase) -> None:
    for number in ("INC2", "INC3"):
        base.attachments.add(number, "runbooks/printer", "r", "resolved_by")
        base.attachments.add(number, "runbooks/secret", "r", "resolved_by")
    own = client.post("/api/suggest", json={"short_description": PRINTER}).json()
    assert own["suggestions"][0]["resolved"]
    answers = [
        client.post("/api/suggest?audience=public", json={"short_description": PRINTER}),
        client.get("/api/search", params={"q": PRINTER, "audience": "public"}),
        client.get("/api/articles/runbooks/printer?audience=public"),
        client.get("/a/runbooks/printer?audience=public"),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert "printer" in answer.text.casefold()
        assert not re.search(r"INC\d|secret", answer.text)
    public = answers[0].json()["suggestions"]
    assert {"evidence", "attached"}.isdisjoint(reason["lane"] for one in public for reason in one["reasons"])
    assert "evidence" not in public[0]["parts"]
    for path in ("/api/flags", "/api/deflection", "/incidents", "/incidents/INC1", "/api/incidents/INC1"):
        assert client.get(f"{path}?audience=public").status_code == 403, path


# -- deflection


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


# -- POST /api/feedback


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


# -- links between articles and incidents


def test_articles_and_incidents_list_each_other(client: TestClient) -> None:
    attached = {"article": "runbooks/printer", "resolved_by": True}
    assert client.post("/api/incidents/INC2/articles", json=attached).status_code == 201
    article = client.get("/api/articles/runbooks/printer").json()
    assert [one["number"] for one in article["resolved_incidents"]] == ["INC2"]
    assert [one["number"] for one in article["open_incidents"]] == ["INC1"]
    page = client.get("/a/runbooks/printer").text
    assert "Incidents it resolved" in page
    assert "Open incidents like these" in page
    record = client.get("/incidents/INC2").text
    assert '<a class="pick" href="/a/runbooks/printer">Printer prints strange characters</a>' in record
    assert "resolved it" in record


def test_every_link_of_the_pages_leads_somewhere(client: TestClient, base: KnowledgeBase) -> None:
    base.attachments.add("INC2", "runbooks/printer", "r", "resolved_by")
    put(base, row("MI1", PRINTER, kind="major_incident"), row("PRB1", PRINTER, kind="problem", workaround="turn it"))
    links = set()
    for path in ("/incidents", "/incidents/INC1", "/incidents/INC2", "/a/runbooks/printer", "/incidents?q=printer"):
        page = client.get(path)
        assert page.status_code == 200
        links |= {html.unescape(link) for link in re.findall(r'href="([^"]+)"', page.text)}
    assert {"/incidents/INC1", "/incidents/MI1", "/a/runbooks/printer?at=r"} <= links
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)
    assert "What it said then is not kept" in client.get("/a/runbooks/printer?at=r").text


def test_the_list_is_by_state_and_by_words(client: TestClient) -> None:
    assert "INC2" not in client.get("/incidents?state=open").text
    assert "INC2" in client.get("/incidents?state=closed").text
    found = client.get("/incidents?q=strange+characters&state=open").text
    assert "INC1" in found
    assert "INC2" not in found


def test_an_unknown_number_is_a_page_too(client: TestClient) -> None:
    page = client.get("/incidents/INC4711")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no incident INC4711" in page.text
    assert "INC900" not in page.text


def test_every_field_of_a_record_is_escaped(client: TestClient, base: KnowledgeBase) -> None:
    texts = dict.fromkeys(
        ("short_description", "description", "service", "cmdb_ci", "category", "assignment_group", "close_code",
         "close_notes", "workaround", "u_field"),
        f"{SCRIPT} {PRINTER} \"'&",
    )  # fmt: skip
    put(
        base,
        row("X1", **texts),
        row("X2", **texts, state="closed"),
        row("X3", **texts, kind="problem"),
        row("X4", **texts, kind="major_incident"),
        row("X5", **texts, parent_incident="X4", problem_id="X3"),
    )
    base.attachments.add("X2", "runbooks/printer", "r", "resolved_by")
    pages = [f"/incidents/X{n}" for n in range(1, 6)]
    pages += ["/incidents", f"/incidents?q={SCRIPT}", "/a/runbooks/printer", "/incidents/<script>alert(1)"]
    for path in pages:
        page = client.get(path)
        assert foreign_script(page.text) == [], path
        assert "Content-Security-Policy" in page.headers
        assert "alert(1)" in page.text, path


# -- the demo


@pytest.fixture
def shown(base: KnowledgeBase) -> Iterator[TestClient]:
    demo.load(base.desk, base.searcher.catalogue)
    base.incident_index.catch_up()
    with client_of(base) as opened:
        yield opened


PAGES = ("/", "/?q=printer", "/incidents", "/incidents/INC0020119", "/incidents/NONE", "/a/runbooks/printer", "/a/none")
OTHERS = (
    "/api/search?q=printer",
    "/api/incidents",
    "/api/nothing",
    "/static/style.css",
    "/docs",
    "/api/search?limit=x",
)


def test_a_demo_says_so_on_every_answer_and_every_page(shown: TestClient) -> None:
    for path in (*PAGES, *OTHERS):
        assert shown.get(path).headers["KB-Demo"] == "sample records", path
    for path in PAGES:
        assert "The incidents here are a sample." in shown.get(path).text, path
    assert shown.post("/api/triage", json={"number": "INC0020119"}).json()["demo"] is True


def test_a_plain_desk_does_not(client: TestClient) -> None:
    for path in (*PAGES, *OTHERS):
        answer = client.get(path)
        assert "KB-Demo" not in answer.headers
        assert "are a sample" not in answer.text
    assert client.get("/api/incidents").json()["demo"] is False


def test_the_sample_is_never_put_among_real_records(base: KnowledgeBase) -> None:
    put(base, row("INC1", PRINTER))
    with pytest.raises(DeskError, match="holds real records"):
        demo.load(base.desk, base.searcher.catalogue)
    assert (base.incidents.count(), base.desk.is_demo) == (1, False)


def test_the_sample_is_told_as_of_now_each_time(base: KnowledgeBase) -> None:
    assert demo.load(base.desk, base.searcher.catalogue) == 300
    with base.desk.writing() as connection:
        connection.execute("UPDATE incidents SET opened_at = ?", (ago(days=9),))
    demo.load(base.desk, base.searcher.catalogue)
    latest = base.incidents.existing("INC0020119").incident.opened_at
    assert latest
    assert datetime.now(UTC) - latest < timedelta(minutes=10)
    assert base.incidents.count() == 300
