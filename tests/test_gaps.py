"""What people asked an article for: what was asked for most often, and nothing twice."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kb_service.desk import Desk
from kb_service.gaps import MOST_LETTERS, Gaps


@pytest.fixture
def gaps(tmp_path: Path) -> Gaps:
    return Gaps(Desk(tmp_path / "desk.db"))


def asked(gaps: Gaps, most: int = 10) -> list[tuple[str, int]]:
    return [(gap.text, gap.times) for gap in gaps.latest(most)]


def test_what_is_asked_for_most_often_comes_first_and_of_as_often_the_latest(gaps: Gaps) -> None:
    for text in ("once", "often", "often", "later once", "often", "twice", "twice"):
        gaps.add(text)
    assert asked(gaps) == [("often", 3), ("twice", 2), ("later once", 1), ("once", 1)]
    assert asked(gaps, 2) == [("often", 3), ("twice", 2)]
    assert asked(gaps, 0) == []


def test_the_same_text_in_another_case_or_with_blanks_around_is_the_same_as_it_was_typed_last(gaps: Gaps) -> None:
    for text in ("FAX machine", "fax machine", "  Fax Machine\n"):
        gaps.add(text)
    assert asked(gaps) == [("Fax Machine", 3)]


def test_who_asked_does_not_matter_and_is_not_told(gaps: Gaps) -> None:
    gaps.add("fax", "key:ann")
    gaps.add("fax", "key:bob")
    gaps.add("fax")
    (gap,) = gaps.latest(10)
    assert gap.times == 3
    assert "key:" not in repr(gap)


def test_it_says_when_it_was_asked_for_last_in_utc(gaps: Gaps) -> None:
    start = datetime.now(UTC)
    gaps.add("fax")
    between = datetime.now(UTC)
    gaps.add("fax")
    (gap,) = gaps.latest(1)
    assert start <= between <= gap.at <= datetime.now(UTC)
    assert gap.at.tzinfo is not None


@pytest.mark.parametrize(
    "text",
    [
        "Drucker öffnet nicht – 印刷できない 🖨️",
        "'); DROP TABLE gaps; --",
        "100 % of_it\\",
        "<script>alert(1)</script>",
        "two\nlines",
        "İstanbul ẞ",
    ],
)
def test_any_text_comes_back_as_it_was_typed(gaps: Gaps, text: str) -> None:
    gaps.add(text)
    gaps.add("another")
    gaps.add(text)
    assert asked(gaps) == [(text, 2), ("another", 1)]


def test_a_long_text_is_cut_and_counts_as_one(gaps: Gaps) -> None:
    long = "ä" * MOST_LETTERS
    gaps.add(long)
    gaps.add(long + " and more")
    gaps.add(" " * 100 + long * 50)
    assert asked(gaps) == [(long, 3)]


def test_a_desk_that_is_opened_again_has_all(gaps: Gaps, tmp_path: Path) -> None:
    gaps.add("fax")
    reopened = Gaps(Desk(tmp_path / "desk.db"))
    reopened.add("Fax")
    assert asked(reopened) == asked(gaps) == [("Fax", 2)]


def test_another_case_is_the_same_in_every_script(gaps: Gaps) -> None:
    for text in ("Drucker ÖFFNET nicht", "drucker öffnet nicht"):
        gaps.add(text)
    assert asked(gaps) == [("drucker öffnet nicht", 2)]
