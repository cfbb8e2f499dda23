"""Names by the beginnings of their words, for type-ahead: SQLite FTS5 with prefix indexes."""

import sqlite3
from collections.abc import Iterable, Sequence

from indexer.language import Language
from indexer.postings import Scope
from indexer.terms import WORD


def create_tables(connection: sqlite3.Connection) -> None:
    """Rowid = passage key."""
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS names"
        " USING fts5(words, text UNINDEXED, prefix='4 5 6', tokenize='unicode61 remove_diacritics 2')"
    )


def add_names(
    connection: sqlite3.Connection, scope: Scope, names: Iterable[tuple[int, str]], language: Language
) -> None:
    """Have names, by key, found by the beginnings of their words."""
    start = _in_names(scope)
    rows = (
        (key, " ".join(f"{start}{language.fold(word)}" for word in WORD.findall(name)), name) for key, name in names
    )
    connection.executemany("INSERT INTO names (rowid, words, text) VALUES (?, ?, ?)", rows)


def names_beginning(
    connection: sqlite3.Connection, scopes: Iterable[Scope], typed: Sequence[str], language: Language
) -> list[int]:
    """Keys of the names that hold all words of one of the texts typed, its last one perhaps only begun, in order."""
    said = [[language.fold(word) for word in words] for text in typed if (words := WORD.findall(text)[-12:])]
    either = []
    for scope in scopes:
        start = _in_names(scope)
        either += [" ".join(f'"{start}{word}"' for word in words) + "*" for words in said]
    if not either:
        return []
    match = " OR ".join(f"({all_of})" for all_of in either)
    return [
        key for (key,) in connection.execute("SELECT rowid FROM names WHERE words MATCH ? ORDER BY rowid", (match,))
    ]


def _in_names(scope: Scope) -> str:
    """What stands before the words of a scope's names: no scope's is the beginning of another's."""
    return f"s{scope:03}" if scope < 1_000 else f"t{scope:09}"
