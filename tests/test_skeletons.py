"""Skeletons of articles: their guidance is told from content, and fits how our own content is put together."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.frontmatter import KnowledgeType
from indexer.knowledge import KnowledgeObject, parse
from indexer.markdown import parse_markdown
from indexer.skeletons import PENCIL, SKELETONS, body_of, guidance_left
from tests.test_content import known

KINDS = get_args(KnowledgeType)


def headings(body: str) -> list[str]:
    return [section.title for section in parse_markdown(body).sections if section.level == 2]


@pytest.mark.parametrize("kind", KINDS)
def test_every_section_asks_something_and_all_of_it_is_found_again(kind: KnowledgeType) -> None:
    body = body_of(kind)
    asked = [line for section in SKELETONS[kind] for line in section.guidance]
    lines = body.split("\n")
    assert [lines[number - 1] for number in guidance_left(body)] == [f"> {PENCIL} {line}" for line in asked]
    assert all(section.guidance for section in SKELETONS[kind])
    assert headings(body) == [section.heading for section in SKELETONS[kind] if section.heading]


@pytest.mark.parametrize("kind", ["runbook", "known-error"])
def test_the_sections_are_those_of_our_own_content(kind: KnowledgeType) -> None:
    ours = [set(headings(one.body)) for one in known().values() if one.type == kind]
    shared = set.intersection(*ours)
    assert shared
    assert shared <= {section.heading for section in SKELETONS[kind]}


def test_a_skeleton_is_taken_for_the_type_it_is_of() -> None:
    parsed = parse("anywhere/x.md", f"# T\n\n{body_of('runbook')}".encode())
    assert isinstance(parsed, KnowledgeObject)
    assert parsed.type == "runbook"


def test_nothing_of_our_own_content_is_guidance() -> None:
    assert {path: guidance_left(one.body) for path, one in known().items() if guidance_left(one.body)} == {}


QUESTION = SKELETONS["runbook"][0].guidance[0]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (f"Text\n\n> {PENCIL} my own reminder", [3]),
        (QUESTION, [1]),
        (f"1. {QUESTION}\n2. Real step", [1]),
        (f"- [ ] box\n- {PENCIL} x\n", [2]),
        (f"```text\n> {PENCIL} shown as an example\n```\n\n    > {PENCIL} code too\n\n{PENCIL} this one", [7]),
        (f"Use the {PENCIL} to edit.", []),
        ("", []),
    ],
)
def test_guidance_is_told_by_its_pencil_or_its_words(body: str, lines: list[int]) -> None:
    assert guidance_left(body) == lines


def test_what_is_known_stands_before_the_question_that_it_answers_in_part() -> None:
    body = body_of("known-error", {"Cause": "The certificate had expired."})
    assert "## Cause\n\nThe certificate had expired.\n\n> " in body
    assert len(guidance_left(body)) == len(guidance_left(body_of("known-error")))


@given(st.text())
def test_any_text_can_be_asked(text: str) -> None:
    assert all(1 <= number <= text.count("\n") + 1 for number in guidance_left(text))
