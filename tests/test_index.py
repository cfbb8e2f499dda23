"""PassageIndex: both lanes over one set of passages, and what one may not see moves nothing."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import Filter, Owner, Passage, PassageIndex, names
from indexer.database import BUSY_SECONDS, open_database, writing
from indexer.encoder import HashingEncoder
from indexer.errors import KnowledgeBaseError
from indexer.folding import fold
from indexer.identifiers import identifiers
from indexer.index_file import SCHEMA_VERSION
from indexer.language import ENGLISH
from indexer.prepared import Prepared
from indexer.retrieval import Asked, Found
from indexer.terms import WORD, query_terms
from indexer.vector_files import BaseFile

ENCODER = HashingEncoder()
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PUBLIC = Filter(frozenset({"public"}), NOW)
WORDS = st.sampled_from("vpn port disk password reset error 0x80070005 mail server slow restart user ORA-01017".split())
TEXT = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)


def make(folder: Path) -> PassageIndex:
    return PassageIndex(folder / "index.db", ENCODER)


def put(index: PassageIndex, owner: Owner, texts: Sequence[str]) -> None:
    passages = [Passage(f"{owner.id}#0", owner.id, (texts[0],), "", texts[0], "title")]
    passages += [
        Passage(f"{owner.id}#{n}", owner.id, (texts[0],), "", text, "section") for n, text in enumerate(texts[1:], 1)
    ]
    with index.changing() as change:
        change.upsert(owner, [Prepared.of(passage, ENGLISH) for passage in passages])
        encode_pending(index)
        index.raise_generation()


def encode_pending(index: PassageIndex) -> None:
    pending = index.pending(1000)
    vectors = ENCODER.encode([passage.encoded_text for _, _, passage in pending]).astype(np.float16)
    index.add_vectors({key: vector for (key, _, _), vector in zip(pending, vectors, strict=True)})


def ask(index: PassageIndex, text: str, wanted: Filter = PUBLIC) -> Found:
    asked = Asked(
        query_terms(text, ENGLISH), sorted(identifiers(text)), ENCODER.encode([text], "query")[0], {"slow": 0.4}
    )
    return index.search(asked, wanted)


def shape(found: Found) -> object:
    return (
        found.visible,
        dict(found.holders),
        found.words_ceiling,
        [
            (c.owner_id, c.article_words, c.passage_words, c.title_words, c.passage_meaning, c.title_meaning, c.exact)
            for c in sorted(found.candidates, key=lambda candidate: candidate.owner_id)
        ],
    )


EVERYBODY = Filter(frozenset({"public", "internal"}), NOW)


def test_what_is_hidden_and_has_no_vectors_yet_is_not_told(tmp_path: Path) -> None:
    index = make(tmp_path)
    put(index, Owner("seen", frozenset({"public"})), ["Seen", "text"])
    hidden = [Passage(f"hidden#{n}", "hidden", ("Hidden",), "", f"text {n}", "section") for n in range(9)]
    with index.changing() as change:
        change.upsert(Owner("hidden", frozenset({"internal"})), [Prepared.of(passage, ENGLISH) for passage in hidden])
        index.set_meta("encoder", ENCODER.identity)
        index.raise_generation()
    with index.snapshot() as snapshot:
        assert snapshot.encoded_share(index.connection, PUBLIC) == 1.0
        assert snapshot.encoded_share(index.connection, EVERYBODY) == pytest.approx(2 / 11)
    with writing(index.connection):
        encode_pending(index)
    with index.snapshot() as snapshot:
        assert snapshot.encoded_share(index.connection, EVERYBODY) == 1.0, "vectors follow within a generation"


SEEN = Filter(frozenset({"public", "internal", "restricted:hr"}), NOW, services=frozenset({"vpn"}))
MADE = st.tuples(
    st.sets(st.sampled_from(["public", "internal", "restricted:hr", "restricted:it"]), min_size=1, max_size=2),
    st.sampled_from([(), ("VPN",), ("mail",), ("mail", "vpn")]),
    st.lists(TEXT, min_size=1, max_size=4),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(MADE, min_size=1, max_size=12), st.sampled_from([PUBLIC, SEEN]), TEXT)
def test_hidden_passages_change_nothing_of_what_is_seen(
    made: list[tuple[set[str], tuple[str, ...], list[str]]], wanted: Filter, query: str
) -> None:
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        mixed, alone = make(Path(first)), make(Path(second))
        for number, (audiences, services, texts) in enumerate(made):
            owner = Owner(f"a{number}", frozenset(audiences), {"service": services})
            put(mixed, owner, texts)
            concerned = wanted.services is None or not services or "vpn" in map(str.casefold, services)
            if concerned and audiences & wanted.audiences:
                put(alone, owner, texts)
        assert shape(ask(mixed, query, wanted)) == shape(ask(alone, query, wanted))
        for begun in (query[:1], query[:3], query):
            assert mixed.complete(begun, wanted, 3) == alone.complete(begun, wanted, 3)
            with mixed.snapshot() as one, alone.snapshot() as other:
                spell, expected = one.spelling(mixed.connection, wanted), other.spelling(alone.connection, wanted)
                for word in map(ENGLISH.fold, WORD.findall(begun)):
                    assert spell.corrected(word) == expected.corrected(word)
                    assert spell.completed(word) == expected.completed(word)


def test_what_one_may_not_see_is_not_even_read(tmp_path: Path) -> None:
    index = make(tmp_path)
    put(index, Owner("a", frozenset({"public"})), ["VPN", "the vpn drops"])
    put(index, Owner("b", frozenset({"internal"})), ["Layoffs", "the layoffs 0x80070005 of spring"])
    with index.snapshot() as snapshot:
        (hidden,) = snapshot.view(Filter(frozenset({"internal"}), NOW)).scopes
    said: list[str] = []
    index.connection.set_trace_callback(said.append)
    assert set(ask(index, "layoffs 0x80070005").holders.values()) == {0}
    assert index.complete("lay", PUBLIC, 5) == []
    index.connection.set_trace_callback(None)
    assert any("0x80070005" in one for one in said)
    assert any("terms t" in one and "'layoff'" in one for one in said)
    assert not [one for one in said if f"s{hidden:03}" in one or f"scope IN ({hidden}" in one]


def test_other_audiences_take_an_article_along_whole(tmp_path: Path) -> None:
    index = make(tmp_path)
    texts = ["Payroll", "the payroll run 0x80070005 stops"]
    put(index, Owner("a", frozenset({"public"})), texts)
    (before,) = ask(index, "payroll 0x80070005").candidates
    put(index, Owner("a", frozenset({"restricted:hr"})), texts)
    assert not ask(index, "payroll 0x80070005").candidates
    assert index.complete("pay", PUBLIC, 5) == []
    hr = Filter(frozenset({"restricted:hr"}), NOW)
    (after,) = ask(index, "payroll 0x80070005", hr).candidates
    assert (after.article_words, after.passage_meaning) == (before.article_words, before.passage_meaning)
    assert index.complete("pay", hr, 5) == [("Payroll", "a")]


def test_a_file_of_another_version_is_made_anew(tmp_path: Path) -> None:
    index = make(tmp_path)
    put(index, Owner("a", frozenset({"public"})), ["VPN", "vpn"])
    index.connection.execute("PRAGMA user_version = 0")
    index.connection.execute("ALTER TABLE owners RENAME COLUMN scope TO audience")
    again = make(tmp_path)
    assert again.generation == 0
    put(again, Owner("b", frozenset({"public"})), ["VPN", "vpn"])
    assert {c.owner_id for c in ask(again, "vpn").candidates} == {"b"}


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    index = make(tmp_path)
    put(index, Owner("a", frozenset({"public"})), ["VPN", "vpn"])
    index.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    index.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = index.path.read_bytes()
    with pytest.raises(KnowledgeBaseError, match=r"index\.db was written by a newer version\. Use that version"):
        make(tmp_path)
    assert index.path.read_bytes() == before


def test_filters(tmp_path: Path) -> None:
    index = make(tmp_path)
    put(
        index,
        Owner("vpn", frozenset({"public"}), {"type": ("runbook",), "tag": ("Remote", "vpn")}),
        ["VPN", "vpn slow"],
    )
    put(
        index,
        Owner("old", frozenset({"public"}), {"type": ("faq",)}, valid_to=datetime(2026, 1, 1, tzinfo=UTC)),
        ["VPN", "vpn"],
    )
    put(
        index,
        Owner("new", frozenset({"public"}), {"type": ("faq",)}, valid_from=datetime(2027, 1, 1, tzinfo=UTC)),
        ["VPN", "vpn"],
    )

    with index.snapshot() as snapshot:
        keys = [snapshot.view(replace(PUBLIC, at=at)).key for at in (NOW, NOW, datetime(2027, 1, 1, tzinfo=UTC))]
    assert keys[0] == keys[1] != keys[2]

    def ids(wanted: Filter) -> set[str]:
        return {candidate.owner_id for candidate in ask(index, "vpn", wanted).candidates}

    everyone = frozenset({"public"})
    assert ids(PUBLIC) == {"vpn"}
    assert ids(Filter(everyone, NOW, validity="any")) == {"vpn", "old", "new"}
    assert ids(Filter(everyone, NOW, validity="expired")) == {"old"}
    assert ids(Filter(everyone, NOW, validity="scheduled")) == {"new"}
    assert ids(Filter(everyone, NOW, {"tag": frozenset({"remote", "other"})})) == {"vpn"}
    assert ids(Filter(everyone, NOW, {"type": frozenset({"faq"})})) == set()
    assert ids(Filter(everyone, NOW, exclude=frozenset({"vpn"}))) == set()
    assert ids(Filter(frozenset(), NOW)) == set()


def test_an_update_leaves_unchanged_passages_and_their_vectors_alone(tmp_path: Path) -> None:
    index = make(tmp_path)
    put(index, Owner("a", frozenset({"public"})), ["Title", "first", "second", "third"])
    before = dict(index.connection.execute("SELECT text, key FROM passages"))
    with index.changing() as change:
        change.upsert(
            Owner("a", frozenset({"public"})),
            [
                *(
                    Prepared.of(Passage("", "a", ("Title",), "", text, "section"), ENGLISH)
                    for text in ("third", "changed", "first")
                ),
                Prepared.of(Passage("", "a", ("Title",), "", "Title", "title"), ENGLISH),
            ],
        )
    after = dict(index.connection.execute("SELECT text, key FROM passages"))
    assert {text: key for text, key in after.items() if text != "changed"} == {
        text: key for text, key in before.items() if text != "second"
    }
    assert [passage.text for _, _, passage in index.pending(10)] == ["changed"]


def test_identifiers_are_found_exactly(tmp_path: Path) -> None:
    index = make(tmp_path)
    put(index, Owner("update", frozenset({"public"})), ["Updates fail", "Windows Update says 0x80070005"])
    put(index, Owner("kb", frozenset({"public"})), ["KB00023583", "an article of another house"])
    put(index, Owner("other", frozenset({"public"})), ["Mail", "mail says 0x80070057"])
    assert [c.owner_id for c in ask(index, "0X80070005").candidates if c.exact] == ["update"]
    assert [c.owner_id for c in ask(index, "23583").candidates if c.exact] == ["kb"]


def test_an_identifier_that_very_many_hold_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = make(tmp_path)
    for number in range(4):
        put(index, Owner(f"a{number}", frozenset({"public"})), [f"Update {number}", "fails with 0x80070005"])
    assert ask(index, "0x80070005").holders["0x80070005"] == 4
    assert sum(bool(one.exact) for one in ask(index, "0x80070005").candidates) == 4
    monkeypatch.setattr("indexer.snapshot.MOST_HOLDERS", 3)
    found = ask(index, "0x80070005")
    assert found.holders["0x80070005"] == found.visible
    assert not any(one.exact for one in found.candidates)


def test_folding_the_tail_changes_no_answer(tmp_path: Path) -> None:
    index = make(tmp_path)
    for number in range(30):
        put(
            index,
            Owner(f"a{number}", frozenset({"public"})),
            [f"Title {number}", f"vpn port disk {number}", f"reset {number}"],
        )
    with index.changing() as change:
        change.delete("a3")
        index.raise_generation()
    before = shape(ask(index, "reset vpn 7"))
    fold(index)
    assert shape(ask(index, "reset vpn 7")) == before
    assert shape(ask(make(tmp_path), "reset vpn 7")) == before
    assert len(list(tmp_path.glob("*.npy"))) == 1


def test_a_base_forgets_what_came_last_and_is_gone(tmp_path: Path) -> None:
    index = make(tmp_path)
    for name in "abc":
        put(index, Owner(name, frozenset({"public"})), [f"Title {name}", f"text {name}"])
    fold(index)
    with index.changing() as change:
        change.delete("c")
        index.raise_generation()
    fold(index)
    assert {one.owner_id for one in ask(index, "text").candidates} == {"a", "b"}
    assert BaseFile(**json.loads(index.meta("base") or "")).count == 4


def test_another_process_s_publish_is_followed(tmp_path: Path) -> None:
    reader, writer = make(tmp_path), make(tmp_path)
    put(writer, Owner("a", frozenset({"public"})), ["VPN", "vpn"])
    assert {c.owner_id for c in ask(reader, "vpn").candidates} == {"a"}
    put(writer, Owner("b", frozenset({"public"})), ["VPN too", "vpn"])
    with writer.changing() as change:
        change.delete("a")
        writer.raise_generation()
    assert {c.owner_id for c in ask(reader, "vpn").candidates} == {"b"}


def test_completion(tmp_path: Path) -> None:
    index = make(tmp_path)
    put(index, Owner("reset", frozenset({"public"})), ["Reset a password", "x"])
    put(index, Owner("agent", frozenset({"public"})), ["Password reset by an agent", "x"])
    put(index, Owner("hidden", frozenset({"internal"})), ["Password vault", "x"])
    assert index.complete("password", PUBLIC, 5) == [
        ("Password reset by an agent", "agent"),
        ("Reset a password", "reset"),
    ]
    assert index.complete("pass res", PUBLIC, 5) == []
    assert index.complete("password res", PUBLIC, 1) == [("Password reset by an agent", "agent")]
    assert index.complete('" OR *', PUBLIC, 5) == []


def test_names_of_a_thousand_audiences_are_told_apart(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "names.db").conn
    names.create_tables(connection)
    of_scope = {10: "00abc", 100: "0abc", 1_000: "abc"}
    for scope, said in of_scope.items():
        names.add_names(connection, scope, [(scope, said)], ENGLISH)
    for scope, said in of_scope.items():
        assert names.names_beginning(connection, [scope], [said], ENGLISH) == [scope]


def test_an_index_is_opened_and_searched_while_it_is_being_written(tmp_path: Path) -> None:
    index = make(tmp_path)
    put(index, Owner("a", frozenset({"public"})), ["VPN", "the vpn drops"])
    with writing(index.connection):
        index.raise_generation()
        begun = time.monotonic()
        assert {c.owner_id for c in ask(make(tmp_path), "vpn").candidates} == {"a"}
        assert time.monotonic() - begun < BUSY_SECONDS / 2
