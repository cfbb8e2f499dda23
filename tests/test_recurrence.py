"""Does a fault come back? By days, not by reports; and the problem record of it, not one of something else."""

from pathlib import Path
from typing import Any

import pytest

from indexer import Encoder
from kb_service import Searcher
from kb_service.recurrence import ProblemCandidate, Recurrence
from tests.test_related import NOISE, Records, Row, ago, row

# One fault, each time in other words
HOURLY = [
    "VPN drops after exactly one hour",
    "vpn kicks me out after an hour",
    "VPN session ends after 60 minutes",
    "Tunnel is gone after one hour, VPN must be started anew",
    "VPN disconnects every hour",
    "connection via vpn lost every hour",
]
PROBLEM = row(
    "PRB1", "VPN sessions drop after exactly 60 minutes", kind="problem", service="vpn", known_error=True,
    workaround="Sign in again before the hour is over.",
)  # fmt: skip


def on_days(*days: float, **fields: Any) -> list[Row]:
    """The fault on each of these days, so many days ago; at noon, so that a day is a day."""
    return [
        row(f"INC{n}", HOURLY[n % len(HOURLY)], service="vpn", opened_at=ago(days=day)[:10] + "T12:00:00+00:00",
            **{"state": "closed", **fields})
        for n, day in enumerate(days)
    ]  # fmt: skip


@pytest.fixture
def records(tmp_path: Path, encoder: Encoder) -> Records:
    made = Records(tmp_path, encoder)
    made.put(row("INC100", "VPN connection drops after one hour", service="vpn"), *NOISE)
    return made


def candidate(
    records: Records, searcher: Searcher, number: str = "INC100", wanted: Recurrence | None = None
) -> ProblemCandidate | None:
    return records.triage(searcher, number, recurrence=wanted).problem


def test_a_fault_that_recurs_over_weeks_proposes_a_problem(records: Records, searcher: Searcher) -> None:
    records.put(*on_days(40, 31, 22, 9))
    found = candidate(records, searcher)
    assert found
    assert [one.number for one in found.incidents] == ["INC0", "INC1", "INC2", "INC3", "INC100"]
    assert (found.occurrences, found.problem, found.linked) == (5, None, False)
    assert found.reason.startswith("the same on 5 days since")
    assert found.reason.endswith("and no problem record")


@pytest.mark.parametrize(
    "days",
    [
        pytest.param((30, 20), id="on too few days"),
        pytest.param((10, 8, 6, 4, 2), id="within less than two weeks"),
        pytest.param((400, 300, 200, 150), id="longer ago than is looked back"),
        pytest.param((20,) * 6, id="a flood is one occurrence"),
        pytest.param((), id="never before"),
    ],
)
def test_what_does_not_recur_proposes_none(records: Records, searcher: Searcher, days: tuple[float, ...]) -> None:
    records.put(*on_days(*days))
    assert candidate(records, searcher) is None


def test_the_settings_say_how_often_is_often(records: Records, searcher: Searcher) -> None:
    records.put(*on_days(40, 31, 22, 9))
    assert candidate(records, searcher, wanted=Recurrence(count=6)) is None
    assert candidate(records, searcher, wanted=Recurrence(count=5))
    assert candidate(records, searcher, wanted=Recurrence(days=25)) is None
    assert candidate(records, searcher, wanted=Recurrence(count=3, days=25))


def test_other_faults_do_not_count(records: Records, searcher: Searcher) -> None:
    others = ["VPN program cannot be installed", "second factor is asked twice", "address of the VPN portal?"]
    records.put(
        *on_days(40),
        *(row(f"INC2{n}", text, service="vpn", state="closed", opened_at=ago(days=30 - n * 9))
          for n, text in enumerate(others)),
    )  # fmt: skip
    assert candidate(records, searcher) is None


def test_an_open_problem_is_named_with_its_known_error_and_workaround(records: Records, searcher: Searcher) -> None:
    records.put(PROBLEM, *on_days(9, problem_id="PRB1"))
    records.attachments.add("PRB1", "runbooks/vpn-wont-connect", "r1", "attached")
    triage = records.triage(searcher, "INC100")
    found = triage.problem
    assert found
    assert found.problem
    assert (found.problem.number, found.problem.workaround) == ("PRB1", PROBLEM["workaround"])
    assert [one.article for one in found.articles] == ["runbooks/vpn-wont-connect"]
    assert not found.linked
    assert found.reason == "PRB1 is an open known error that looks the same: VPN sessions drop after exactly 60 minutes"
    assert (triage.outcome, triage.reason) == ("known", found.reason)


def test_an_open_problem_is_named_though_nothing_was_linked_to_it_yet(records: Records, searcher: Searcher) -> None:
    records.put({**PROBLEM, "known_error": False})
    found = candidate(records, searcher)
    assert found
    assert found.problem
    assert found.problem.number == "PRB1"
    assert "open problem" in found.reason


@pytest.mark.parametrize("written", ["PRB1", "prb1"])
def test_one_that_is_linked_already_says_so(records: Records, searcher: Searcher, written: str) -> None:
    records.put(PROBLEM)
    records.put(row("INC100", "VPN connection drops after one hour", service="vpn", problem_id=written))
    found = candidate(records, searcher)
    assert found
    assert (found.problem and found.problem.number, found.linked) == ("PRB1", True)


def test_after_its_problem_was_closed_a_fault_that_goes_on_proposes_one_again(
    records: Records, searcher: Searcher
) -> None:
    closed = {**PROBLEM, "state": "closed"}
    records.put(closed, *on_days(40, 31, problem_id="PRB1"))
    assert candidate(records, searcher) is None
    records.put(*on_days(40, 31, 22, 9, problem_id="PRB1"))
    found = candidate(records, searcher)
    assert found
    assert (found.problem and found.problem.number, found.linked) == ("PRB1", False)
    assert "though PRB1 was closed" in found.reason


@pytest.mark.parametrize(
    "title",
    [
        "VPN gateway refuses every login since the certificate was renewed",
        "VPN client cannot be installed on new laptops",
        "Provider routers block the VPN, error 809",
    ],
)
def test_a_problem_of_something_else_of_the_same_service_is_not_named(
    records: Records, searcher: Searcher, title: str
) -> None:
    records.put({**PROBLEM, "short_description": title}, *on_days(40, 31, 22, 9))
    found = candidate(records, searcher)
    assert found
    assert found.problem is None
    assert "no problem record" in found.reason


def test_a_problem_that_one_of_many_is_linked_to_is_not_theirs(records: Records, searcher: Searcher) -> None:
    other = {**PROBLEM, "short_description": "Clocks of the gateways drift", "workaround": ""}
    rows = on_days(40, 31, 22, 9)
    records.put(other, {**rows[0], "problem_id": "PRB1"}, *rows[1:])
    found = candidate(records, searcher)
    assert found
    assert found.problem is None
