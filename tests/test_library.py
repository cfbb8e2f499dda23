"""What the checks look at of an article, with the right lines."""

from datetime import date

import pytest

from indexer.knowledge import KnowledgeObject, parse
from indexer.library import Article, article_of, read_library
from indexer.source import WorkingTree
from tests.conftest import Desk


def article(text: str) -> Article:
    knowledge = parse("a/b.md", text.encode())
    assert isinstance(knowledge, KnowledgeObject), knowledge
    return article_of(knowledge, text)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("[a](b.md)", [("b.md", 1)]),
        ("---\ntitle: T\n---\n\nfirst\nand [a](b.md) and\n[c](d.md#e)", [("b.md", 6), ("d.md#e", 7)]),
        ("a `code\nover lines` and\n[x](y.md)", [("y.md", 3)]),
        ("[text over\nlines](y.md) then [z](y.md)", [("y.md", 2), ("y.md", 2)]),
        ("| a | b |\n|---|---|\n| x | [c](d.md) |", [("d.md", 3)]),
        ("- one\n- two\n  [c](d.md)\n\n  > [e](f.md)", [("d.md", 3), ("f.md", 5)]),
        ("!!! note\n    text\n    ![p](q.png)", [("q.png", 3)]),
        ("# Head [a](b.md)\n\n## Next", [("b.md", 1)]),
        ("see [a][r]\n\n[r]: b.md", [("b.md", 1)]),
        ("text\n[a][nowhere]", [("nowhere", 2)]),
        ("[a b](<c d.md>)\n[ä](ä.md)", [("c%20d.md", 1), ("%C3%A4.md", 2)]),
        ("`[a](b.md)`\n\n    [c](d.md)\n\n```\n[e](f.md)\n```\n\\[g][h]", []),
    ],
)
def test_links_have_their_line(text: str, links: list[tuple[str, int]]) -> None:
    assert [(link.target, link.line) for link in article(text).links] == links


def test_code_and_targets_are_blanked_and_everything_else_keeps_its_place() -> None:
    (prose,) = article("Run `ls -l` and\n``a ` b`` see [x](y.md)\nor <https://z.org> DNS").prose
    assert prose.text == "Run         and\n          see [x]      \nor                 DNS"
    assert prose.line_at(prose.text.index("DNS")) == 3


def test_headings_are_no_prose_and_sections_have_their_line() -> None:
    found = article("---\ntitle: T\n---\nfirst\n\n## A\n\ntext\n\nB\n-\n")
    assert list(zip([one.title for one in found.sections], found.section_lines, strict=True)) == [
        ("", 4),
        ("A", 6),
        ("B", 10),
    ]
    assert [(prose.text, prose.line) for prose in found.prose] == [("first", 4), ("text", 8)]
    assert found.anchor_line("b") == 10


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [("title", "", 2), ("owner", "", 3), ("related", "", 4), ("related", "x/two", 6), ("tags", "", 1), ("id", "q", 1)],
)
def test_keys_of_the_front_matter_have_their_line(key: str, value: str, line: int) -> None:
    text = "---\n'title': T\nowner: o\nrelated:\n  - x/one\n  - x/two\n---\ntags: none\nid: q"
    assert article(text).line_of(key, value) == line


def test_a_title_is_where_it_was_taken_from() -> None:
    assert article("---\ntitle: T\n---\n# T").line_of_title() == 2
    assert article("text\n\n# T").line_of_title() == 3
    assert article("text").line_of_title() == 1


def test_carriage_returns_and_a_byte_order_mark_change_no_line(desk: Desk) -> None:
    (desk.content / "a.md").write_bytes(b"\xef\xbb\xbf---\r\ntitle: T\r\n---\r\n\r\n[a](b.md)\r\n")
    library = read_library(WorkingTree(desk.content), date(2026, 7, 1))
    assert [(link.target, link.line) for link in library.articles["a.md"].links] == [("b.md", 5)]
