"""Sections, anchors, plain text, safe HTML."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it.parser_inline import ParserInline

from indexer import markdown
from indexer.html import render_html
from indexer.markdown import parse_markdown, parser, plain, slug


def render(text: str) -> str:
    return render_html(parse_markdown(text), lambda target: target)


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Check the port", "check-the-port"),
        ("What is an SLA?", "what-is-an-sla"),
        ("L1/L2/L3 – explained", "l1l2l3--explained"),
        ("Größe prüfen", "größe-prüfen"),
    ],
)
def test_anchors_are_github_s(heading: str, anchor: str) -> None:
    assert slug(heading) == anchor


def test_the_second_heading_of_a_name_has_an_anchor_of_its_own() -> None:
    sections = parse_markdown("## Steps\n\na\n\n## Steps\n\nb\n\n## Other {#mine}\n\nc").sections
    assert [section.anchor for section in sections[1:]] == ["steps", "steps-1", "mine"]
    assert sections[3].title == "Other"


def test_a_heading_that_is_called_as_the_second_of_a_name_would_be_has_an_anchor_of_its_own() -> None:
    sections = parse_markdown("## Steps\n\n## Steps\n\n## Steps-1\n\n## Steps\n\n## Other {#steps}\n").sections
    assert [section.anchor for section in sections[1:]] == ["steps", "steps-1", "steps-1-1", "steps-2", "steps-3"]


def test_headings_in_html_have_the_anchors_that_passages_name() -> None:
    document = parse_markdown("## Check `port` 80\n\ntext\n\n### Below\n\nmore")
    html = render_html(document, lambda target: target)
    for section in document.sections[1:]:
        assert f'id="{section.anchor}"' in html


def test_a_heading_path_forgets_deeper_and_equal_levels() -> None:
    sections = parse_markdown("# A\n## B\n### C\n## D\n# E\n").sections
    assert [section.path for section in sections[1:]] == [("A",), ("A", "B"), ("A", "B", "C"), ("A", "D"), ("E",)]


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](javascript:alert(1))",
        "<svg/onload=alert(1)>",
        "[x](http://example.com 'onmouseover=alert(1)')",
        "`<script>`",
        "```html\n<script>alert(1)</script>\n```",
        '<a href="x" onclick="alert(1)">x</a>',
        "<iframe src=//example.com></iframe>",
    ],
)
def test_nothing_hostile_becomes_markup(hostile: str) -> None:
    html = render(hostile).lower()
    for forbidden in (
        "<script",
        '<img src="x"',
        "<svg",
        "<iframe",
        'href="javascript',
        'src="javascript',
        'href="data',
    ):
        assert forbidden not in html
    assert " onclick=" not in html.replace("&quot;", "").split(">")[0]


def test_code_is_highlighted_and_links_open_safely() -> None:
    html = render("```bash\nls -l | grep x\n```\n\n[a](https://example.com)")
    assert '<span class="' in html
    assert 'rel="noopener noreferrer"' in html


def test_a_block_is_called_nothing_that_a_page_calls_its_parts() -> None:
    html = render('!!! hidden banner warning "Mind"\n    x\n\n::: note hidden\ny\n:::\n\n```hits\nz\n```')
    assert re.findall('class="([^"]*)"', html) == [
        "admonition warning", "admonition-title", "note", "language-hits"
    ]  # fmt: skip


def test_only_files_of_the_content_are_loaded_with_it() -> None:
    html = render("![a](/media/a.png) ![b](http://example.com/b.png) ![c](//example.com/c.png) ![d](/api/me) ![e](#e)")
    assert re.findall('src="([^"]*)"', html) == ["/media/a.png"]
    assert html.count("<img alt=") == 5


def test_a_link_that_leads_nowhere_keeps_its_text() -> None:
    html = render_html(parse_markdown("[gone](gone.md) [there](there.md)"), {"there.md": "/a/there"}.get)
    assert "gone</a>" in html
    assert "gone.md" not in html
    assert 'href="/a/there"' in html


def test_tasks_have_boxes() -> None:
    html = render("- [ ] to do\n- [x] done\n- else\n\n1. # [ ] a heading\n")
    assert html.count("<input") == 2
    assert html.count('checked=""') + html.count('checked="checked"') == 1
    assert '<ul class="contains-task-list">' in html
    assert "[ ] a heading" in html


def test_what_is_no_text_is_left_out_and_what_is_never_closed_stays() -> None:
    text = "a <!-- gone --> b <br> c {{< gone >}} d <% gone %> [e]({{< gone >}}) <!-- f"
    (section,) = parse_markdown(text).sections
    assert [block.text for block in section.blocks] == ["a b c d e <!-- f"]


@pytest.mark.parametrize("line", ["12:00 [INFO] up", "12:00 [INFO][main] up"])
def test_ordinary_brackets_leave_an_article_its_links(line: str) -> None:
    assert 'href="b.md"' in render(f"{line}\n" * 5_000 + "\nSee [a](b.md).\n\n[c]: d.md\n")


@pytest.mark.breaking
@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000, "> " * 5_000 + "x", "- " * 5_000, "*a " * 20_000, "|a" * 10_000 + "\n", "[" * 900_000,
        "![" * 50_000 + "a" + "](b)" * 50_000, "[a](<" * 100_000, "<!-- " * 90_000, "{{<" * 90_000, "[a]({{" * 90_000,
        "<%" * 90_000, "# a" + " " * 90_000 + "b", "- [ ] a\n" * 15_000,
        "[a]: " + "b" * 100_000 + "\n\n" + "[a] " * 20_000, "[a](" * 90_000, "[INFO] up\n" * 90_000,
        "[a]: b\n\n" + "[x][" * 90_000, "[" * 90_000 + "]" * 90_000, "[a](b " * 90_000, "![a](b " * 90_000,
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_nesting_without_end_is_read_in_a_moment(text: str) -> None:
    started = time.thread_time()
    html = render(text)
    assert time.thread_time() - started < 5
    assert len(html) < 10_000_000


_PIECES = (
    "&amp;", "http://a.b", "[x](y)", "![i](j.png)", "<http://q.r>", "<!--", "-->", "{{<", ">}}", "[x]({{ y }})",
    "**b**", "- [ ] t", "[r]: u\n", "| a | b |\n|---|---|\n",
)  # fmt: skip
_MARKUP = st.sampled_from([*'ab  \t\n[](){}<>!*_~`#-+=:&;|\\"@$%^', *_PIECES])


@contextmanager
def _every_sign_ends_a_text() -> Iterator[None]:
    inline = parser().inline
    own, inline.terminator_re = inline.terminator_re, ParserInline().terminator_re
    try:
        yield
    finally:
        inline.terminator_re = own


@given(st.lists(_MARKUP, max_size=40).map("".join))
@example("a - b: c @ d # e = f + g $ h % i ^ j {k} > l")
@example("[a ![b](c) d](e) <f> &lt; `g` ~~h~~ **i** _j_ \\k  \nl")
def test_signs_that_no_rule_wants_are_text(text: str) -> None:
    found = parser().parse(text)
    with _every_sign_ends_a_text():
        assert [token.as_dict() for token in parser().parse(text)] == [token.as_dict() for token in found]


@given(st.lists(_MARKUP, max_size=40).map("".join))
@example("a [x]({{ y }}) b")
@example("{{% note %}} a")
@example("a <b> c")
@example("a \t b")
def test_a_text_with_nothing_to_take_out_is_the_same_without_a_look(text: str) -> None:
    inlines = [token for token in parser().parse(text) if token.type == "inline"]
    found = list(map(plain, inlines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markdown, "_UNREAD", re.compile(""))
        assert list(map(plain, inlines)) == found
