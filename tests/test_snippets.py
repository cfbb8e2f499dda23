"""The piece of a passage that is shown."""

from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from indexer.language import ENGLISH
from indexer.terms import query_terms, terms
from kb_service.snippets import LENGTH, matched_words, snippet


def test_matching_words_are_marked_and_the_rest_is_escaped() -> None:
    shown = snippet("Restart <b>the</b> pods & KubePodCrashLooping", set(terms("pod restarting", ENGLISH)), ENGLISH)
    assert shown == "<mark>Restart</mark> &lt;b&gt;the&lt;/b&gt; <mark>pods</mark> &amp; KubePodCrashLooping"


def test_a_long_text_is_cut_around_what_matches() -> None:
    shown = snippet(
        "filler words " * 100 + "the spooler service stops" + " more words" * 100,
        set(terms("spooler", ENGLISH)),
        ENGLISH,
    )
    assert "<mark>spooler</mark>" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) < LENGTH + 40


def test_matched_words_are_the_query_s_own() -> None:
    asked = "Restarting PODS, ora-01017"
    assert matched_words(asked, set(terms("restart pod ORA-01017", ENGLISH)), ENGLISH) == [
        "Restarting",
        "PODS",
        "ora-01017",
    ]


@given(st.text(max_size=800), st.text(max_size=40))
def test_any_text_is_shown_safely(text: str, query: str) -> None:
    shown = snippet(text, frozenset(query_terms(query, ENGLISH)), ENGLISH)
    bare = shown.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare
    assert shown.count("<mark>") == shown.count("</mark>")
    words = "".join(unescape(bare).strip("… ").split())
    assert words in "".join(text.split()) or not words
