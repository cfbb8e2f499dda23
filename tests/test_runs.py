"""Runbooks as people go through them: each tick is kept, at its first time, and told in a work note."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kb_service.access import LOCAL, Caller, Sight
from kb_service.audit import Audit
from kb_service.desk import Desk
from kb_service.placeholders import MOST_LETTERS
from kb_service.runs import Run, RunEndedError, RunKeptError, Runs, RunUnderWayError, UnknownRunError

ANN = Caller("key:ann", "Ann", "agent", Sight())
BOB = Caller("key:bob", "Bob", "agent", Sight())
STEPS = ("Log in to {{host}}", "Öffne den Port", "Look again")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk.db")


@pytest.fixture
def runs(desk: Desk) -> Runs:
    return Runs(desk)


def begun(runs: Runs, number: str | None = None, by: Caller = ANN, article: str = "runbooks/port") -> str:
    return runs.begin(article, "Check a port", "0123456789abcdef", STEPS, number, by)


def test_a_run_begins_with_nothing_done(runs: Runs) -> None:
    run = runs.get(begun(runs))
    assert (run.article, run.title, run.revision, run.name) == (
        "runbooks/port", "Check a port", "0123456789abcdef", "Ann",
    )  # fmt: skip
    assert (run.number, run.steps, run.done, run.fields, run.ended_at) == (None, STEPS, {}, {}, None)
    assert runs.get(begun(runs)).id != run.id


def test_ticking_twice_keeps_the_first_time_and_taking_it_back_forgets_it(runs: Runs) -> None:
    run_id = begun(runs)
    runs.tick(run_id, 2, done=True)
    first = runs.get(run_id).done[2]
    runs.tick(run_id, 2, done=True)
    assert runs.get(run_id).done == {2: first}
    runs.tick(run_id, 2, done=False)
    runs.tick(run_id, 3, done=False)
    assert runs.get(run_id).done == {}
    runs.tick(run_id, 2, done=True)
    assert runs.get(run_id).done[2] != first


def test_two_who_tick_at_once_lose_nothing(runs: Runs) -> None:
    run_id = runs.begin("a", "A", "r", [f"step {n}" for n in range(1, 9)], None, ANN)
    threads = [threading.Thread(target=runs.tick, args=(run_id, n), kwargs={"done": True}) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(runs.get(run_id).done) == set(range(1, 9))


@pytest.mark.parametrize("step", [0, -1, 4, 9999])
def test_a_step_that_is_not_there_is_told_and_changes_nothing(runs: Runs, step: int) -> None:
    run_id = begun(runs)
    with pytest.raises(UnknownRunError, match=f"step {step}"):
        runs.tick(run_id, step, done=True)
    assert runs.get(run_id).done == {}


@pytest.mark.parametrize(
    "ask",
    [
        lambda runs: runs.get("nothing"),
        lambda runs: runs.tick("' OR 1=1 --", 1, done=True),
        lambda runs: runs.fill("", {"host": "x"}),
        lambda runs: runs.end("nothing", ended=True),
        lambda runs: runs.keep_with("nothing", "INC1", ANN),
        lambda runs: runs.discard("nothing", ANN),
    ],
)
def test_a_run_that_is_not_there_is_told_and_the_others_stay(
    runs: Runs, desk: Desk, ask: Callable[[Runs], object]
) -> None:
    before = runs.get(begun(runs))
    with pytest.raises(UnknownRunError, match="There is no run"):
        ask(runs)
    assert runs.get(before.id) == before
    assert Audit(desk).entries() == []


def test_what_commands_are_filled_in_with_is_one_line_and_added_to_what_is_known(runs: Runs) -> None:
    run_id = begun(runs)
    runs.fill(run_id, {"host": " db1\r\nrm -rf /\x1b[31m\u2028x\x00 ", "port": "1" * 9_999})
    runs.fill(run_id, {"Größe": "日本", "port": "443"})
    assert runs.get(run_id).fields == {"host": "db1 rm -rf / [31m x", "port": "443", "Größe": "日本"}
    runs.fill(run_id, {"host": "\n", "port": "9" * 9_999})
    assert runs.get(run_id).fields == {"port": "9" * MOST_LETTERS, "Größe": "日本"}


def test_what_somebody_has_open_of_an_article_is_his_own_and_the_latest_first(runs: Runs) -> None:
    first, second, ended = begun(runs), begun(runs), begun(runs)
    begun(runs, by=BOB)
    begun(runs, article="runbooks/other")
    runs.end(ended, ended=True)
    assert [run.id for run in runs.open_by("key:ann", "runbooks/port")] == [second, first]
    runs.end(ended, ended=False)
    assert [run.id for run in runs.open_by("key:ann", "runbooks/port")] == [ended, second, first]


def test_runs_of_an_incident_are_found_by_its_number_and_stand_in_the_audit_log(runs: Runs, desk: Desk) -> None:
    first, later = begun(runs, "INC1"), begun(runs)
    begun(runs, "INC10")
    assert [run.id for run in runs.of_incident("inc1")] == [first]
    runs.keep_with(later, "INC1", BOB)
    assert [run.id for run in runs.of_incident("INC1")] == [first, later]
    noted = [(one.actor, one.subject) for one in Audit(desk).entries() if one.action.startswith("runbook")]
    assert sorted(noted) == [("key:ann", "INC1"), ("key:ann", "INC10"), ("key:bob", "INC1")]


def test_a_work_note_is_never_taken_from_its_incident(runs: Runs) -> None:
    kept = begun(runs, "INC1")
    with pytest.raises(RunKeptError, match="is kept with INC1"):
        runs.keep_with(kept, "INC10", BOB)
    assert [run.id for run in runs.of_incident("INC1")] == [kept]


def test_what_has_ended_stands_as_it_is_until_it_is_gone_on_with(runs: Runs) -> None:
    run_id = begun(runs, "INC1")
    runs.tick(run_id, 1, done=True)
    runs.end(run_id, ended=True)
    as_ended = runs.get(run_id)
    changes: list[Callable[[], object]] = [
        lambda: runs.tick(run_id, 2, done=True),
        lambda: runs.tick(run_id, 1, done=False),
        lambda: runs.fill(run_id, {"host": "db1"}),
    ]
    for change in changes:
        with pytest.raises(RunEndedError, match="has ended"):
            change()
    assert runs.get(run_id) == as_ended
    runs.end(run_id, ended=False)
    runs.tick(run_id, 2, done=True)
    assert set(runs.get(run_id).done) == {1, 2}


def test_what_was_begun_by_mistake_is_discarded_and_that_is_noted(runs: Runs, desk: Desk) -> None:
    mistaken, other = begun(runs, "INC1"), begun(runs, "INC1")
    runs.tick(mistaken, 1, done=True)
    with pytest.raises(RunUnderWayError, match="is kept"):
        runs.discard(mistaken, BOB)
    runs.tick(mistaken, 1, done=False)
    runs.discard(mistaken, BOB)
    assert [run.id for run in runs.of_incident("INC1")] == [other]
    latest = Audit(desk).entries()[0]
    assert (latest.actor, latest.action, latest.subject) == ("key:bob", "runbook discarded", "INC1")


def test_a_desk_that_is_opened_again_has_all(runs: Runs, tmp_path: Path) -> None:
    run_id = begun(runs, "INC1")
    runs.tick(run_id, 1, done=True)
    runs.tick(run_id, 3, done=True)
    runs.fill(run_id, {"host": "db1"})
    runs.end(run_id, ended=True)
    reopened = Runs(Desk(tmp_path / "desk.db")).get(run_id)
    assert reopened == runs.get(run_id)
    assert set(reopened.done) == {1, 3}
    assert reopened.ended_at


def test_a_note_says_what_was_done_when_by_whom_and_with_what() -> None:
    begin, tick, end = (datetime(2026, 3, 14, 8, minute, tzinfo=UTC) for minute in (30, 41, 55))
    fields = {"host": "db1", "port": ""}
    run = Run("id", "a", "Check a port", "0123456789", "INC1", fields, STEPS, {1: begin, 3: tick}, begin, end, "Ann")
    assert run.note == (
        "Check a port (revision 0123456), by Ann: 2 of 3 steps done, 2026-03-14 08:30 to 08:55 UTC.\n"
        "host: db1\n"
        "1. Log in to {{host}} – 08:30\n"
        "2. Öffne den Port – not done\n"
        "3. Look again – 08:41"
    )
    going = Run("id", "a", "Check a port", "0123456789", None, {}, (), {}, begin, None, "")
    assert going.note == (
        "Check a port (revision 0123456): 0 of 0 steps done, 2026-03-14 08:30 to 08:30 UTC, not ended."
    )


def test_a_field_s_name_is_one_line_and_there_is_no_end_to_fields_but_one(runs: Runs) -> None:
    run = runs.begin("a", "A", "1", ["look"], None, LOCAL)
    runs.fill(run, {"host\n9. Reboot – 10:00\nx": "y", **{f"f{number}": "v" for number in range(1_000)}})
    assert len(runs.get(run).note.splitlines()) <= 62
    assert "\n9. Reboot" not in runs.get(run).note
