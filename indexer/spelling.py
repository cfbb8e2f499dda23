"""Which words an index knows, for correcting a mistyped one and completing a begun one.

Only words that the caller may see count: what is proposed stands in a passage that the filter lets through.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexer.compounds import LEAST_COMPOUND_LETTERS, LEAST_PART_LETTERS, parts_of
from indexer.language import Language
from indexer.of_words import LONGEST_KEPT, of_words
from indexer.postings import Scope
from indexer.terms import WORD, terms, words_of

# A word of fewer letters has too many neighbours to be corrected, or goes on in too many ways to be completed
LEAST_LETTERS = 5
LEAST_BEGUN_LETTERS = 4
# One slip in a short word, two in a long one: neighbours swapped, a letter too many, too few, or another
TWO_SLIPS_LETTERS = 8
# In so many passages of a term a spelling of it is looked for, at most
_MOST_PASSAGES = 50
_MOST_BEGINNINGS = 200
# So many compounds are looked for that a word is a part of
_MOST_COMPOUNDS = 12
# Of so many words it is kept whether they are known
_MOST_KNOWN = 10_000

Keys = NDArray[np.int64]
Recorded = defaultdict[Scope, set[str]]
"""The words that are kept of each scope."""
Holders = Callable[[str], Keys]
"""Gives the keys of the visible passages that hold a term."""


def create_tables(connection: sqlite3.Connection) -> None:
    """Every spelling of every term, by the scope that it stands in."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS spellings ("
        "scope INTEGER, spelling TEXT, term TEXT, PRIMARY KEY (scope, spelling, term)) WITHOUT ROWID"
    )
    # What may be a compound, backwards: what it is stands at its end
    connection.execute(
        "CREATE TABLE IF NOT EXISTS endings (scope INTEGER, ending TEXT, PRIMARY KEY (scope, ending)) WITHOUT ROWID"
    )


def spellings_of(text: str, language: Language) -> Iterator[str]:
    """The words of a text that may be proposed, each followed by its stem."""
    return chain.from_iterable(dict.fromkeys(map(_spelling(language), words_of(text))))


@cache
def _spelling(language: Language) -> Callable[[str], tuple[str, ...]]:
    """Gives a word folded, and its stem; nothing of one that is not proposed."""

    @of_words
    def spelling(word: str) -> tuple[str, ...]:
        said = language.fold(word)
        return (said, language.stem(said)) if len(said) >= LEAST_BEGUN_LETTERS and said.isalpha() else ()

    return spelling


def record(
    connection: sqlite3.Connection,
    scope: Scope,
    spellings: Iterable[Sequence[str]],
    known: Recorded,
    *,
    has_compounds: bool,
) -> None:
    """Keep the spellings of texts. Those of texts that are gone stay, and are passed over when asked for.

    ``known`` are the words, one set by scope, that this transaction has kept already; new ones are put in there.
    """
    every: dict[str, str] = {}
    for one in spellings:
        every.update(zip(one[::2], one[1::2], strict=True))
    kept = known[scope]
    new = [(scope, word, every[word]) for word in every.keys() - kept]
    connection.executemany("INSERT OR IGNORE INTO spellings VALUES (?, ?, ?)", new)
    if has_compounds:
        long = ((scope, word[::-1]) for _, word, _ in new if len(word) >= LEAST_COMPOUND_LETTERS)
        connection.executemany("INSERT OR IGNORE INTO endings VALUES (?, ?)", long)
    kept.update(every)


class Spelling:
    """The words of the passages that one caller sees. ``spellings`` gives all of the ``scopes``, in order."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        scopes: Sequence[Scope],
        holders: Holders,
        language: Language,
        known: dict[str, bool],
    ) -> None:
        """``known`` are words that were looked for before, to be asked and added to."""
        self._connection, self._scopes, self._holders, self.language = connection, scopes, holders, language
        self._known = known

    def known(self, word: str) -> bool:
        """Whether a visible passage says the word, in any form."""
        found = self._known.get(word)
        if found is None:
            found = any(len(self._holders(term)) for term in terms(word, self.language))
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            if len(word) <= LONGEST_KEPT:
                self._known[word] = found
        return found

    def corrected(self, word: str) -> str | None:
        """The word nearest to a mistyped one, the commonest of several as near; None where none is near enough."""
        folded = self.language.fold(word)
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
        folded = self.language.fold(begun)
        if len(folded) < LEAST_BEGUN_LETTERS:
            return None
        longer = self._beginning(folded, "AND length(spelling) > ? ORDER BY length(spelling), spelling", len(folded))
        # Those that may be seen are counted, so that no others keep one of them out
        seen = (spelling for spelling in longer if self._is_said(spelling))
        return self._commonest(list(islice(seen, _MOST_BEGINNINGS)))

    def parts(self, word: str) -> tuple[str, ...]:
        """The words that a compound is made of, as visible passages write them; none of any other word."""
        return tuple(map(self._as_written, parts_of(self.language.fold(word), self.language.joins, self._is_part)))

    def compounds(self, word: str) -> list[str]:
        """Visible compounds that end with a word, in whatever form, or begin with it; the shortest first."""
        folded, joins = self.language.fold(word), self.language.joins
        if not joins or len(folded) < LEAST_PART_LETTERS or not folded.isalpha():
            return []
        least = len(folded) + LEAST_PART_LETTERS
        longer = list(self._beginning(folded, "AND length(spelling) >= ? ORDER BY length(spelling) LIMIT 100", least))
        # Its endings are those that join it to a further word
        for form in (folded, *(folded + join for join in joins)):
            longer += self._ending(form, least)
        seen = (one for one in sorted(set(longer), key=lambda one: (len(one), one)) if self._is_said(one))
        return list(islice(seen, _MOST_COMPOUNDS))

    def _as_written(self, part: str) -> str:
        stem = self.language.stem(part)
        forms = [one for one in self._beginning(part[:LEAST_PART_LETTERS], "") if self.language.stem(one) == stem]
        return self._commonest(forms) or part

    def _is_part(self, word: str) -> bool:
        return self.language.stem(word) not in self.language.stop_terms and self._is_said(word)

    def _is_said(self, word: str) -> bool:
        return len(self._holders(self.language.stem(word))) > 0

    def _ending(self, ending: str, least: int) -> Iterator[str]:
        """The spellings that end so, of so many letters or more."""
        begun = ending[::-1]
        rows = self._connection.execute(
            f"SELECT DISTINCT ending FROM endings WHERE scope IN ({_marks(self._scopes)})"
            " AND ending >= ? AND ending < ? AND length(ending) >= ? ORDER BY length(ending) LIMIT 100",
            (*self._scopes, begun, begun + "\U0010ffff", least),
        )
        return (backwards[::-1] for (backwards,) in rows)

    def _beginning(self, begun: str, further: str, *values: int) -> Iterator[str]:
        """The spellings that begin so, those of them that meet a further condition."""
        rows = self._connection.execute(
            f"SELECT DISTINCT spelling FROM spellings WHERE scope IN ({_marks(self._scopes)})"
            f" AND spelling >= ? AND spelling < ? {further}",
            (*self._scopes, begun, begun + "\U0010ffff", *values),
        )
        return (spelling for (spelling,) in rows)

    def _commonest(self, spellings: Sequence[str]) -> str | None:
        """The word whose term most visible passages hold, among those that stand in one of them, as written there."""
        held = [(spelling, self._holders(self.language.stem(spelling))) for spelling in spellings]
        for spelling, keys in sorted(held, key=lambda one: (-len(one[1]), len(one[0]), one[0])):
            written = self._written(spelling, keys) if len(keys) else None
            if written is not None:
                return written
        return None

    def _written(self, spelling: str, keys: Keys) -> str | None:
        """How one of these passages writes a word, in small letters; None where none has it."""
        first = np.sort(keys)[:_MOST_PASSAGES].tolist()
        marks = ",".join("?" * len(first))
        rows = self._connection.execute(f"SELECT heading_path, text FROM passages WHERE key IN ({marks})", first)
        for heading_path, text in rows:
            words = WORD.findall(f"{' '.join(json.loads(heading_path))} {text}")
            written: str | None = next((word for word in words if self.language.fold(word) == spelling), None)
            if written is not None:
                return written.lower()
        return None


def _marks(scopes: Sequence[Scope]) -> str:
    return ",".join("?" * len(scopes))
