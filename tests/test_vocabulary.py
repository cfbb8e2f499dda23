"""The words of other programs and what they mean here."""

import re
from typing import get_args

import pytest

from kb_service.vocabulary import KINDS, STATES, Level, Priority, meant_by, priority_of, words_for
from tests.conftest import CONTENT

KIND_WORDS, STATE_WORDS = words_for(KINDS), words_for(STATES)
PRIORITY_WORDS, LEVEL_WORDS = words_for(get_args(Priority)), words_for(get_args(Level))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        # ServiceNow: numbers, labels, both
        ("1", "new"), ("2", "in_progress"), ("3", "on_hold"), ("6", "resolved"), ("7", "closed"), ("8", "canceled"),
        ("New", "new"), ("In Progress", "in_progress"), ("On Hold", "on_hold"), ("Closed Complete", "closed"),
        ("6 - Resolved", "resolved"), ("Awaiting User Info", "on_hold"), ("Root Cause Analysis", "in_progress"),
        # Jira
        ("To Do", "new"), ("Waiting for support", "new"), ("Waiting for customer", "on_hold"), ("Done", "resolved"),
        ("Reopened", "in_progress"), ("Declined", "canceled"), ("Pending", "on_hold"),
        # Zendesk
        ("open", "in_progress"), ("hold", "on_hold"), ("solved", "resolved"), ("closed", "closed"),
        # Ours, however written
        ("in_progress", "in_progress"), ("  ON   HOLD ", "on_hold"), ("Cancelled", "canceled"),
    ],
)  # fmt: skip
def test_states_of_other_programs(said: str, meant: str) -> None:
    assert meant_by(said, STATE_WORDS) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("1", "P1"), ("5", "P5"), ("1 - Critical", "P1"), ("2 - High", "P2"), ("3 - Moderate", "P3"), ("4 - Low", "P4"),
        ("5 - Planning", "P5"), ("Highest", "P1"), ("Lowest", "P5"), ("Blocker", "P1"), ("Trivial", "P5"),
        ("urgent", "P1"), ("high", "P2"), ("normal", "P3"), ("low", "P4"), ("p3", "P3"),
    ],
)  # fmt: skip
def test_priorities_of_other_programs(said: str, meant: str) -> None:
    assert meant_by(said, PRIORITY_WORDS) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [("1", "high"), ("2", "medium"), ("3", "low"), ("1 - High", "high"), ("2 - Medium", "medium"), ("Low", "low"),
     ("Extensive", "high"), ("Significant", "medium"), ("Minor", "low")],
)  # fmt: skip
def test_levels_of_other_programs(said: str, meant: str) -> None:
    assert meant_by(said, LEVEL_WORDS) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [("Incident", "incident"), ("Question", "case"), ("Task", "case"), ("Service Request", "case"),
     ("Problem", "problem"), ("Major Incident", "major_incident"), ("major_incident", "major_incident")],
)  # fmt: skip
def test_kinds_of_other_programs(said: str, meant: str) -> None:
    assert meant_by(said, KIND_WORDS) == meant


def test_nothing_said_means_nothing() -> None:
    assert [meant_by(said, STATE_WORDS) for said in (None, "", "  ")] == [None, None, None]


def test_a_word_that_is_none_is_named_with_those_that_are() -> None:
    with pytest.raises(
        ValueError, match=r"^'nonsense' is none of new, in_progress, on_hold, resolved, closed, canceled"
    ):
        meant_by("nonsense", STATE_WORDS)
    with pytest.raises(ValueError, match="'9' is none of P1, P2, P3, P4, P5"):
        meant_by("9", PRIORITY_WORDS)


def test_no_word_has_two_meanings_in_one_list() -> None:
    for meanings, words in (
        (KINDS, KIND_WORDS), (STATES, STATE_WORDS), (get_args(Priority), PRIORITY_WORDS), (get_args(Level), LEVEL_WORDS)
    ):  # fmt: skip
        assert sum(len(words_for((meaning,))) for meaning in meanings) == len(words)


def test_the_matrix_is_the_one_of_the_policy() -> None:
    table = (CONTENT / "policies" / "priority-matrix.md").read_text("utf-8")
    rows = re.findall(r"^\|\W*(?:Impact\W+)?(high|medium|low)\W*\|(.*)\|$", table, re.IGNORECASE | re.MULTILINE)
    found = {level.lower(): re.findall(r"P[1-5]", cells) for level, cells in rows}
    levels: tuple[Level, ...] = get_args(Level)
    assert {impact: [priority_of(impact, urgency) for urgency in levels] for impact in levels} == found


def test_a_priority_follows_only_from_both() -> None:
    assert (priority_of("high", None), priority_of(None, "high"), priority_of(None, None)) == (None, None, None)
