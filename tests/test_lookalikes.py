"""Ids that look alike are told apart for people, by ``kb check`` and at a publish."""

import pytest

from indexer.frontmatter import read
from indexer.lookalikes import has_unseen, skeleton, unlike
from tests.conftest import Desk

CYRILLIC_A = "\u0430"


@pytest.mark.parametrize(
    ("text", "other", "what"),
    [
        (f"vpn/p{CYRILLIC_A}ss", "vpn/pass", "it has CYRILLIC SMALL LETTER A (U+0430)"),
        ("\u0391", "A", "it has GREEK CAPITAL LETTER ALPHA (U+0391)"),
        ("\uff21B", "AB", "it has FULLWIDTH LATIN CAPITAL LETTER A (U+FF21)"),
        ("e\u0301", "\u00e9", "its accents are written in another way"),
        ("a\u2010b", "a-b", "it has HYPHEN (U+2010)"),
        (f"{CYRILLIC_A}a", f"a{CYRILLIC_A}", "it has CYRILLIC SMALL LETTER A (U+0430)"),
        ("\ufb01le", "file", "it has LATIN SMALL LIGATURE FI (U+FB01)"),
        ("pass", f"p{CYRILLIC_A}ss", "that has CYRILLIC SMALL LETTER A (U+0430)"),
    ],
)
def test_texts_that_look_alike_have_one_skeleton(text: str, other: str, what: str) -> None:
    assert skeleton(text) == skeleton(other)
    assert unlike(text, other) == what


@pytest.mark.parametrize(
    ("text", "other"), [("größe", "grosse"), ("kb-10", "kb-lo"), ("ж", "x"), ("é", "e"), ("A", "a")]
)
def test_what_people_tell_apart_has_skeletons_of_its_own(text: str, other: str) -> None:
    assert skeleton(text) != skeleton(other)


@pytest.mark.parametrize("unseen", ["\u200b", "\u202e", "\u2066", "\u00ad", "\ufeff", "\u3164", "\u2800", "\u115f"])
def test_an_id_with_what_cannot_be_seen_is_refused(unseen: str) -> None:
    assert has_unseen(f"a{unseen}b")
    found = read("a.md", f'id: "a{unseen}b"\n')
    assert isinstance(found, list)
    (problem,) = found
    assert "characters that cannot be seen" in str(problem)
    assert str(problem).startswith("a.md:2:")


def test_a_sign_that_emoji_need_is_no_fault() -> None:
    assert not has_unseen("\u26a0\ufe0f")


def test_a_look_alike_is_refused_and_what_is_live_stays(desk: Desk) -> None:
    desk.write("faq/pass.md", "# Reset a password\n")
    assert desk.update().refused == 0
    desk.write(f"faq/p{CYRILLIC_A}ss.md", "# Send your password to me\n")
    desk.write("other.md", "---\nid: ma\u0456l\n---\n# Mail\n")
    desk.write("mail.md", "# Mail\n")
    (first, second) = desk.update().refusals
    assert str(first).startswith(
        f"faq/p{CYRILLIC_A}ss.md:1: the id 'faq/p{CYRILLIC_A}ss' looks like 'faq/pass' and is another:"
        " it has CYRILLIC SMALL LETTER A (U+0430)"
    )
    assert second.path == "other.md"
    (desk.content / "faq" / "pass.md").unlink()
    assert [problem.path for problem in desk.update().refusals] == ["other.md"], "it is alone now"


def test_where_the_look_alike_was_first_the_other_is_refused(desk: Desk) -> None:
    desk.write(f"p{CYRILLIC_A}ss.md", "# One\n")
    assert desk.update().refused == 0
    desk.write("pass.md", "# Two\n")
    (refused,) = desk.update().refusals
    assert refused.path == "pass.md"
    assert "that has CYRILLIC SMALL LETTER A" in refused.problem


def test_accents_in_two_ways_are_twins(desk: Desk) -> None:
    desk.write("e\u0301t\u00e9.md", "# One\n")
    desk.write("\u00e9t\u00e9.md", "# Two\n")
    report = desk.update()
    assert (report.objects, report.refused) == (1, 1)
    assert "its accents are written in another way" in report.refusals[0].problem
