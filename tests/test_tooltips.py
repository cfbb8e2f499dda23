"""Terms explained where an article says them: once each, and neither in links, nor in code, nor in headings."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.html import render_html
from indexer.language import ENGLISH
from indexer.markdown import parse_markdown
from kb_service import Searcher
from kb_service.access import EVERYTHING, INTERNAL, PUBLIC
from kb_service.glossary import Lexicon, Term
from kb_service.tooltips import with_tooltips
from tests.conftest import Desk

MTTR = Term("MTTR", ("MTTR", "mean time to resolve"), "How long\nit takes.", "glossary/mttr", "mttr")
SLA = Term("SLA", ("SLA", "service level agreement"), "What is agreed.", "glossary/sla", "")
LEXICON = Lexicon([MTTR, SLA], ENGLISH)
_TIP = re.compile(r'<a class="term" href="[^"]*" aria-describedby="[^"]*">(.*?)</a><span class="tip"[^>]*>.*?</span>')


def html(text: str) -> str:
    return render_html(parse_markdown(text), lambda target: target)


def shown(text: str, article: str = "faq/x", lexicon: Lexicon = LEXICON) -> str:
    return with_tooltips(html(text), lexicon, article)


def explained(text: str) -> list[str]:
    return _TIP.findall(shown(text))


def test_a_term_links_to_its_definition_and_is_described_by_it() -> None:
    assert shown("The MTTR is short.") == (
        '<p>The <a class="term" href="/a/glossary/mttr#mttr" aria-describedby="term:1">MTTR</a>'
        '<span class="tip" role="tooltip" id="term:1">MTTR, mean time to resolve: How long it takes.</span>'
        " is short.</p>\n"
    )


def test_a_term_is_explained_where_it_is_said_first_by_whatever_name() -> None:
    assert explained("The MTTR, **MTTR**.\n\n- mean time to resolve\n- SLA") == ["MTTR", "SLA"]
    assert explained("A mean time to resolve is an MTTR.") == ["mean time to resolve"]
    assert re.findall(r'id="(term:\d)"', shown("SLA and MTTR")) == ["term:1", "term:2"]


@pytest.mark.parametrize(
    "text",
    [
        "[the MTTR](there.md)", "[the **MTTR** of it](there.md)", "<https://example.org/MTTR>", "`MTTR`",
        "```\nMTTR\n```", "```python\nMTTR = 1\n```", "    MTTR", "# MTTR", "###### The *MTTR*", "![MTTR](a.png)",
        '![a > MTTR " onerror=x](a.png "MTTR")', "mttr", "XMTTRX", "nothing of it", "",
    ],
)  # fmt: skip
def test_links_code_headings_and_pictures_are_left_as_they_are(text: str) -> None:
    assert shown(text) == html(text)


def test_what_comes_after_a_link_code_or_heading_is_explained_again() -> None:
    assert explained("# MTTR\n\n[MTTR](u) `MTTR` ![MTTR](a.png) MTTR") == ["MTTR"]
    assert explained("| MTTR | `SLA` |\n|---|---|\n| x | SLA |") == ["MTTR", "SLA"]


def test_an_article_does_not_explain_its_own_terms() -> None:
    assert shown("MTTR and SLA", "glossary/mttr").count('class="tip"') == 1
    assert "glossary/mttr" not in shown("MTTR and SLA", "glossary/mttr")


def test_all_meanings_of_a_term_are_in_one_tip() -> None:
    other = Term("SLA", ("SLA", "second line analyst"), "A person.", "glossary/person", "")
    found = shown("The SLA.", lexicon=Lexicon([SLA, other], ENGLISH))
    assert found.count('class="tip"') == 1
    assert "SLA, service level agreement: What is agreed. / SLA, second line analyst: A person." in found


def test_a_definition_is_text_whatever_it_says() -> None:
    hostile = Term("EVIL", ("EVIL", '<b>"x"'), "<script>alert(1)</script> & \"'", 'g/"><script>', '"><script>')
    found = shown("An EVIL term.", lexicon=Lexicon([hostile], ENGLISH))
    assert "<script" not in found
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;&#x27;" in found
    assert re.findall(r"<[^>]*>", found)[1] == (
        '<a class="term" href="/a/g/%22%3E%3Cscript%3E#%22%3E%3Cscript%3E" aria-describedby="term:1">'
    )


def test_what_stands_around_a_term_stays_escaped() -> None:
    found = shown("<i> MTTR <b> SLA <script>alert(1)</script>")
    assert _TIP.sub(r"\1", found) == "<p>&lt;i&gt; MTTR &lt;b&gt; SLA &lt;script&gt;alert(1)&lt;/script&gt;</p>\n"


def test_a_long_definition_is_cut() -> None:
    long = Term("LONG", ("LONG",), "wörd " * 1_000, "glossary/long", "")
    (tip,) = re.findall(r'<span class="tip"[^>]*>(.*)</span>', shown("LONG", lexicon=Lexicon([long], ENGLISH)))
    assert len(tip) <= 302
    assert tip.endswith("wörd …")


def test_of_very_many_terms_the_first_are_explained() -> None:
    names = [f"{a}{b}Q" for a in "ABCDEFGH" for b in "ABCDEFGHIJ"]
    many = Lexicon([Term(name, (name,), "It is.", f"glossary/{name}", "") for name in names], ENGLISH)
    assert shown("\n\n".join(names), lexicon=many).count('class="tip"') == 40


PIECES = st.sampled_from(
    ["MTTR", "SLA", "<b>", "&amp;", "&", "`", "**", "[", "](u)", "\n\n", "# ", "> ", '"', "é", " "]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_without_the_tips_the_html_is_what_it_was(text: str) -> None:
    assert _TIP.sub(r"\1", shown(text)).replace("&quot;", '"') == html(text).replace("&quot;", '"')


def test_one_sees_only_the_terms_that_one_may_see(desk: Desk) -> None:
    for name, front in {"MTTR": "audience: public", "SLA": "", "OLA": "audience: restricted"}.items():
        desk.write(f"glossary/{name}.md", f"---\ntitle: {name}\n{front}\n---\nSecret of {name}.\n")
    desk.write("glossary/RFP.md", "---\ntitle: RFP\naudience: public\nworkflow_state: draft\n---\nSecret of RFP.\n")
    desk.update()
    searcher = Searcher(desk.index, desk.encoder)
    for sight, seen in ((PUBLIC, {"MTTR"}), (INTERNAL, {"MTTR", "SLA"}), (EVERYTHING, {"MTTR", "SLA", "OLA"})):
        found = with_tooltips("<p>MTTR SLA OLA RFP</p>", searcher.lexicon(sight), "faq/x")
        assert set(re.findall(r"Secret of (\w+)", found)) == seen
