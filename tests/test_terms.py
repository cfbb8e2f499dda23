"""The words lane: terms, and scores that hidden passages do not move."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.language import ENGLISH
from indexer.terms import query_terms, terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Pods keep restarting", ["pod", "keep", "restart"]),
        ("KubePodCrashLooping", ["kube", "pod", "crash", "loop", "kubepodcrashlooping"]),
        ("ORA-01017", ["ora", "01017", "1017", "ora-01017"]),
        ("Café Straße", ["cafe", "strass"]),
        ("ERR_CONNECTION_REFUSED", ["err", "connect", "refus", "err_connection_refused"]),
        ("...", []),
        ("\u037a \ufc5e", ["\u037a", "\ufc5e"]),
        ("\ufdfa", ["صلىاللهعليهوسلم"]),
    ],
)
def test_terms(text: str, found: list[str]) -> None:
    assert terms(text, ENGLISH) == found


def test_common_words_are_asked_for_only_where_nothing_else_is() -> None:
    assert set(query_terms("what does the MTTR mean", ENGLISH)) == {"mttr", "mean"}
    assert set(query_terms("who is who", ENGLISH)) == {"who", "is"}


@given(st.text(max_size=500))
def test_any_text_has_terms_that_fts_takes_whole(text: str) -> None:
    for term in terms(text, ENGLISH):
        assert term
        assert not any(letter.isspace() for letter in term)


def test_capitals_without_end_take_no_longer() -> None:
    started = time.process_time()
    assert terms("A" * 100_000, ENGLISH) == ["a" * 100_000]
    assert time.process_time() - started < 1
