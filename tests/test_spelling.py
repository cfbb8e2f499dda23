"""Mistyped and half-written words, mended from what the caller may see and from nothing else."""

from pathlib import Path

import pytest

from indexer import Filter, Owner, PassageIndex
from indexer.spelling import Spelling
from tests.test_index import NOW, PUBLIC, make, put

EVERYONE = Filter(frozenset({"public", "internal"}), NOW)


@pytest.fixture
def index(tmp_path: Path) -> PassageIndex:
    index = make(tmp_path)
    put(
        index,
        Owner("a", frozenset({"public"})),
        ["Account locked out", "The account was locked after certificates expired"],
    )
    put(
        index,
        Owner("b", frozenset({"public"})),
        ["Passwords", "Reset the password, restart, change the password again"],
    )
    put(index, Owner("c", frozenset({"internal"})), ["Passkeys", "A secret of the lockdown: passkeys restarted"])
    return index


def spelling(index: PassageIndex, wanted: Filter = PUBLIC) -> Spelling:
    with index.snapshot() as snapshot:
        return snapshot.spelling(index.connection, wanted)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("acount", "account"),
        ("lokced", "locked"),
        ("pasword", "password"),
        ("Pasword", "password"),
        ("certifcaets", "certificates"),
        ("pssword", "password"),
        ("bassword", None),  # another first letter is mostly another word
        ("loc", None),
        ("acnuot", None),
        ("xylophone", None),
        ("", None),
    ],
)
def test_a_slip_is_mended(index: PassageIndex, typed: str, meant: str | None) -> None:
    assert spelling(index).corrected(typed) == meant


@pytest.mark.parametrize(
    ("begun", "meant"), [("passw", "password"), ("certif", "certificates"), ("pas", None), ("zzzz", None), ("", None)]
)
def test_a_begun_word_is_completed_to_the_commonest(index: PassageIndex, begun: str, meant: str | None) -> None:
    assert spelling(index).completed(begun) == meant


def test_words_that_one_may_not_see_are_not_proposed(index: PassageIndex) -> None:
    assert spelling(index, EVERYONE).completed("passk") == "passkeys"
    assert spelling(index).completed("passk") is None
    assert spelling(index, EVERYONE).corrected("paskeys") == "passkeys"
    assert spelling(index).corrected("paskeys") is None
    assert spelling(index, EVERYONE).known("lockdown")
    assert not spelling(index).known("lockdown")


def test_a_form_that_only_a_hidden_text_has_is_not_proposed(index: PassageIndex) -> None:
    assert spelling(index, EVERYONE).completed("restarte") == "restarted"
    assert spelling(index).completed("restarte") is None


def test_a_word_that_is_gone_is_not_proposed(index: PassageIndex) -> None:
    with index.changing() as change:
        change.delete("a")
        index.raise_generation()
    assert spelling(index).corrected("acount") is None
