"""The pages of records, and what articles say of them."""

import html
import re

from fastapi.testclient import TestClient

from kb_service import KnowledgeBase
from tests.browsers import foreign_script
from tests.test_related import PRINTER, row
from tests.triage_api.asked import put

SCRIPT = "<script>alert(1)</script>"


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


def test_a_record_s_number_is_one_wherever_it_is_typed(client: TestClient, base: KnowledgeBase) -> None:
    found = client.get("/", params={"q": " inc2 "}).text
    assert '<a href="/incidents/INC2">INC2</a> is a record of the desk' in found
    assert "Ask for an article" not in found
    assert "is a record" not in client.get("/", params={"q": "INC404"}).text
    assert "is a record" not in client.get("/", params={"q": "INC2", "audience": "public"}).text
    sent = client.get("/triage", params={"text": "inc2"}, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/incidents/INC2")
    assert client.post("/api/triage", json={"text": "inc2"}).json()["number"] == "INC2"
    assert client.post("/api/triage", json={"text": "inc2 again"}).json()["number"] is None
    key = base.keys.create("requester", by="test")[1]
    assert "is a record" not in client.get("/", params={"q": "INC2"}, headers={"X-API-Key": key}).text


def test_a_run_for_a_number_that_is_not_there_is_begun_from_the_article_again(client: TestClient) -> None:
    begin = {"article": "runbooks/printer", "number": "INC404<"}
    sent = client.post("/runs", data=begin, headers={"Origin": "http://localhost"}, follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (
        303, "/a/runbooks/printer?no_incident=INC404%3C#page:run",
    )  # fmt: skip
    assert "There is no incident “INC404&lt;”" in client.get(sent.headers["location"]).text


def test_a_run_of_which_nothing_is_done_yet_is_one_line_of_its_incident(client: TestClient) -> None:
    begin = {"article": "runbooks/printer", "number": "INC1"}
    run = client.post("/runs", data=begin, headers={"Origin": "http://localhost"}).url.path
    assert "no step is done yet" in client.get("/incidents/INC1").text
    client.post(run, data={"step": "1", "done": "yes"}, headers={"Origin": "http://localhost"})
    record = client.get("/incidents/INC1").text
    assert "no step is done yet" not in record
    assert "1 of 1 steps done" in record
