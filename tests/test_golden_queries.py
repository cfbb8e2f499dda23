"""The file of golden queries: what it may hold, and what is said of a wrong one, at its line."""

import pytest

from kb_service.golden import GoldenQuery, read_golden
from tests.conftest import CONTENT


def test_values_are_taken_as_they_are_written() -> None:
    text = """\ufeff# What agents type
- query:   "C: drive is
    full"
  article: runbooks/disk-full
- {article: KB0017, query: 0123, note: "a number, no one's"}
- query: no
  article: yes
"""
    golden, problems = read_golden(text.encode())
    assert problems == []
    assert golden == [
        GoldenQuery("C: drive is full", "runbooks/disk-full", "", 2),
        GoldenQuery("0123", "KB0017", "a number, no one's", 5),
        GoldenQuery("no", "yes", "", 6),
    ]


@pytest.mark.parametrize("text", ["", "# only a comment", "---\n"])
def test_none_is_no_problem(text: str) -> None:
    assert read_golden(text.encode()) == ([], [])


GOOD = "- query: fine\n  article: a\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("query: a\narticle: b", "queries.yaml:1: is no list of queries. Write '- query: what agents type'"),
        (f"{GOOD}- runbooks/x", "queries.yaml:3: is no query with its article. Write"),
        (f"{GOOD}- query: a", "queries.yaml:3: article is missing. Write"),
        (f"{GOOD}- query:\n  article: b", "queries.yaml:3: query is empty. Write"),
        (
            f"{GOOD}- query: a\n  artcle: b\n  article: b",
            "queries.yaml:4: 'artcle' is no key of a golden query. 'article'",
        ),
        (f"{GOOD}- query: a\n  article: [b, c]", "queries.yaml:4: article is not one line of text. Write"),
        (f"{GOOD}- query: a\n  query: b\n  article: c", "queries.yaml:4: 'query' stands twice in one query. Keep one"),
        (f"{GOOD}- query: FINE\n  article: a", "queries.yaml:3: 'FINE' stands twice. Keep one; the first is line 1"),
        (
            "[{query: fine, article: a}, {query: fine, article: a}]",
            "queries.yaml:1: 'fine' stands twice. Keep one; the first is line 1",
        ),
    ],
)
def test_one_wrong_query_is_said_with_its_line_and_the_others_count(text: str, said: str) -> None:
    golden, problems = read_golden(text.encode())
    assert [str(problem)[: len(said)] for problem in problems] == [said]
    assert [one.query for one in golden] == (["fine"] if "fine" in text else [])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b"\n- query: drive C: is full",
            "queries.yaml:2: broken YAML: mapping values are not allowed here. Mend it; quote",
        ),
        (b"- query: x\n\tarticle: b", "queries.yaml:2: broken YAML: while scanning"),
        (b"- a\n---\n- b", "queries.yaml:2: broken YAML: expected a single document"),
        (b"\n- query: \xff", "queries.yaml:2: byte 10 is not UTF-8. Save the file as UTF-8"),
        (b"\n\n- query: \x1b[31m", "queries.yaml:3: holds a control character, so it is not text. Remove it"),
        (b"[" * 1_500, "queries.yaml:1: broken YAML:"),
        (b"#" * 1_048_577, "queries.yaml:1: the file is over 1,048,576 bytes. Keep fewer queries"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_with_its_line(data: bytes, said: str) -> None:
    golden, (problem,) = read_golden(data)
    assert golden == []
    assert str(problem).startswith(said)


def test_the_same_query_may_have_two_articles() -> None:
    golden, problems = read_golden(b"- {query: a, article: b}\n- {query: a, article: c}")
    assert ([one.article for one in golden], problems) == (["b", "c"], [])


def test_our_own_are_whole() -> None:
    golden, problems = read_golden((CONTENT / "queries.yaml").read_bytes())
    assert problems == []
    assert len(golden) >= 40
