"""The words in which the desk keeps kinds, states, priorities and levels, and how other programs call the same.

ServiceNow's numbers (https://www.servicenow.com/docs, incident states 1, 2, 3, 6, 7, 8) and labels (``1 - Critical``),
Jira Service Management's and Zendesk's words.
"""

from collections.abc import Mapping
from typing import Literal, get_args

Kind = Literal["incident", "case", "problem", "major_incident"]
State = Literal["new", "in_progress", "on_hold", "resolved", "closed", "canceled"]
Level = Literal["high", "medium", "low"]
Priority = Literal["P1", "P2", "P3", "P4", "P5"]

KINDS: tuple[Kind, ...] = get_args(Kind)
STATES: tuple[State, ...] = get_args(State)
OPEN_STATES: tuple[State, ...] = ("new", "in_progress", "on_hold")

_ALSO_CALLED: Mapping[str, str] = {
    "incident": "inc",
    "case": "request, question, task, service request, ticket",
    "problem": "prb",
    "major_incident": "mi, major",
    "new": "1, to do, todo, logged, waiting for support",
    "in_progress": "2, active, open, assigned, work in progress, reopened, escalated, assess, root cause analysis,"
    " fix in progress, under investigation, under review",
    "on_hold": "3, hold, pending, waiting, awaiting, waiting for customer, waiting for approval,"
    " waiting for third party,"
    " awaiting user info, awaiting caller, awaiting evidence, awaiting approval, awaiting problem, awaiting change,"
    " awaiting vendor",
    "resolved": "6, solved, done, fixed, completed",
    "closed": "7, closed complete, closed incomplete, closed skipped, failed",
    "canceled": "8, cancelled, declined, rejected, withdrawn, deleted",
    "P1": "1, critical, highest, blocker, urgent",
    "P2": "2, high, major",
    "P3": "3, moderate, medium, normal",
    "P4": "4, low, minor",
    "P5": "5, planning, lowest, trivial",
    "high": "1, extensive, widespread, critical",
    "medium": "2, moderate, limited, significant, large, normal",
    "low": "3, minor, localized",
}
# The matrix of content/policies/priority-matrix.md
_MATRIX: Mapping[tuple[Level, Level], Priority] = {
    ("high", "high"): "P1", ("high", "medium"): "P2", ("high", "low"): "P3",
    ("medium", "high"): "P2", ("medium", "medium"): "P3", ("medium", "low"): "P4",
    ("low", "high"): "P3", ("low", "medium"): "P4", ("low", "low"): "P5",
}  # fmt: skip


def words_for(meanings: tuple[str, ...]) -> dict[str, str]:
    """Every way to say each of these, case-folded and with blanks, with what is meant."""
    said: dict[str, str] = {}
    for meant in meanings:
        for word in (meant, *_ALSO_CALLED[meant].split(",")):
            said[word.strip().replace("_", " ").casefold()] = meant
    return said


def meant_by(value: object, words: Mapping[str, str]) -> object:
    """What a word, a number or a label such as ``1 - Critical`` means; blank means None. Raises ValueError."""
    if not isinstance(value, str):
        return value
    given = " ".join(value.casefold().replace("_", " ").split())
    if not given:
        return None
    # "1 - Critical" of ServiceNow, "Extensive / Widespread" of Jira
    first, _, second = given.replace(" / ", " - ").partition(" - ")
    for form in (given, first if second else "", second):
        if form in words:
            return words[form]
    raise ValueError(f"'{value[:80]}' is none of {', '.join(dict.fromkeys(words.values()))}")


def priority_of(impact: Level | None, urgency: Level | None) -> Priority | None:
    """By the matrix of impact and urgency; None unless both are known."""
    return _MATRIX[impact, urgency] if impact and urgency else None
