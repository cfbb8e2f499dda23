"""SECURITY.md says of every item of ASVS 5.0 up to level 2 what holds it, and what it names is there."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
# Numbers of the items of levels 1 and 2 in each section (OWASP ASVS 5.0.0, CC BY-SA 4.0)
ITEMS = {
    "1.1": "1-2", "1.2": "1-9", "1.3": "1-11", "1.4": "1-3", "1.5": "1-2", "2.1": "1-3", "2.2": "1-3", "2.3": "1-4",
    "2.4": "1", "3.2": "1-2", "3.3": "1-4", "3.4": "1-6", "3.5": "1-5", "3.7": "1-2", "4.1": "1-3", "4.2": "1",
    "4.3": "1-2", "4.4": "1-4", "5.1": "1", "5.2": "1-3", "5.3": "1-2", "5.4": "1-3", "6.1": "1-3", "6.2": "1-12",
    "6.3": "1-4", "6.4": "1-4", "6.5": "1-5", "6.6": "1-3", "6.8": "1-4", "7.1": "1-3", "7.2": "1-4", "7.3": "1-2",
    "7.4": "1-5", "7.5": "1-2", "7.6": "1-2", "8.1": "1-2", "8.2": "1-3", "8.3": "1", "8.4": "1", "9.1": "1-3",
    "9.2": "1-4", "10.1": "1-2", "10.2": "1-2", "10.3": "1-4", "10.4": "1-11", "10.5": "1-5", "10.6": "1-2",
    "10.7": "1-3", "11.1": "1-2", "11.2": "1-3", "11.3": "1-3", "11.4": "1-4", "11.5": "1", "11.6": "1", "12.1": "1-3",
    "12.2": "1-2", "12.3": "1-4", "13.1": "1", "13.2": "1-5", "13.3": "1-2", "13.4": "1-5", "14.1": "1-2",
    "14.2": "1-4", "14.3": "1-3", "15.1": "1-3", "15.2": "1-3", "15.3": "1-7", "16.1": "1", "16.2": "1-5",
    "16.3": "1-4", "16.4": "1-3", "16.5": "1-3", "17.1": "1", "17.2": "1-4", "17.3": "1-2",
}  # fmt: skip


def items() -> Iterator[str]:
    for section, numbers in ITEMS.items():
        first, _, last = numbers.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"V{section}.{number}"


def rows() -> list[list[str]]:
    lines = (line for line in TEXT.splitlines() if line.startswith("| V"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_no_item_is_left_out_or_told_twice() -> None:
    told = Counter(item for row in rows() for item in row[0].split(", "))
    assert told == Counter(items())


def test_each_row_says_what_holds_it_or_why_it_does_not_apply() -> None:
    for what, said, *held in rows():
        assert len(held) == 1, what
        assert said, what


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(tests/[^`]+\.py)(?:::[^`]*)?`", TEXT))))
def test_the_files_of_tests_that_it_names_are_there(named: str) -> None:
    text = (ROOT / named).read_text("utf-8")
    for test in re.findall(rf"`{re.escape(named)}::([^`]+)`", TEXT):
        assert f"def {test}(" in text, test
