"""A query becomes hits; what its caller may not see changes nothing of them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import IndexMissingError
from kb_service import Query, Searcher
from kb_service.access import PUBLIC
from kb_service.completing import complete
from tests.conftest import Desk

WORDS = st.sampled_from(
    "vpn port password passkey reset error locked lockdown SLA MTTR server restart ORA-01017".split()
)
TYPED = st.sampled_from("vpm pasword passk sla mttr lokced lock restrt 1017 servr Lockdwn".split())
SENTENCE = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)
IS_PUBLIC, ANY = st.just("public"), st.sampled_from(["public", "internal"])
ARTICLE = st.tuples(ANY, st.sampled_from(["faq", "glossary"]), SENTENCE, SENTENCE)
Article = tuple[str, str, str, str]


def opened(folder: Path, articles: Mapping[int, Article]) -> Searcher:
    """Articles by number, which is their name; a glossary object is called by its first letters too."""
    desk = Desk(folder)
    for number, (audience, kind, title, text) in articles.items():
        name = f"{title.upper()[:3]} ({title})" if kind == "glossary" else title
        desk.write(f"{kind}/{number}.md", f"---\ntitle: {name}\naudience: {audience}\n---\n{text}\n")
    desk.write("faq/always.md", "---\ntitle: Always\naudience: public\n---\nport\n")
    desk.update()
    return Searcher(desk.index, desk.encoder)


@settings(max_examples=60, deadline=None)
@given(st.lists(ARTICLE, max_size=8), st.lists(st.one_of(TYPED, WORDS), min_size=1, max_size=4).map(" ".join))
def test_what_one_may_not_see_changes_nothing(articles: list[Article], text: str) -> None:
    every = dict(enumerate(articles))
    public = {number: article for number, article in every.items() if article[0] == "public"}
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        mixed, alone = opened(Path(first) / "desk", every), opened(Path(second) / "desk", public)
        asked = Query(text, sight=PUBLIC)
        ours, theirs = mixed.search(asked), alone.search(asked)
        assert [replace(hit, passage=None) for hit in ours.hits] == [replace(hit, passage=None) for hit in theirs.hits]
        assert (ours.total, ours.notes, ours.understood) == (theirs.total, theirs.notes, theirs.understood)
        assert complete(mixed.index, asked).names == complete(alone.index, asked).names


def test_a_long_report_with_an_assigned_code_is_led_by_what_holds_it(desk: Desk) -> None:
    desk.write("a.md", "---\ntitle: Login denied\n---\nORA-01017 means a wrong password.\n")
    report = "The batch host cannot print invoices since the night shift, several users of accounting wait; " * 3
    desk.write("b.md", f"---\ntitle: Printing invoices\n---\n{report}\n")
    desk.update()
    hits = Searcher(desk.index, desk.encoder).search(Query(f"Invoices\n\n{report} The log says ORA-01017.")).hits
    assert [hit.id for hit in hits] == ["a", "b"]
    assert hits[0].reasons[0].text == "exact: ora-01017"


def test_relaxed_says_that_no_article_has_all_words(desk: Desk) -> None:
    desk.write("a.md", "---\ntitle: Printer\n---\nThe printer is jammed.\n")
    desk.update()
    searcher = Searcher(desk.index, desk.encoder)
    assert not searcher.search(Query("jammed printer")).relaxed
    found = searcher.search(Query("jammed printer drum"))
    assert (found.relaxed, [hit.id for hit in found.hits]) == (True, ["a"])
    assert "No article has all of these words" in found.notes[-1]


@pytest.mark.parametrize("text", ["ORA-00942", "0000942", "0xdeadbeef 942"])
def test_a_code_that_nobody_names_finds_nothing_sure_and_says_so(desk: Desk, text: str) -> None:
    desk.write("a.md", "---\ntitle: ORA-01017\n---\nORA-01017 means a wrong password.\n")
    desk.update()
    found = Searcher(desk.index, desk.encoder).search(Query(text))
    assert all(hit.confidence == "weak" for hit in found.hits)
    assert found.notes[0] == f"No article names {text.split(maxsplit=1)[0]}."
    of_some = Query(text, facets={"type": frozenset({"howto"})})
    narrowed = Searcher(desk.index, desk.encoder).search(of_some)
    assert narrowed.notes[0].startswith("None of the articles chosen names ")


def test_what_is_excluded_is_not_found_and_counts_for_nothing(desk: Desk) -> None:
    desk.write("a.md", "---\ntitle: Printer jammed\n---\nprinter jammed\n")
    desk.write("b.md", "---\ntitle: Printer\n---\nprinter\n")
    desk.update()
    searcher = Searcher(desk.index, desk.encoder)
    assert [hit.id for hit in searcher.search(Query("printer jammed", exclude=frozenset({"a"}))).hits] == ["b"]


def test_a_search_before_anything_is_indexed_says_so(desk: Desk) -> None:
    with pytest.raises(IndexMissingError, match="Run 'kb index' first"):
        Searcher(desk.index, desk.encoder).search(Query("x"))


def test_an_answer_is_given_again_until_anything_is_published(desk: Desk) -> None:
    desk.write("a.md", "---\ntitle: Check a port\naudience: public\n---\nport port\n")
    desk.write("b.md", "---\ntitle: Another port\n---\nport\n")
    desk.update()
    searcher = Searcher(desk.index, desk.encoder)
    first, again = (searcher.search(Query("port")) for _ in range(2))
    assert first.hits is again.hits
    assert [hit.id for hit in searcher.search(Query("port", sight=PUBLIC)).hits] == ["a"]
    assert [hit.id for hit in searcher.search(Query("port", facets={"type": frozenset({"faq"})})).hits] == []
    assert [hit.id for hit in searcher.search(Query("port", limit=1)).hits] == [first.hits[0].id]
    desk.write("b.md", "---\ntitle: No more\n---\nOf ships.\n")
    desk.update()
    assert [hit.id for hit in searcher.search(Query("port")).hits] == ["a"]
