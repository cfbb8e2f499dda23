"""Records put, changed, listed and erased: whole or not at all, and nothing lost among many writers."""

import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kb_service.attachments import Attachments
from kb_service.deflection import SuggestionSessions
from kb_service.desk import Desk
from kb_service.feedback import Feedback
from kb_service.incident import InvalidIncidentError
from kb_service.incident_reading import Selection, UnknownIncidentError
from kb_service.incident_rows import Recorded
from kb_service.incidents import ChangedMeanwhileError, Given, Incidents, LineReport
from kb_service.searches import Searches

OPENED = "2026-03-01T08:00:00Z"


@pytest.fixture
def incidents(tmp_path: Path) -> Incidents:
    return Incidents(Desk(tmp_path / "desk.db"))


def put(incidents: Incidents, number: str, **fields: Any) -> Recorded:
    return incidents.put({"number": number, "short_description": "x", "opened_at": OPENED, **fields})


def everything(incidents: Incidents) -> list[tuple[Any, ...]]:
    tables = ("meta", "incidents", "erased", "attachments", "feedback", "searches", "suggestions", "suggestion_events")
    return [tuple(row) for table in tables for row in incidents.desk.connection.execute(f"SELECT * FROM {table}")]


def problems(caught: pytest.ExceptionInfo[InvalidIncidentError]) -> Mapping[str, str]:
    return {one.field: one.problem for one in caught.value.problems}


def test_a_put_makes_a_record_and_then_replaces_it_whole(incidents: Incidents) -> None:
    calls: list[int] = []
    incidents.on_change = lambda: calls.append(1)
    made = put(incidents, "INC1", service="web", u_floor=3)
    assert (made.created, made.version, made.incident.service) == (True, 1, "web")
    replaced = put(incidents, "INC1", description="y")
    assert (replaced.created, replaced.version) == (False, 2)
    assert (replaced.incident.service, replaced.incident.extra, replaced.incident.description) == (None, {}, "y")
    assert len(calls) == 2
    assert incidents.count() == 1


def test_a_put_of_the_same_changes_nothing(incidents: Incidents) -> None:
    fields = {
        "state": "closed",
        "resolved_at": "2026-03-01T09:00:00Z",
        "u": {"a": [1.5, "ü"]},
        "impact": 1,
        "urgency": 2,
    }
    put(incidents, "INC1", **fields)
    before = everything(incidents)
    again = put(incidents, "inc1", **fields)
    assert (again.created, again.version, again.incident.number) == (False, 1, "INC1")
    assert everything(incidents) == before


def test_numbers_are_the_same_whatever_their_case(incidents: Incidents) -> None:
    put(incidents, "Inc1")
    for number in ("INC1", "inc1"):
        assert incidents.existing(number).incident.number == "Inc1"
    put(incidents, "INC2", parent_incident="iNC1")
    assert incidents.children("inc1") == ["INC2"]
    assert incidents.descendants("INC1") == {"INC2"}
    assert {asked: one.number for asked, one in incidents.several(["inC2", "INC9"]).items()} == {"inC2": "INC2"}
    incidents.change("INC1", {"service": "web"})
    assert incidents.count() == 2


def test_a_change_keeps_the_other_fields(incidents: Incidents) -> None:
    put(incidents, "INC1", service="web", description="y", u_floor=3)
    changed = incidents.change("inc1", {"category": "c", "u_room": 4})
    assert (changed.version, changed.incident.service, changed.incident.description) == (2, "web", "y")
    assert (changed.incident.category, changed.incident.extra) == ("c", {"u_floor": 3, "u_room": 4})
    assert incidents.change("INC1", {"service": None}).incident.service is None
    assert incidents.change("INC1", {"service": None}).version == 3


def test_the_priority_follows_impact_and_urgency_unless_it_is_given(incidents: Incidents) -> None:
    assert put(incidents, "INC1", impact="high", urgency="high").incident.priority == "P1"
    assert incidents.change("INC1", {"urgency": "3 - Low"}).incident.priority == "P3"
    assert incidents.change("INC1", {"service": "web"}).incident.priority == "P3"
    assert incidents.change("INC1", {"impact": 3, "priority": "P2"}).incident.priority == "P2"
    assert incidents.change("INC1", {"impact": None}).incident.priority is None
    assert put(incidents, "INC2", impact="high").incident.priority is None


def test_resolving_stamps_the_time_and_reopening_clears_it(incidents: Incidents) -> None:
    put(incidents, "INC1")
    start = datetime.now(UTC).replace(microsecond=0)
    resolved = incidents.change("INC1", {"state": "resolved"}).incident.resolved_at
    assert resolved is not None
    assert start <= resolved <= datetime.now(UTC)
    assert incidents.change("INC1", {"state": "closed"}).incident.resolved_at == resolved
    assert put(incidents, "INC1", state="closed", close_notes="n").incident.resolved_at == resolved
    assert incidents.change("INC1", {"state": "in_progress"}).incident.resolved_at is None
    given = incidents.change("INC1", {"state": "closed", "resolved_at": "2026-03-01T09:00:00Z"}).incident
    assert given.minutes_to_resolve == 60


def test_what_is_recorded_is_always_consistent(incidents: Incidents) -> None:
    ahead = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    put(incidents, "INC1", opened_at=ahead)
    assert incidents.change("INC1", {"state": "resolved"}).incident.minutes_to_resolve == 0
    over = put(incidents, "INC2", opened_at=None, state="closed", resolved_at="2020-01-01T00:00:00Z")
    assert over.incident.opened_at == over.incident.resolved_at
    put(incidents, "INC3")
    with pytest.raises(InvalidIncidentError, match="resolved_at: is before opened_at"):
        put(incidents, "INC3", opened_at=None, state="closed", resolved_at="2020-01-01T00:00:00Z")
    for number in ("INC1", "INC2", "INC3"):
        incidents.change(number, {"category": "can be changed"})


def test_only_the_version_that_was_seen_is_changed(incidents: Incidents) -> None:
    put(incidents, "INC1")
    assert incidents.change("INC1", {"service": "a"}, seen=1).version == 2
    before = everything(incidents)
    for seen in (0, 1, 3):
        with pytest.raises(ChangedMeanwhileError, match=f"at version 2, not {seen}"):
            incidents.change("INC1", {"service": "b"}, seen)
        with pytest.raises(ChangedMeanwhileError):
            incidents.put({"number": "INC1", "short_description": "b"}, seen)
    with pytest.raises(ChangedMeanwhileError, match="at version 0"):
        incidents.put({"number": "INC2", "short_description": "b"}, seen=1)
    assert everything(incidents) == before
    assert incidents.put({"number": "INC2", "short_description": "b"}, seen=0).created


def test_what_cannot_be_changed(incidents: Incidents) -> None:
    put(incidents, "INC1")
    before = everything(incidents)
    with pytest.raises(UnknownIncidentError, match="INC9"):
        incidents.change("INC9", {})
    for values in ({"number": "INC2"}, {"state": "x"}, {"short_description": ""}, {"opened_at": "2999-01-01"}):
        with pytest.raises(InvalidIncidentError):
            incidents.change("INC1", values)
    assert everything(incidents) == before
    assert incidents.change("INC1", {"number": "inc1", "service": "a"}).incident.number == "INC1"


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_loop_of_parents_is_refused_and_leaves_nothing(incidents: Incidents, length: int) -> None:
    numbers = [f"INC{n}" for n in range(length)]
    put(incidents, numbers[0])
    for above, number in pairwise(numbers):
        put(incidents, number, parent_incident=above)
    before = everything(incidents)
    with pytest.raises(InvalidIncidentError) as caught:
        incidents.change(numbers[0], {"parent_incident": numbers[-1].lower(), "service": "half"})
    said = problems(caught)["parent_incident"]
    assert said == "is the record itself" if length == 1 else "makes a loop" in said
    line = {"number": numbers[0], "short_description": "x", "parent_incident": numbers[-1]}
    assert [one.status for one in incidents.put_many([(1, line)])] == ["refused"]
    assert everything(incidents) == before


def test_a_loop_through_a_record_that_comes_later_is_refused(incidents: Incidents) -> None:
    put(incidents, "INC1", parent_incident="INC2")
    put(incidents, "INC2", parent_incident="INC3")
    with pytest.raises(InvalidIncidentError, match="INC3 -> INC1 -> INC2 -> INC3"):
        put(incidents, "INC3", parent_incident="INC1")
    assert incidents.get("INC3") is None


def test_a_problem_is_linked_as_a_problem_and_a_parent_as_a_parent(incidents: Incidents) -> None:
    put(incidents, "PRB1", kind="problem")
    put(incidents, "INC1")
    with pytest.raises(InvalidIncidentError) as caught:
        put(incidents, "INC2", parent_incident="prb1", problem_id="inc1")
    assert problems(caught) == {
        "parent_incident": "PRB1 is a problem record: link it by problem_id", "problem_id": "INC1 is no problem record",
    }  # fmt: skip
    put(incidents, "INC2", parent_incident="INC1", problem_id="PRB1")
    put(incidents, "INC3", parent_incident="NOTHERE", problem_id="NORHERE")
    assert (incidents.children("PRB1"), incidents.children("INC1")) == (["INC2"], ["INC2"])


BAD: Sequence[tuple[Mapping[str, Any] | str, str]] = (
    ({}, "number: is missing"),
    ({"number": "a b", "short_description": "x"}, "is no number"),
    ({"number": "B1"}, "short_description: is missing"),
    ({"number": "B2", "short_description": "x", "state": "odd", "impact": "odd"}, "impact: 'odd' is none of"),
    ({"number": "B3", "short_description": "x", "opened_at": "2999-01-01"}, "is in the future"),
    ({"number": "B4", "short_description": "x" * 2_000}, "is longer than 1,000"),
    ({"number": "B5", "short_description": "x", "parent_incident": "b5"}, "is the record itself"),
    ({"number": "B6", "short_description": "x", "parent_incident": "PRB1"}, "PRB1 is a problem record"),
    ({"number": "\ud800", "short_description": "x"}, "number: '?' is no number"),
    ("broken JSON: so it is", "broken JSON: so it is"),
)


def test_of_many_lines_the_good_ones_are_taken_and_the_others_told(incidents: Incidents) -> None:
    put(incidents, "PRB1", kind="problem")
    put(incidents, "INC0", service="web")
    good = [
        {"number": "INC0", "short_description": "x", "opened_at": OPENED, "service": "web"},
        {"number": "prb1", "kind": "problem", "short_description": "other"},
        *({"number": f"INC{n}", "short_description": "x", "parent_incident": "INC0"} for n in range(1, 500)),
        {"number": "inc7", "short_description": "a second time"},
    ]
    given: list[Given] = list(enumerate([*(values for values, _ in BAD), *good], 11))
    progress: list[int] = []
    reports = incidents.put_many(given, progress.append)
    assert [one.line for one in reports] == [line for line, _ in given]
    for report, (_, why) in zip(reports, BAD, strict=False):
        assert report.status == "refused"
        assert why in report.problem
        assert f"{report.number}{report.problem}".encode()
    taken = reports[len(BAD) :]
    assert [one.status for one in taken] == ["unchanged", "updated", *["created"] * 499, "refused"]
    assert taken[-1] == LineReport(taken[-1].line, "inc7", "refused", "number: 'inc7' stands on line 29 already")
    assert (incidents.count(), len(incidents.children("INC0"))) == (501, 499)
    assert progress[-1] == len(given)
    again = incidents.put_many(given)
    assert {one.status for one in again[len(BAD) :]} == {"unchanged", "refused"}


def test_a_number_that_was_refused_may_come_again_on_a_later_line(incidents: Incidents) -> None:
    first, second = {"number": "INC1"}, {"number": "INC1", "short_description": "x"}
    assert [one.status for one in incidents.put_many([(1, first), (2, second)])] == ["refused", "created"]


def test_lists(incidents: Incidents) -> None:
    put(incidents, "INC1", state="new", service="Web", assignment_group="A", opened_at="2026-03-01T08:00:00Z")
    put(incidents, "INC2", state="on_hold", service="mail", assignment_group="B", opened_at="2026-03-03T08:00:00Z")
    put(incidents, "INC3", state="closed", service="web", opened_at="2026-03-02T08:00:00Z")
    put(incidents, "PRB1", kind="problem", state="in_progress", opened_at="2026-02-01T08:00:00Z")

    def numbers(**wanted: Any) -> tuple[list[str], int]:
        found, total = incidents.listed(Selection(**wanted))
        return [one.incident.number for one in found], total

    assert numbers() == (["INC2", "INC3", "INC1", "PRB1"], 4)
    assert numbers(state="open") == (["INC2", "INC1", "PRB1"], 3)
    assert numbers(state="closed") == (["INC3"], 1)
    assert numbers(kind="problem") == (["PRB1"], 1)
    assert numbers(service="WEB") == (["INC3", "INC1"], 2)
    assert numbers(assignment_group="a", state="open") == (["INC1"], 1)
    assert numbers(service="'; DROP TABLE incidents; --") == ([], 0)
    assert numbers(limit=1, offset=1) == (["INC3"], 4)
    between = incidents.opened_between(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC), 10)
    assert [one.number for one in between] == ["INC1", "INC2"]


def test_two_who_change_different_fields_of_one_record_lose_nothing(incidents: Incidents) -> None:
    put(incidents, "INC1", u_category=0, u_service=0)
    failures: list[BaseException] = []

    def change(name: str, own: Incidents) -> None:
        try:
            for n in range(1, 201):
                own.change("INC1", {name: str(n), f"u_{name}": n})
        except BaseException as error:
            failures.append(error)

    other = Incidents(Desk(incidents.desk.path))
    threads = [threading.Thread(target=change, args=pair) for pair in (("category", incidents), ("service", other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    record = incidents.existing("INC1")
    assert (record.incident.category, record.incident.service, record.version) == ("200", "200", 401)
    assert record.incident.extra == {"u_category": 200, "u_service": 200}


PUT = """
import sys
from itertools import pairwise
from pathlib import Path
from kb_service.desk import Desk
from kb_service.incidents import Incidents
incidents = Incidents(Desk(Path(sys.argv[1])))
for n in range(30):
    incidents.put({"number": f"INC{sys.argv[2]}{n}", "short_description": "x"})
    incidents.put({"number": "SHARED", "short_description": f"{sys.argv[2]} {n}"})
incidents.put_many([(n, {"number": f"BULK{sys.argv[2]}{n}", "short_description": "x"}) for n in range(300)])
"""


def test_several_processes_put_at_once(incidents: Incidents) -> None:
    runs = [subprocess.Popen([sys.executable, "-c", PUT, str(incidents.desk.path), name]) for name in "ABC"]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    assert incidents.count() == 3 * (30 + 300) + 1
    assert incidents.existing("SHARED").version == 90
    changes = [row[0] for row in incidents.desk.connection.execute("SELECT change FROM incidents")]
    assert len(set(changes)) == len(changes)
    assert max(changes) == int(incidents.desk.meta("change") or 0) == 3 * (60 + 300)


def test_what_is_erased_is_gone_with_its_facts_and_links(incidents: Incidents) -> None:
    desk = incidents.desk
    attachments, feedback, searches = Attachments(desk), Feedback(desk), Searches(desk)
    sessions = SuggestionSessions(desk)
    said = "Payroll of Xq-Zanzibar shows a wrong sum"
    put(incidents, "INC1", short_description=said, description="Since Monday, seen by three.", kind="problem")
    put(incidents, "INC2", problem_id="INC1")
    put(incidents, "INC3", parent_incident="INC1-OTHER", short_description="remains")
    for number in ("INC1", "INC3"):
        attachments.add(number, "runbooks/a", "r", "attached")
        feedback.add("runbooks/a", "r", "helped", comment="c", number=number)
    searches.keep("triage", "some words", ["runbooks/a"], "inc1")
    searches.keep("search", f"re: {said.upper()} again", [])
    searches.keep("suggest", said[:20], [])
    searches.keep("search", "remains", [])
    typed, submitted, other = (sessions.keep(None, text, []) for text in (said[:25], "other words", "remains"))
    for session, ticket in ((typed, None), (submitted, "INC1"), (other, "INC3")):
        sessions.report(session, "submitted", article=None, revision=None, number=ticket)
    gone = incidents.erase("inc1")
    assert gone.number == "INC1"
    assert incidents.get("INC1") is None
    assert incidents.existing("INC2").incident.problem_id is None
    assert incidents.existing("INC2").version == 2
    assert attachments.of_incidents(["INC1", "INC3"]).keys() == {"INC3"}
    connection = desk.connection
    assert [row[0] for row in connection.execute("SELECT number FROM feedback")] == ["INC3"]
    assert [row[0] for row in connection.execute("SELECT text FROM searches")] == ["remains"]
    assert [row[0] for row in connection.execute("SELECT id FROM suggestions")] == [other]
    assert submitted not in [row[0] for row in connection.execute("SELECT suggestion_id FROM suggestion_events")]
    assert [row["number"] for row in connection.execute("SELECT number FROM erased")] == ["INC1"]
    with pytest.raises(UnknownIncidentError):
        incidents.erase("INC1")


def test_an_erased_number_may_be_used_again(incidents: Incidents) -> None:
    put(incidents, "INC1", u="secret")
    incidents.erase("INC1")
    again = put(incidents, "INC1")
    assert (again.created, again.version, again.incident.extra) == (True, 1, {})
    assert incidents.desk.connection.execute("SELECT count(*) FROM erased").fetchone()[0] == 0


def test_a_link_that_stood_before_what_it_leads_to_does_not_lock_the_record(incidents: Incidents) -> None:
    incidents.put({"number": "INC1", "short_description": "x", "problem_id": "PRB1"})
    incidents.put({"number": "PRB1", "short_description": "y"})
    assert incidents.change("INC1", {"service": "vpn"}).incident.service == "vpn"
    with pytest.raises(InvalidIncidentError, match="no problem record"):
        incidents.put({"number": "INC2", "short_description": "x", "problem_id": "PRB1"})


@pytest.mark.parametrize("name", ["kind", "state"])
def test_a_change_does_not_blank_what_a_record_must_have(incidents: Incidents, name: str) -> None:
    incidents.put({"number": "INC1", "short_description": "x", "kind": "case", "state": "closed"})
    with pytest.raises(InvalidIncidentError, match=f"{name}: cannot be blank"):
        incidents.change("INC1", {name: None})
    assert incidents.existing("INC1").version == 1


def test_a_number_counts_as_erased_until_a_record_has_it_again(incidents: Incidents) -> None:
    incidents.put({"number": "INC1", "short_description": "x"})
    assert not incidents.was_erased("INC1")
    incidents.erase("INC1")
    assert incidents.was_erased("inc1")
    incidents.put({"number": "inc1", "short_description": "y"})
    assert not incidents.was_erased("INC1")
