"""Which words an index knows, for correcting a mistyped one and completing a begun one.

Only words that the caller may see count: what is proposed stands in a passage that the filter lets through.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, repeat

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexer.postings import Scope
from indexer.terms import folded_words, stems_of, terms

# A word of fewer letters has too many neighbours to be corrected, or goes on in too many ways to be completed
LEAST_LETTERS = 5
LEAST_BEGUN_LETTERS = 4
# One slip in a short word, two in a long one: neighbours swapped, a letter too many, too few, or another
TWO_SLIPS_LETTERS = 8
# In so many passages of a term a spelling of it is looked for, at most
_MOST_PASSAGES = 50
_MOST_BEGINNINGS = 200

Keys = NDArray[np.int64]
Spelled = tuple[Scope, str, str]
"""A scope, a word that is said in it, and its stem."""
Holders = Callable[[str], Keys]
"""Gives the keys of the visible passages that hold a term."""


def create_tables(connection: sqlite3.Connection) -> None:
    """Every spelling of every term, by the scope that it stands in."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS spellings ("
        "scope INTEGER, spelling TEXT, term TEXT, PRIMARY KEY (scope, spelling, term)) WITHOUT ROWID"
    )


def spellings_of(text: str) -> Iterator[str]:
    """The words of a text that may be proposed, each followed by its stem."""
    words = [word for word in dict.fromkeys(folded_words(text)) if len(word) >= LEAST_BEGUN_LETTERS and word.isalpha()]
    return chain.from_iterable(zip(words, stems_of(words), strict=True))


def record(
    connection: sqlite3.Connection, scope: Scope, spellings: Iterable[Sequence[str]], known: set[Spelled]
) -> None:
    """Keep the spellings of texts. Those of texts that are gone stay, and are passed over when asked for.

    ``known`` are those that this transaction has kept already; the new ones are put in there.
    """
    every: set[Spelled] = set()
    for one in spellings:
        every.update(zip(repeat(scope), one[::2], one[1::2]))
    connection.executemany("INSERT OR IGNORE INTO spellings VALUES (?, ?, ?)", every - known)
    known |= every


class Spelling:
    """The words of the passages that one caller sees. ``spellings`` gives all of the ``scopes``, in order."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        scopes: Sequence[Scope],
        holders: Holders,
    ) -> None:
        self._connection, self._scopes, self._holders = connection, scopes, holders

    def known(self, word: str) -> bool:
        """Whether a visible passage says the word, in any form."""
        return any(len(self._holders(term)) for term in terms(word))

    def corrected(self, word: str) -> str | None:
        """The word nearest to a mistyped one, the commonest of several as near; None where none is near enough."""
        (folded,) = folded_words(word) or [""]
        if len(folded) < LEAST_LETTERS:
            return None
        most = 2 if len(folded) >= TWO_SLIPS_LETTERS else 1
        # A slip in the first letter is rare: a word that begins otherwise is mostly another word
        alike = self._beginning(
            folded[0], "AND length(spelling) BETWEEN ? AND ?", len(folded) - most, len(folded) + most
        )
        near = process.extract(folded, list(alike), scorer=OSA.distance, score_cutoff=most, limit=None)
        for slips in range(1, most + 1):
            best = self._commonest([one for one, distance, _ in near if distance == slips])
            if best is not None:
                return best
        return None

    def completed(self, begun: str) -> str | None:
        """The commonest word that begins so; None where none does."""
        (folded,) = folded_words(begun) or [""]
        if len(folded) < LEAST_BEGUN_LETTERS:
            return None
        longer = self._beginning(folded, "AND length(spelling) > ? ORDER BY length(spelling), spelling", len(folded))
        # Those that may be seen are counted, so that no others keep one of them out
        seen = (spelling for spelling in longer if len(self._holders(stems_of([spelling])[0])))
        return self._commonest(list(islice(seen, _MOST_BEGINNINGS)))

    def _beginning(self, begun: str, further: str, *values: int) -> Iterator[str]:
        """The spellings that begin so, those of them that meet a further condition."""
        rows = self._connection.execute(
            f"SELECT DISTINCT spelling FROM spellings WHERE scope IN ({_marks(self._scopes)})"
            f" AND spelling >= ? AND spelling < ? {further}",
            (*self._scopes, begun, begun + "\U0010ffff", *values),
        )
        return (spelling for (spelling,) in rows)

    def _commonest(self, spellings: Sequence[str]) -> str | None:
        """The spelling whose term most visible passages hold, among those that stand in one of them."""
        held = [
            (spelling, self._holders(stem)) for spelling, stem in zip(spellings, stems_of(list(spellings)), strict=True)
        ]
        for spelling, keys in sorted(held, key=lambda one: (-len(one[1]), len(one[0]), one[0])):
            if len(keys) and self._stands_in(spelling, keys):
                return spelling
        return None

    def _stands_in(self, spelling: str, keys: Keys) -> bool:
        first = np.sort(keys)[:_MOST_PASSAGES].tolist()
        marks = ",".join("?" * len(first))
        rows = self._connection.execute(f"SELECT heading_path, text FROM passages WHERE key IN ({marks})", first)
        return any(spelling in folded_words(f"{heading_path} {text}") for heading_path, text in rows)


def _marks(scopes: Sequence[Scope]) -> str:
    return ",".join("?" * len(scopes))
