"""Posting lists: what is put in and taken out, in pieces, of any scope."""

import sqlite3
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import postings

TEXT = st.lists(st.sampled_from("vpn port disk mail".split()), max_size=6).map(" ".join)


@pytest.fixture
def connection() -> sqlite3.Connection:
    return opened()


def opened() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    postings.create_tables(connection)
    return connection


def pairs(connection: sqlite3.Connection, scopes: list[int], term: str) -> list[tuple[int, int]]:
    keys, counts = postings.read(connection, scopes, term)
    return [*zip(keys.tolist(), counts.tolist(), strict=True)]


def put(connection: sqlite3.Connection, texts: dict[int, str], scope: int = 1) -> None:
    changes = postings.Changes(connection)
    for key, text in texts.items():
        changes.add(scope, key, text)
    changes.write()


def take_out(connection: sqlite3.Connection, texts: dict[int, str], scope: int = 1) -> None:
    changes = postings.Changes(connection)
    for key, text in texts.items():
        changes.take_out(scope, key, text.split())
    changes.write()


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.lists(TEXT, max_size=5), st.integers(1, 2)), max_size=12), st.data())
def test_lists_hold_what_is_there(rounds: list[tuple[bool, list[str], int]], data: st.DataObject) -> None:
    connection, there, last = opened(), dict[int, tuple[int, str]](), 0
    for adds, texts, scope in rounds:
        if adds:
            put(connection, {last + at: text for at, text in enumerate(texts, 1)}, scope)
            there.update({last + at: (scope, text) for at, text in enumerate(texts, 1)})
            last += len(texts)
        else:
            gone = data.draw(st.sets(st.sampled_from(sorted(there)))) if there else set()
            for one in (1, 2):
                take_out(connection, {key: there[key][1] for key in gone if there[key][0] == one}, one)
            for key in gone:
                del there[key]
    for scopes in ([1], [2], [1, 2]):
        for term in "vpn port disk mail".split():
            expected = [
                (key, count)
                for key, (scope, text) in sorted(there.items())
                if scope in scopes and (count := Counter(text.split())[term])
            ]
            assert pairs(connection, scopes, term) == expected
            assert postings.holders(connection, scopes, [term]) == {term: len(expected)}
    assert connection.execute("SELECT count(*) FROM terms WHERE holders = 0").fetchone() == (0,)
    pieces = connection.execute("SELECT count(*) FROM pieces").fetchone()
    assert pieces == connection.execute("SELECT count(*) FROM terms").fetchone()


def test_a_long_list_is_cut_and_grows_at_its_end(connection: sqlite3.Connection) -> None:
    put(connection, dict.fromkeys(range(1, 2_001), "vpn"))
    put(connection, dict.fromkeys(range(2_001, 2_004), "vpn vpn"))
    assert connection.execute("SELECT max(length(list)) FROM pieces").fetchone()[0] < 4_096
    assert pairs(connection, [1], "vpn") == [(key, 1 + (key > 2_000)) for key in range(1, 2_004)]
    # A whole piece, parts of two others, and what is not there
    take_out(connection, dict.fromkeys([5, *range(700, 1_700), 2_003, 9_999], "vpn nothing"))
    assert [key for key, _ in pairs(connection, [1], "vpn")] == [
        key for key in range(1, 2_003) if key != 5 and not 700 <= key < 1_700
    ]
    put(connection, {2_004: "vpn"})
    assert pairs(connection, [1], "vpn")[-1] == (2_004, 1)
    assert postings.holders(connection, [1], ["vpn", "port"]) == {"vpn": 1_002, "port": 0}
    take_out(connection, dict.fromkeys(range(1, 2_100), "vpn"))
    assert connection.execute("SELECT (SELECT count(*) FROM terms) + (SELECT count(*) FROM pieces)").fetchone() == (0,)


def test_keys_may_lie_far_apart_and_a_term_be_said_often(connection: sqlite3.Connection) -> None:
    far = 1 << 33
    put(connection, {1: "vpn " * 300, far: "vpn", far + 1: "vpn"})
    assert pairs(connection, [1], "vpn") == [(1, 255), (far, 1), (far + 1, 1)]


def test_what_is_put_in_and_taken_out_at_once_is_not_there(connection: sqlite3.Connection) -> None:
    changes = postings.Changes(connection)
    changes.add(1, 1, "vpn port")
    changes.take_out(1, 1, ["vpn", "port"])
    changes.add(1, 2, "port")
    changes.write()
    assert pairs(connection, [1], "vpn") == []
    assert pairs(connection, [1], "port") == [(2, 1)]
