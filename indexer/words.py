"""The words lane: BM25 over SQLite FTS5, with the statistics of the passages one may see and no others.

FTS5 keeps the inverted index; the scoring is ours, since its ``bm25()`` counts the whole table, so that passages one
may not see would move the order of those one may. Each scope (all passages that the same people may see) has lists of
its own, its number before every term, so that what others may see is not even read and takes no time. One tokenizer
serves the index and the query. Services are no scope: what is of others is read and masked before it is counted.
"""

import re
import sqlite3
import threading
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice

import numpy as np
import Stemmer
from numpy.typing import NDArray

from indexer.identifiers import identifiers, words_of_name

Positions = NDArray[np.int64]
Scores = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Okapi BM25 (Robertson and Zaragoza, 2009): saturation of repeated words, and how much length counts
K1 = 1.2
B_PASSAGE = 0.5
B_ARTICLE = 0.6
B_TITLE = 0.4
MOST_QUERY_TERMS = 64
_CACHED_POSTINGS = 4096

# What has one number may be seen by the same people
Scope = int

_WORD = re.compile(r"[^\W_]+")
_MIXED_CASE = re.compile(r"[a-z][A-Z]|[A-Z]{2,}[a-z]{2,}")
_STOP_WORDS = (
    "a an and are as at be been but by can could did do does for from had has have how i if in into is it its me my of "
    "on or our please should so some that the their them then there these they this to us was we were what when where "
    "which who why will with would you your"
)
_local = threading.local()


def create_tables(connection: sqlite3.Connection) -> None:
    """The inverted index (rowid = passage key), FTS5's own view of its postings, and names by their beginnings."""
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS words"
        " USING fts5(terms, columnsize=0, tokenize=\"ascii tokenchars '-_.:/'\")"
    )
    connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS words_instance USING fts5vocab(words, instance)")
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS names"
        " USING fts5(words, text UNINDEXED, prefix='4 5 6', tokenize='unicode61 remove_diacritics 2')"
    )


def add_words(connection: sqlite3.Connection, scope: Scope, key: int, terms: Iterable[str]) -> None:
    """Put the terms of a passage into the lists of its scope."""
    text = " ".join(f"{scope}.{term}" for term in terms)
    connection.execute("INSERT INTO words (rowid, terms) VALUES (?, ?)", (key, text))


def add_name(connection: sqlite3.Connection, scope: Scope, key: int, name: str) -> None:
    """Have a name found by the beginnings of its words."""
    words = " ".join(f"{_in_names(scope)}{word}" for word in _WORD.findall(name))
    connection.execute("INSERT INTO names (rowid, words, text) VALUES (?, ?, ?)", (key, words, name))


def names_beginning(connection: sqlite3.Connection, scopes: Iterable[Scope], typed: str) -> list[int]:
    """Keys of the names that hold all words typed, the last one perhaps only begun, in order."""
    words = _WORD.findall(typed)[-12:]
    found: list[int] = []
    for scope in scopes if words else ():
        *whole, begun = (f'"{_in_names(scope)}{word}"' for word in words)
        match = " ".join([*whole, f"{begun}*"])
        found += (key for (key,) in connection.execute("SELECT rowid FROM names WHERE words MATCH ?", (match,)))
    return sorted(found)


def _in_names(scope: Scope) -> str:
    """What stands before the words of a scope's names: of one length, so that no scope's is another's beginning."""
    return f"s{scope:03}"


def terms(text: str) -> list[str]:
    """A text's index terms in order: stems, names taken apart and whole, identifiers as they stand.

    Accents are folded, case too. ``KubePodCrashLooping`` gives kube, pod, crash, loop, kubepodcrashlooping;
    ``ORA-01017`` gives ora, 01017, 1017 and ora-01017.
    """
    found: list[str] = []
    for word in _WORD.findall(text):
        parts = words_of_name(word) if _MIXED_CASE.search(word) else [word]
        found += map(_stem, parts)
        if len(parts) > 1:
            found.append(_fold(word))
    held = set(found)
    return found + sorted(code for code in map(_fold, identifiers(text)) if code not in held)


def query_terms(text: str) -> Counter[str]:
    """The terms to ask for with how often each is said; the commonest English words only where nothing else is said."""
    every = Counter(terms(text))
    telling = Counter({term: count for term, count in every.items() if term not in _stop_terms()})
    return telling or every


def name_terms(text: str) -> list[str]:
    """A name's terms without the commonest English words, which queries leave out too ("How do I …")."""
    every = terms(text)
    return [term for term in every if term not in _stop_terms()] or every


def common_share(text: str) -> float:
    """Which share of a text's words are the commonest English ones, 0..1: none in keywords, half in a question."""
    words = _WORD.findall(text)
    common = sum(stem in _stop_terms() for stem in stems_of(words))
    return common / len(words) if words else 0.0


@cache
def _stop_terms() -> frozenset[str]:
    return frozenset(map(_stem, _STOP_WORDS.split()))


def stems_of(words: list[str]) -> list[str]:
    """Each word's stem, for marking the words of a text that matched."""
    return list(map(_stem, words))


def folded_words(text: str) -> list[str]:
    """A text's words as they are spelled, without case and accents."""
    return [_fold(word) for word in _WORD.findall(text)]


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    """A word's term: folded, and without its ending."""
    word = _fold(word)
    if len(word) < 4 or not word.isalpha():
        return word
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:
        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    stem: str = stemmer.stemWord(word)
    return stem


@dataclass(frozen=True, slots=True)
class WordScores:
    """BM25 sums: by owner (whole article, and its names), and by passage. Arrays over all owners and passages.

    ``title_share`` is how much of the owner's best name the query says, 0..1; ``said`` how many of its terms the owner
    says; ``asked`` how many there are. ``ceiling`` is about what an article of mean length would score that says every
    word of the query once or twice.
    """

    article: Scores
    title: Scores
    passage: Scores
    title_share: Scores
    said: Scores
    asked: int
    ceiling: float


class WordsLane:
    """The words of one generation of an index.

    ``keys`` are the passages' row ids in rising order; ``owner_of`` (index of the owner), ``length`` (terms) and
    ``is_name`` (titles and names) go with them.
    """

    def __init__(self, keys: Positions, owner_of: Positions, length: Scores, is_name: Mask, owners: int) -> None:
        self._keys, self._owner_of, self._length, self._is_name = keys, owner_of, length, is_name
        self._owners = owners
        self._article_length = np.bincount(owner_of, weights=length, minlength=owners).astype(np.float32)
        self._postings: OrderedDict[tuple[Scope, str], tuple[Positions, Scores]] = OrderedDict()
        self._lock = threading.Lock()

    def postings(self, connection: sqlite3.Connection, scopes: Sequence[Scope], term: str) -> tuple[Positions, Scores]:
        """Positions of the passages of some scopes that hold the term, in order, and how often each does."""
        found = [self._postings_of(connection, scope, term) for scope in scopes]
        if len(found) == 1:
            return found[0]
        positions = np.concatenate([np.zeros(0, np.int64), *(one for one, _ in found)])
        counts = np.concatenate([np.zeros(0, np.float32), *(one for _, one in found)])
        order = np.argsort(positions)
        return positions[order], counts[order]

    def _postings_of(self, connection: sqlite3.Connection, scope: Scope, term: str) -> tuple[Positions, Scores]:
        key = (scope, term)
        with self._lock:
            if key in self._postings:
                self._postings.move_to_end(key)
                return self._postings[key]
        rows = connection.execute(
            "SELECT doc, count(*) FROM words_instance WHERE term = ? GROUP BY doc", (f"{scope}.{term}",)
        )
        pairs = np.array(rows.fetchall(), np.int64).reshape(-1, 2)
        positions = np.searchsorted(self._keys, pairs[:, 0])
        found = positions, pairs[:, 1].astype(np.float32)
        with self._lock:
            self._postings[key] = found
            while len(self._postings) > _CACHED_POSTINGS:
                self._postings.popitem(last=False)
        return found

    def score(
        self,
        connection: sqlite3.Connection,
        query: Mapping[str, int],
        scopes: Sequence[Scope],
        allowed: Mask,
        beside: Mapping[str, float],
    ) -> WordScores:
        """Score what the query may see: of the ``scopes``, what is ``allowed`` (over owners); nothing else is counted.

        ``query`` are its own terms with how often each is said; ``beside`` are terms that it does not say but may mean,
        each with its weight (a term of the query weighs 1 or more).
        """
        visible = allowed[self._owner_of]
        bodies, names = visible & ~self._is_name, visible & self._is_name
        article, title, said, title_share = (np.zeros(self._owners, np.float32) for _ in range(4))
        passage, title_passages, named = (np.zeros(len(self._keys), np.float32) for _ in range(3))
        ceiling = 0.0
        articles = _Statistics.of(self._article_length, allowed)
        passages = _Statistics.of(self._length, bodies)
        titles = _Statistics.of(self._length, names)
        literal = self._asked(connection, query, scopes, visible)
        for term, weight in (*literal, *((term, weight) for term, weight in beside.items() if term not in query)):
            positions, counts = self.postings(connection, scopes, term)
            seen = visible[positions]
            positions, counts = positions[seen], counts[seen]
            owners, frequency = _summed(self._owner_of[positions], counts)
            article[owners] += weight * articles.bm25(owners, frequency, B_ARTICLE)
            if term in query:
                said[owners] += 1
                named[positions] += 1
                ceiling += weight * articles.rarity(len(owners)) * (K1 + 1) / 2
            for mask, statistics, b, into in (
                (bodies, passages, B_PASSAGE, passage),
                (names, titles, B_TITLE, title_passages),
            ):
                inside = mask[positions]
                into[positions[inside]] += weight * statistics.bm25(positions[inside], counts[inside], b)
        at = np.flatnonzero(title_passages)
        np.maximum.at(title, self._owner_of[at], title_passages[at])
        np.maximum.at(title_share, self._owner_of[at], np.minimum(1, named[at] / np.maximum(self._length[at], 1)))
        return WordScores(article, title, passage, title_share, said, len(literal), ceiling)

    def _asked(
        self, connection: sqlite3.Connection, query: Mapping[str, int], scopes: Sequence[Scope], visible: Mask
    ) -> list[tuple[str, float]]:
        """The query's rarest terms with their weights, so that a page of log costs no more than a sentence."""
        asked = []
        for term, count in islice(query.items(), MOST_QUERY_TERMS * 8):
            positions, _ = self.postings(connection, scopes, term)
            asked.append((int(np.count_nonzero(visible[positions])), term, 1.0 + float(np.log(count))))
        return [(term, weight) for _, term, weight in sorted(asked)[:MOST_QUERY_TERMS]]


@dataclass(frozen=True, slots=True)
class _Statistics:
    """What BM25 needs of the texts that one may see."""

    length: Scores
    count: int
    mean_length: float

    @classmethod
    def of(cls, length: Scores, mask: Mask) -> "_Statistics":
        count = int(np.count_nonzero(mask))
        return cls(length, count, float(length[mask].mean()) if count else 1.0)

    def rarity(self, holders: int) -> float:
        """Inverse document frequency of a term that so many of the texts hold."""
        return float(np.log1p((self.count - holders + 0.5) / (holders + 0.5)))

    def bm25(self, at: Positions, frequency: Scores, b: float) -> Scores:
        """One term's share of the scores of the texts ``at``; its document frequency is their number."""
        norm = K1 * (1 - b + b * self.length[at] / max(self.mean_length, 1.0))
        scores: Scores = (self.rarity(len(at)) * frequency * (K1 + 1) / (frequency + norm)).astype(np.float32)
        return scores


def _summed(owners: Positions, counts: Scores) -> tuple[Positions, Scores]:
    """Counts by owner; ``owners`` may name one several times."""
    distinct, inverse = np.unique(owners, return_inverse=True)
    return distinct, np.bincount(inverse, weights=counts, minlength=len(distinct)).astype(np.float32)
