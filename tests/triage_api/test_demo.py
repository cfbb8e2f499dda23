"""The demo desk says what it is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from kb_service import KnowledgeBase, demo
from kb_service.desk_check import DeskError
from tests.client import client_of
from tests.test_related import PRINTER, ago, row
from tests.triage_api.asked import put


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
