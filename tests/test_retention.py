"""What is personal goes after its days, out of every byte, and not before."""

import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from indexer.encoder import HashingEncoder
from kb_service.access import LOCAL, Caller, Sight
from kb_service.audit import Audit
from kb_service.deflection import SuggestionSessions
from kb_service.desk import Desk
from kb_service.feedback import Feedback
from kb_service.gaps import Gaps
from kb_service.incident_index import IncidentIndex
from kb_service.incidents import Incidents
from kb_service.knowledge_base import KnowledgeBase
from kb_service.retention import Expired, Retention, expire
from kb_service.runs import Runs, UnknownRunError
from kb_service.searches import Searches
from kb_service.settings import Settings
from tests.authors import Service
from tests.client import client_of
from tests.conftest import eventually
from tests.traces import secrets, traces

DAYS = Retention(searches=90, feedback=365, incidents=730)
FACTS = ("searches", "clicks", "suggestions", "suggestion_events", "feedback", "gaps", "runs")
NOTHING = Expired(0, 0, 0, 0, 0, 0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def incidents(data: Path) -> Incidents:
    return Incidents(Desk(data / "desk.db"))


@pytest.fixture
def index(incidents: Incidents) -> IncidentIndex:
    return IncidentIndex(incidents, HashingEncoder())


def facts(desk: Desk, words: Sequence[str], caller: str = "key:ann") -> None:
    """One of each kind: a search and its click, a form and its event, a flag, a vote, and the words of the search asked
    for and filled into a run.
    """
    search, form, flag, vote = words
    feedback, searches, sessions = Feedback(desk), Searches(desk), SuggestionSessions(desk)
    found = searches.keep("search", search, ["a"], caller=caller)
    assert found
    searches.click(found, "a", "1", caller)
    sessions.report(
        sessions.keep(None, form, ["a"], caller), "opened", article="a", revision="1", number=None, caller=caller
    )
    feedback.add("a", "1", "flag", comment=flag, caller=caller)
    feedback.add("a", "1", "helped", comment=vote, caller=caller)
    Gaps(desk).add(search, caller)
    runs, by = Runs(desk), Caller(caller, "Ann", "agent", Sight())
    runs.fill(runs.begin("a", "A", "1", ["look"], None, by), {"host": form})


def aged(desk: Desk, days: float, *tables: str) -> None:
    """As if it had been written so long ago."""
    at = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    for table in tables or FACTS:
        desk.connection.execute(f"UPDATE {table} SET at = ?", (at,))


def counts(desk: Desk) -> dict[str, int]:
    return {name: desk.connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in FACTS}


def resolved(incidents: Incidents, number: str, days: float, said: str = "", **fields: Any) -> None:
    """A record that was resolved, and changed last, so many days ago."""
    before = datetime.now(UTC) - timedelta(days=days)
    told = {"opened_at": before - timedelta(hours=1), "resolved_at": before, "state": "resolved", **fields}
    incidents.put({"number": number, "short_description": said or number, **told})
    changed(incidents, number, days)


def changed(incidents: Incidents, number: str, days: float) -> None:
    at = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")
    incidents.desk.connection.execute("UPDATE incidents SET updated_at = ? WHERE number = ?", (at, number))


def left(incidents: Incidents) -> set[str]:
    return {one.number for one in incidents.every()}


def test_nothing_goes_before_its_days(incidents: Incidents, index: IncidentIndex) -> None:
    facts(incidents.desk, secrets(1, 4))
    aged(incidents.desk, 89.999, "searches", "clicks", "suggestions", "suggestion_events", "gaps")
    aged(incidents.desk, 364.999, "feedback", "runs")
    resolved(incidents, "INC1", 729.999)
    before = counts(incidents.desk)
    assert expire(incidents, index, DAYS) == NOTHING
    assert (counts(incidents.desk), left(incidents)) == (before, {"INC1"})


def test_everything_goes_after_its_days(incidents: Incidents, index: IncidentIndex) -> None:
    facts(incidents.desk, secrets(1, 4))
    aged(incidents.desk, 90.001, "searches", "clicks", "suggestions", "suggestion_events", "gaps")
    aged(incidents.desk, 365.001, "feedback", "runs")
    resolved(incidents, "INC1", 730.001)
    assert expire(incidents, index, DAYS) == Expired(searches=1, suggestions=1, comments=2, gaps=1, runs=1, incidents=1)
    assert counts(incidents.desk) == {**dict.fromkeys(FACTS, 0), "feedback": 1}
    assert left(incidents) == set()
    assert expire(incidents, index, DAYS) == NOTHING


def test_a_vote_stays_without_its_words_and_its_name(incidents: Incidents, index: IncidentIndex) -> None:
    facts(incidents.desk, secrets(1, 4))
    aged(incidents.desk, 366)
    expire(incidents, index, DAYS)
    (row,) = incidents.desk.connection.execute("SELECT verdict, comment, caller FROM feedback").fetchall()
    assert tuple(row) == ("helped", "", None)
    assert Feedback(incidents.desk).votes(["a"]).helped == 1


def test_none_days_keep_it_for_ever(incidents: Incidents, index: IncidentIndex) -> None:
    facts(incidents.desk, secrets(1, 4))
    aged(incidents.desk, 20_000)
    resolved(incidents, "INC1", 20_000)
    before = counts(incidents.desk)
    assert expire(incidents, index, Retention(0, 0, 0)) == NOTHING
    assert (counts(incidents.desk), left(incidents)) == (before, {"INC1"})


def test_what_was_done_with_a_search_or_a_form_goes_with_it(incidents: Incidents, index: IncidentIndex) -> None:
    facts(incidents.desk, secrets(1, 4))
    aged(incidents.desk, 91, "searches", "suggestions")
    expire(incidents, index, DAYS)
    assert counts(incidents.desk) == {**dict.fromkeys(FACTS, 0), "feedback": 2, "gaps": 1, "runs": 1}


def test_what_was_run_for_an_incident_is_kept_as_long_as_that(incidents: Incidents, index: IncidentIndex) -> None:
    resolved(incidents, "INC1", 700)
    runs = Runs(incidents.desk)
    run = runs.begin("a", "A", "1", ["look"], "INC1", LOCAL)
    aged(incidents.desk, 700, "runs")
    expire(incidents, index, DAYS)
    assert runs.get(run).number == "INC1"
    resolved(incidents, "INC1", 731)
    expire(incidents, index, DAYS)
    with pytest.raises(UnknownRunError):
        runs.get(run)


def test_what_went_is_in_no_byte_of_the_data_folder_and_the_rest_is(
    incidents: Incidents, index: IncidentIndex, data: Path
) -> None:
    gone, kept = secrets(1, 200), secrets(2, 200)
    for start in range(0, 160, 4):
        facts(incidents.desk, gone[start : start + 4])
    aged(incidents.desk, 1_000)
    for start in range(0, 160, 4):
        facts(incidents.desk, kept[start : start + 4])
    for place in range(160, 200):
        resolved(incidents, f"OLD{place * 7919 % 1000}", 1_000, gone[place], description=f"{gone[place]} " * 50)
        resolved(incidents, f"NEW{place * 7919 % 1000}", 1, kept[place], description=f"{kept[place]} " * 50)
    index.catch_up()
    every = [word.encode() for word in (*gone, *kept)]
    assert {word for _, word in traces(data, every)} == set(every)
    expire(incidents, index, DAYS)
    assert {word for _, word in traces(data, every)} == {word.encode() for word in kept}


def test_an_expiry_that_was_stopped_half_way_is_brought_to_its_end_by_the_next(
    incidents: Incidents, index: IncidentIndex, data: Path
) -> None:
    (word,) = secrets(3, 1)
    resolved(incidents, "INC1", 1_000, word)
    index.catch_up()
    incidents.erase_resolved_before(datetime.now(UTC) - timedelta(days=730))
    index.catch_up()
    assert traces(data, [word.encode()]), "the index still holds it in what it has taken out"
    assert expire(incidents, index, DAYS) == NOTHING
    assert traces(data, [word.encode()]) == []


def test_the_audit_log_counts_what_went_and_repeats_no_word_of_it(
    incidents: Incidents, index: IncidentIndex, data: Path
) -> None:
    words = secrets(4, 5)
    facts(incidents.desk, words[:4])
    aged(incidents.desk, 1_000)
    resolved(incidents, "INC1", 1_000, words[4])
    expire(incidents, index, DAYS)
    told = {(entry.action, entry.subject): dict(entry.detail) for entry in Audit(incidents.desk).entries()}
    assert told["expired", ""] == {"searches": 1, "suggestions": 1, "comments": 2, "gaps": 1, "runs": 1}
    assert told["record erased", "INC1"] == {"why": "retention"}
    assert Audit(incidents.desk).verify() == 3
    assert traces(data, [word.encode() for word in words]) == []


def test_where_nothing_is_too_old_nothing_is_noted(incidents: Incidents, index: IncidentIndex) -> None:
    expire(incidents, index, DAYS)
    assert Audit(incidents.desk).entries() == []


def test_a_record_that_was_reopened_is_kept(incidents: Incidents, index: IncidentIndex) -> None:
    resolved(incidents, "INC1", 1_000)
    incidents.change("INC1", {"state": "in_progress"})
    changed(incidents, "INC1", 900)
    assert expire(incidents, index, DAYS) == NOTHING


def test_a_record_that_was_changed_since_is_kept(incidents: Incidents, index: IncidentIndex) -> None:
    resolved(incidents, "INC1", 1_000)
    incidents.change("INC1", {"close_notes": "It was the switch."})
    assert expire(incidents, index, DAYS) == NOTHING


def test_a_record_that_was_never_resolved_is_kept(incidents: Incidents, index: IncidentIndex) -> None:
    incidents.put({"number": "INC1", "short_description": "x", "opened_at": "2020-01-01T00:00:00Z"})
    changed(incidents, "INC1", 1_000)
    assert expire(incidents, index, DAYS) == NOTHING


@pytest.mark.parametrize("state", ["resolved", "closed", "cancelled"])
def test_of_a_record_that_came_as_over_its_last_change_counts(
    incidents: Incidents, index: IncidentIndex, state: str
) -> None:
    """Nobody said when it was resolved."""
    for number, days in (("OLD", 731), ("NEW", 729)):
        incidents.put({"number": number, "short_description": "x", "state": state})
        changed(incidents, number, days)
    assert expire(incidents, index, DAYS).incidents == 1
    assert left(incidents) == {"NEW"}


def test_records_that_lead_to_it_lose_the_link_and_stay(incidents: Incidents, index: IncidentIndex) -> None:
    resolved(incidents, "PRB1", 1_000, kind="problem")
    resolved(incidents, "MAJ1", 1_000, kind="major_incident", problem_id="PRB1")
    resolved(incidents, "INC1", 1, parent_incident="MAJ1", problem_id="PRB1")
    resolved(incidents, "INC2", 1_000, parent_incident="INC1")
    assert expire(incidents, index, DAYS).incidents == 3
    assert left(incidents) == {"INC1"}
    record = incidents.existing("INC1").incident
    assert (record.parent_incident, record.problem_id) == (None, None)


def test_a_lost_link_is_no_change_that_keeps_a_record(incidents: Incidents, index: IncidentIndex) -> None:
    resolved(incidents, "MAJ1", 1_000, kind="major_incident")
    resolved(incidents, "INC1", 729, parent_incident="MAJ1")
    assert expire(incidents, index, DAYS).incidents == 1
    assert expire(incidents, index, Retention(90, 365, 700)).incidents == 1


@pytest.fixture
def service(tmp_path: Path, data: Path) -> Service:
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "a.md").write_text("---\ntitle: VPN\n---\nRenew the lease.\n", "utf-8")
    days = {"KB_RETAIN_SEARCHES": "90", "KB_RETAIN_FEEDBACK": "365", "KB_RETAIN_INCIDENTS": "730"}
    return Service(data, KB_CONTENT=str(tmp_path / "content"), **days)


def test_a_service_that_runs_does_so_by_itself(
    service: Service, incidents: Incidents, index: IncidentIndex, data: Path
) -> None:
    words = secrets(5, 5)
    facts(incidents.desk, words[:4])
    aged(incidents.desk, 1_000)
    resolved(incidents, "INC1", 1_000, words[4])
    index.catch_up()
    sought = [word.encode() for word in words]
    assert {word for _, word in traces(data, sought)} == set(sought)
    with service.running() as client:
        eventually(lambda: traces(data, sought) == [], "what was too old is gone")
        assert client.get("/api/incidents/INC1").status_code == 404
        assert client.get("/api/flags").json() == {"flags": []}


def test_a_disk_that_fails_once_does_not_end_it(
    service: Service, incidents: Incidents, index: IncidentIndex, data: Path
) -> None:
    resolved(incidents, "INC1", 1_000)
    index.catch_up()
    (data / "incidents.lock").unlink()
    (data / "incidents.lock").mkdir()
    with service.running():
        eventually(lambda: "could not be deleted; it is tried again" in service.log.read_text())


def test_whatever_fails_once_does_not_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = KnowledgeBase(Settings(content=tmp_path, data=tmp_path / "data", encoder="hashing"))
    tries: list[int] = []

    def failing(*_: object) -> None:
        tries.append(1)
        raise OverflowError("date value out of range")

    monkeypatch.setattr("kb_service.app.expire", failing)
    monkeypatch.setattr("kb_service.app._EXPIRY_SECONDS", 0.01)
    with client_of(base):
        eventually(lambda: len(tries) > 1, "it is tried again")


@pytest.mark.parametrize(
    "name", ["retain_searches", "retain_feedback", "retain_incidents", "major_minutes", "problem_days"]
)
def test_no_setting_reaches_back_before_the_calendar(name: str) -> None:
    with pytest.raises(ValidationError, match="less than or equal to"):
        Settings.model_validate({name: 10_000_000})


def test_the_command_says_how_much_went(service: Service, incidents: Incidents, index: IncidentIndex) -> None:
    facts(incidents.desk, secrets(6, 4))
    aged(incidents.desk, 1_000)
    resolved(incidents, "INC1", 1_000)
    index.catch_up()
    said = " ".join(service.kb("retention").split())
    assert "1 searches, 1 suggestions, 2 comments, 1 gaps, 1 runs and 1 incidents" in said
    assert (counts(incidents.desk)["searches"], left(incidents)) == (0, set())


def test_others_write_while_thousands_go(incidents: Incidents, index: IncidentIndex) -> None:
    """All in one step would keep them waiting for minutes."""
    days = {"opened_at": "2020-01-01T08:00:00Z", "resolved_at": "2020-01-01T09:00:00Z", "state": "resolved"}
    rows = [{"number": f"OLD{number}", "short_description": "a fault", **days} for number in range(200)]
    incidents.put_many(list(enumerate(rows, 1)))
    incidents.desk.connection.execute("UPDATE incidents SET updated_at = resolved_at")
    done = threading.Event()

    def run() -> None:
        expire(incidents, index, DAYS)
        done.set()

    before = len(Audit(incidents.desk).entries())
    thread = threading.Thread(target=run)
    thread.start()
    while not done.is_set():
        incidents.put({"number": f"NEW{uuid.uuid4().hex}", "short_description": "x"})
    thread.join()
    order = [entry.action for entry in Audit(incidents.desk).entries(most=100_000)][:-before][::-1]
    erased = [place for place, action in enumerate(order) if action == "record erased"]
    assert len(erased) == 200
    assert "record created" in order[erased[0] : erased[-1]]


def test_who_waits_to_write_is_not_overtaken(incidents: Incidents) -> None:
    """By one that writes batch upon batch."""
    desk, order = incidents.desk, []

    def wait_and_write() -> None:
        with desk.writing():
            order.append("who waited")

    with desk.writing():
        thread = threading.Thread(target=wait_and_write)
        thread.start()
        eventually(desk._next.locked, "the other waits")
    with desk.writing():
        order.append("the next batch")
    thread.join()
    assert order == ["who waited", "the next batch"]
