"""Which articles are due for review: by owner, the longest overdue first, and what the record says of them."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from indexer import KnowledgeObject
from kb_service.desk import Desk as Record
from kb_service.feedback import Feedback
from kb_service.reviews import due_reviews
from kb_service.searches import Searches
from kb_service.usage import Usage, usage_of
from tests.test_related import Records, row

TODAY = date(2026, 6, 15)


def article(name: str, days: int | None = None, **fields: Any) -> KnowledgeObject:
    """One whose review was due so many days ago; without them, one that has no date."""
    given: dict[str, Any] = {"type": "runbook", "title": name.upper(), "body": "", "revision": "r1", **fields}
    review_by = None if days is None else TODAY - timedelta(days=days)
    return KnowledgeObject(id=name, path=f"{name}.md", review_by=review_by, **given)


def listed(objects: list[KnowledgeObject], within: int = 0) -> dict[str | None, list[str]]:
    return {group.owner: [one.article.id for one in group.due] for group in due_reviews(objects, TODAY, within)}


def test_by_owner_the_longest_overdue_first_and_without_a_date_last() -> None:
    objects = [
        article("today", 0, owner="Net"),
        article("none", owner="Net"),
        article("old", 300, owner="Net"),
        article("tomorrow", -1, owner="Net"),
        article("nobody's", 1),
        article("desk's", 2, owner="desk"),
    ]
    assert listed(objects) == {None: ["nobody's"], "desk": ["desk's"], "Net": ["old", "today", "none"]}
    assert list(listed(objects)) == [None, "desk", "Net"]
    assert listed(objects, 1)["Net"] == ["old", "today", "tomorrow", "none"]


@pytest.mark.parametrize(
    ("fields", "is_due"),
    [
        ({"workflow_state": "retired"}, False),
        ({"workflow_state": "draft"}, True),
        ({"workflow_state": "review"}, True),
        ({"valid_to": datetime(2020, 1, 1, tzinfo=UTC)}, False),
        ({"valid_to": datetime(2999, 1, 1, tzinfo=UTC)}, True),
        ({"valid_to": datetime(2026, 6, 14, tzinfo=UTC)}, False),
        ({"valid_to": datetime(2026, 6, 16, tzinfo=UTC)}, True),
    ],
)
def test_what_nobody_is_shown_any_more_needs_no_review(fields: dict[str, Any], is_due: bool) -> None:
    assert bool(listed([article("a", 1, **fields)])) == is_due
    assert bool(listed([article("a", **fields)])) == is_due


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (1, "overdue by 1 day"),
        (40, "overdue by 40 days"),
        (0, "due today"),
        (-7, "due in 7 days"),
        (None, "no review date"),
    ],
)
def test_how_long_it_is_overdue_is_said(days: int | None, says: str) -> None:
    ((group,),) = (due_reviews([article("a", days)], TODAY, 30),)
    assert group.due[0].when == says


def test_what_readers_say_and_how_it_was_used_is_counted_under_all_its_names(records: Records) -> None:
    records.put(row("INC1", "a"), row("INC2", "b"), row("INC3", "c"))
    feedback = Feedback(records.desk)
    feedback.add("new", "r1", "flag", comment="step 3 is gone")
    feedback.add("new", "r0", "flag", comment="an edit has answered this one")
    feedback.add("old", "r0", "not_helped")
    feedback.add("new", "r1", "helped")
    feedback.add("other", "r1", "not_helped")
    records.attachments.add("INC1", "old", "r0", "resolved_by")
    records.attachments.add("INC2", "new", "r1", "attached")
    records.attachments.add("INC3", "new", "r1", "attached")
    records.attachments.add("INC3", "new", "r1", "detached")
    searches = Searches(records.desk)
    search = searches.keep("search", "q", ["new"])
    assert search is not None
    searches.click(search, "new", "r1")
    searches.click(search, "other", "r1")
    found = usage_of(records.desk, article("new"), ["new", "old"])
    assert found == Usage(flags=1, helped=1, not_helped=1, resolved=1, attached=1, clicks=1)
    assert found.words == "1 flag open · did not help 1 of 2 · resolved 1 · attached 1 · opened 1×"


def test_of_what_nobody_used_nothing_is_said(tmp_path: Path) -> None:
    assert usage_of(Record(tmp_path / "desk.db"), article("a"), ["a"]).words == ""


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path)
