"""Which headings of a runbook are taken for which part of it."""

import pytest

from indexer import WorkingTree
from indexer.check_options import Options
from tests.checking import check
from tests.conftest import Desk

VERIFICATION = """
Verification
Verify
Verify that the fault is gone
Verifying the result
Check that it worked
Check whether it works
How do you know it worked?
Did it work?
Is it fixed?
Success criteria
Expected results
Confirm with the user
Test the fix
Validation
Post-checks
Done when
"""
ROLLBACK = """
Rollback
Roll back
Rolling back
Back out
Backing out the change
Backout plan
Undo
How to undo it
Reverting
Reverse the change
Fallback
Restore the previous state
The way back
"""
ESCALATION = """
Escalation
Escalate
When to escalate
When to hand over
Handover
Hand it over
Hand off
Whom to call
Who do I contact?
Getting help
Next level
If this does not help
Not solved?
Still not working
Contacts
Passing it on
"""
OTHER = """
Verify who is calling
Verify the caller's identity
Confirm the symptoms
Validate the alert
Back up the data
Take a backup
Reverse proxy
Steps
Restore the service
Call the user
Ask
Background
"""


def missing(desk: Desk, heading: str) -> set[str]:
    desk.write("runbooks/a.md", f"---\nowner: o\nreview_by: 2099-01-01\n---\n# A\n\n## {heading}\n\nText.\n")
    return {finding.rule for finding in check(WorkingTree(desk.content))}


@pytest.mark.parametrize(
    ("rule", "heading"),
    [
        (rule, heading)
        for rule, headings in (
            ("no-verification", VERIFICATION),
            ("no-rollback", ROLLBACK),
            ("no-escalation", ESCALATION),
            ("", OTHER),
        )
        for heading in headings.strip().splitlines()
    ],
)
def test_a_heading_stands_for_its_part_and_no_other(desk: Desk, rule: str, heading: str) -> None:
    assert missing(desk, heading) == {"no-verification", "no-rollback", "no-escalation"} - {rule}


@pytest.mark.parametrize(("below", "empty"), [("", True), ("### Sub\n\nText.", False), ("### Sub\n\n### Sub", True)])
def test_a_section_without_a_word_is_none(desk: Desk, below: str, empty: bool) -> None:
    desk.write("runbooks/a.md", f"# A\n\n## Rollback\n\n{below}\n\n## Steps\n\nText.\n")
    lines = [finding.line for finding in check(WorkingTree(desk.content)) if finding.rule == "no-rollback"]
    assert lines == ([3] if empty else [])


@pytest.mark.parametrize(("due", "days"), [("9999-12-31", 30), ("2020-01-01", 10**12), ("0001-01-01", 0)])
def test_any_date_and_any_grace_may_be_set(desk: Desk, due: str, days: int) -> None:
    desk.write("a.md", f"---\nowner: o\nreview_by: {due}\n---\n# A")
    rules = {finding.rule for finding in check(WorkingTree(desk.content), Options(review_grace_days=days))}
    assert rules == ({"overdue-review"} if days == 0 else set())
