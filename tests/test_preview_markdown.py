"""The comment for a merge request: what it shows, what it never shows, and what nobody can write into it."""

import re
from collections.abc import Sequence

import pytest
from markdown_it import MarkdownIt

from indexer.errors import Problem
from indexer.merge_base import Base
from kb_service.answering import Effect, Move, Place, Question, QuestionKind, Verdict
from kb_service.article_changes import ArticleChange
from kb_service.golden import GoldenQuery
from kb_service.preview import Looked, Preview
from kb_service.preview_markdown import MARKER, code, fitting, markdown

EVIL = [
    "</details><script>alert(1)</script>",
    "![x](https://evil.example/pixel.png) [y](javascript:alert(1))",
    "`` ` ``` code",
    "`",
    "ends with `",
    "@everyone #1 !2 owner/repo#3 https://evil.example",
    "# heading\n\n- item\n/close\r\n| a | b |\n<!-- x",
    "\u202egnp.exe \x1b[31m \u200b zero\u0000",
    "*a* _b_ ~~c~~ $`x`$ &amp; &lt;b&gt; \\` \\",
    "",
]


def moved(kind: QuestionKind, text: str, number: str = "") -> Move:
    return Move(Question(kind, text, number), Place(1, "strong"), Place(5, "weak"), "b")


def made(text: str, lost: Sequence[Move] = (), articles: int = 1, *, others: bool = False, refused: int = 1) -> Preview:
    """A preview in which all that others may write is this text."""
    changes = tuple(
        ArticleChange("changed", f"a{number}{text}", text, f"{text}.md", text, "a") for number in range(articles)
    )
    effect = Effect(lost=tuple(lost))
    golden = GoldenQuery(text, text, text, 7)
    verdict = Verdict(golden, "b", "broken", Place(1, "strong"), None, ("b",), text)
    effects = {change.id: effect for change in changes} | ({"b": effect} if others else {})
    return Preview(
        base=Base(text, "0123456789abcdef" * 2),
        refused=(Problem(text, 3, text, text),) * refused,
        problems=(Problem("queries.yaml", 2, text, text),),
        changes=changes,
        effects=effects,
        verdicts=(verdict,),
        dropped=(golden,),
        added=1,
        titles={"b": text} | {change.id: text for change in changes},
        looked=Looked(1, 1, 1, 1, is_sample=False, seconds=0.1),
    )


@pytest.mark.parametrize("text", EVIL)
def test_what_others_write_is_only_text(text: str) -> None:
    moves = [moved("golden", text), moved("incident", text, "INC1"), moved("search", text)]
    said = markdown(made(text, moves, others=True), with_searches=True)
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(said)
    inline = [child.type for token in tokens for child in token.children or []]
    assert set(inline) <= {"text", "code_inline", "softbreak", "strong_open", "strong_close"}
    assert {token.type for token in tokens} <= {
        "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "html_block",
        "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
    }  # fmt: skip
    html = [token.content.rstrip("\n") for token in tokens if token.type == "html_block"]
    summary = r"<details><summary>(changed )?<code>[^<>]*</code>: answers 3 fewer</summary>"
    assert [one for one in html if not re.fullmatch(rf"{MARKER}|{summary}|</details>", one)] == []
    outside = [child.content for token in tokens for child in token.children or [] if child.type == "text"]
    assert not re.search(r"[@#!]|https?:|evil|heading|zero", "".join(outside)), "nobody is called, nothing is linked"
    assert html.count("</details>") == 2
    assert all(character.isprintable() or character == "\n" for character in said)


def test_a_summary_is_html_and_its_text_is_escaped() -> None:
    said = markdown(made("<b>bold</b> & co"))
    assert "<summary>changed <code>&lt;b&gt;bold&lt;/b&gt; &amp; co</code>: answers" in said


@pytest.mark.parametrize("text", EVIL)
def test_a_code_span_holds_any_text(text: str) -> None:
    (paragraph,) = (token for token in MarkdownIt().parse(f"- {code(text)} after") if token.type == "inline")
    span, after = paragraph.children or []
    assert (span.type, after.content) == ("code_inline", " after")
    assert span.content.split() == "".join(one if one.isprintable() else " " for one in text).split()


def test_it_begins_with_the_line_by_which_it_is_found_again() -> None:
    assert markdown(made("x")).splitlines()[0] == MARKER == "<!-- kb preview -->"


def test_what_incidents_say_is_never_shown_and_searches_only_when_asked_for() -> None:
    moves = [
        moved("incident", "Jane Doe, born 1970", "INC1"),
        moved("search", "jane doe pw"),
        moved("search", "KNOWN "),
    ]
    found = made("known", moves)
    said = markdown(found)
    assert "- `INC1` 1 strong → 5 weak; first now `known`" in said
    assert "- `KNOWN` 1 strong" in said, "a golden query is no secret"
    assert "- 1 search of the desk, not shown here" in said
    assert "jane" not in said.casefold()
    with_searches = markdown(found, with_searches=True)
    assert "- `jane doe pw` 1 strong" in with_searches
    assert "born" not in with_searches


def test_a_long_list_is_cut() -> None:
    said = markdown(made("x", [moved("incident", "text", f"INC{number}") for number in range(15)]))
    assert said.count("- `INC") == 10
    assert "- 5 more" in said


@pytest.mark.parametrize("letter", ["x", "😀"])
def test_however_much_there_is_it_fits(letter: str) -> None:
    moves = [moved("golden", letter * 500) for _ in range(10)]
    said = markdown(made(letter * 500, moves, articles=200, others=True, refused=5))
    assert 30_000 < len(said.encode("utf-16-le")) // 2 <= 65_000
    assert said.count("<details>") == said.count("</details>") > 3
    (left_out,) = re.findall(
        r"\*There is no room here: (\d+) more entries are shown by `kb preview` in a clone\.\*", said
    )
    assert int(left_out) + said.count("<details>") == 201
    assert said.endswith("; 0.1 s\n")


def test_a_heading_stands_once_above_its_parts() -> None:
    blocks = [("Golden queries", "- a"), ("Golden queries", "- b"), ("Articles", "<p>c</p>"), ("Articles", "<p>d</p>")]
    assert fitting("head", blocks, "\nfoot", 1_000) == (
        "head\n\n#### Golden queries\n\n- a\n- b\n\n#### Articles\n\n<p>c</p>\n\n<p>d</p>\nfoot"
    )
