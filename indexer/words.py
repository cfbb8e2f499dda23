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
from array import array
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from math import log

import numpy as np
import Stemmer
from numpy.typing import NDArray

from indexer.identifiers import identifiers, words_of_name

Positions = NDArray[np.int64]
Scores = NDArray[np.float32]
Figures = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Okapi BM25 (Robertson and Zaragoza, 2009): saturation of repeated words, and how much length counts
K1 = 1.2
B_PASSAGE = 0.5
B_ARTICLE = 0.6
B_TITLE = 0.4
MOST_QUERY_TERMS = 64
_HELD_BYTES = 16 * 1024 * 1024
# Lists of the terms that are asked for again and again
_POSTING_BYTES = 64 * 1024 * 1024

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
    # Of a large import less is written twice; the default is 1 MiB. Said once: to open an index must not be a write
    if connection.execute("SELECT 1 FROM words_config WHERE k = 'hashsize'").fetchone() is None:
        connection.execute(f"INSERT INTO words (words, rank) VALUES ('hashsize', {_HELD_BYTES})")
    connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS words_instance USING fts5vocab(words, instance)")
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS names"
        " USING fts5(words, text UNINDEXED, prefix='4 5 6', tokenize='unicode61 remove_diacritics 2')"
    )


def add_words(connection: sqlite3.Connection, scope: Scope, passages: Iterable[tuple[int, str]]) -> None:
    """Put passages into the lists of their scope: key, and terms with a space between."""
    rows = ((key, f" {terms}".replace(" ", f" {scope}.") if terms else "") for key, terms in passages)
    connection.executemany("INSERT INTO words (rowid, terms) VALUES (?, ?)", rows)


def add_names(connection: sqlite3.Connection, scope: Scope, names: Iterable[tuple[int, str]]) -> None:
    """Have names, by key, found by the beginnings of their words."""
    start = _in_names(scope)
    rows = ((key, " ".join(f"{start}{word}" for word in _WORD.findall(name)), name) for key, name in names)
    connection.executemany("INSERT INTO names (rowid, words, text) VALUES (?, ?, ?)", rows)


def names_beginning(connection: sqlite3.Connection, scopes: Iterable[Scope], typed: Sequence[str]) -> list[int]:
    """Keys of the names that hold all words of one of the texts typed, its last one perhaps only begun, in order."""
    said = [words for text in typed if (words := _WORD.findall(text)[-12:])]
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
    """What stands before the words of a scope's names: of one length, so that no scope's is another's beginning."""
    return f"s{scope:03}"


def terms(text: str) -> list[str]:
    """A text's index terms in order: stems, names taken apart and whole, identifiers as they stand.

    Accents are folded, case too. ``KubePodCrashLooping`` gives kube, pod, crash, loop, kubepodcrashlooping;
    ``ORA-01017`` gives ora, 01017, 1017 and ora-01017.
    """
    words = _WORD.findall(text)
    found: list[str] = []
    if not _MIXED_CASE.search(text):
        found += map(_stem, words)
    else:
        for word in words:
            parts = words_of_name(word) if _MIXED_CASE.search(word) else [word]
            found += map(_stem, parts)
            if len(parts) > 1:
                found.append(_fold(word))
    held = set(found)
    return found + sorted(code for code in map(_fold, identifiers(text)) if code not in held)


@dataclass(frozen=True, slots=True)
class ReadWords:
    """A text's words: their stems, and where each begins and ends; ``is_plain`` says that none is made of several."""

    stems: tuple[str, ...]
    starts: "array[int]"
    ends: "array[int]"
    is_plain: bool


@lru_cache(maxsize=2048)
def read_words(text: str) -> ReadWords:
    """Read a text that is shown for its words; the same passages are shown again and again."""
    matches = list(_WORD.finditer(text))
    starts, ends = (array("I", map(place, matches)) for place in (re.Match.start, re.Match.end))
    stems = tuple(map(_stem, _WORD.findall(text)))
    return ReadWords(stems, starts, ends, _MIXED_CASE.search(text) is None)


def terms_said(text: str, wanted: frozenset[str]) -> frozenset[str]:
    """Which of some index terms a text says."""
    words = read_words(text)
    # Identifiers are looked for where one is asked for; a term of letters alone is a word
    if words.is_plain and all(map(str.isalpha, wanted)):
        return wanted.intersection(words.stems)
    return wanted.intersection(_every_term(text))


@lru_cache(maxsize=2048)
def _every_term(text: str) -> frozenset[str]:
    return frozenset(terms(text))


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


@dataclass(frozen=True, slots=True)
class Statistics:
    """What BM25 needs of texts: how many there are that one may see, and of how many terms on average."""

    count: int
    mean_length: float

    @classmethod
    def of(cls, length: Scores, mask: Mask) -> "Statistics":
        count = int(np.count_nonzero(mask))
        return cls(count, max(1.0, float(length[mask].mean())) if count else 1.0)

    def rarity(self, holders: Positions) -> Figures:
        """Inverse document frequencies of terms that so many of the texts hold."""
        return np.log1p((self.count - holders + 0.5) / (holders + 0.5))


@dataclass(frozen=True, slots=True)
class WordStatistics:
    """Of whole articles, of passages, and of names."""

    articles: Statistics
    bodies: Statistics
    names: Statistics


@dataclass(frozen=True, slots=True)
class Postings:
    """Where a term stands: positions of passages in order, and how often in each; the same by owners."""

    positions: Positions
    counts: Scores
    owners: Positions
    by_owner: Scores

    @property
    def size(self) -> int:
        """Bytes."""
        return self.positions.nbytes + self.counts.nbytes + self.owners.nbytes + self.by_owner.nbytes


class WordsLane:
    """The words of one generation of an index.

    ``keys`` are the passages' row ids in rising order; ``owner_of`` (index of the owner), ``length`` (terms) and
    ``is_name`` (titles and names) go with them.
    """

    def __init__(self, keys: Positions, owner_of: Positions, length: Scores, is_name: Mask, owners: int) -> None:
        self._keys, self.owner_of, self._length, self.is_name = keys, owner_of, length, is_name
        self._owners = owners
        self._article_length = np.bincount(owner_of, weights=length, minlength=owners).astype(np.float32)
        self._postings: OrderedDict[tuple[tuple[Scope, ...], str], Postings] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def statistics(self, allowed: Mask, visible: Mask) -> WordStatistics:
        """Of what may be seen: ``allowed`` is over owners, ``visible`` over passages."""
        return WordStatistics(
            Statistics.of(self._article_length, allowed),
            Statistics.of(self._length, visible & ~self.is_name),
            Statistics.of(self._length, visible & self.is_name),
        )

    def postings(self, connection: sqlite3.Connection, scopes: tuple[Scope, ...], term: str) -> Postings:
        """Where a term stands in some scopes."""
        key = (scopes, term)
        with self._lock:
            kept = self._postings.get(key)
            if kept is not None:
                self._postings.move_to_end(key)
                return kept
        marks = ",".join("?" * len(scopes))
        rows = connection.execute(
            f"SELECT doc, count(*) FROM words_instance WHERE term IN ({marks}) GROUP BY doc ORDER BY doc",
            [f"{scope}.{term}" for scope in scopes],
        )
        pairs = np.array(rows.fetchall(), np.int64).reshape(-1, 2)
        positions = np.searchsorted(self._keys, pairs[:, 0])
        counts = pairs[:, 1].astype(np.float32)
        owners, inverse = np.unique(self.owner_of[positions], return_inverse=True)
        by_owner = np.bincount(inverse, weights=counts, minlength=len(owners)).astype(np.float32)
        found = Postings(positions, counts, owners, by_owner)
        with self._lock:
            if key not in self._postings:
                self._postings[key] = found
                self._size += found.size
            while self._size > _POSTING_BYTES and len(self._postings) > 1:
                _, dropped = self._postings.popitem(last=False)
                self._size -= dropped.size
        return found

    def score(
        self,
        connection: sqlite3.Connection,
        query: Mapping[str, int],
        scopes: tuple[Scope, ...],
        allowed: Mask,
        statistics: WordStatistics,
        beside: Mapping[str, float],
    ) -> WordScores:
        """Score what the query may see: of the ``scopes``, what is ``allowed`` (over owners); nothing else is counted.

        ``query`` are its own terms with how often each is said; ``beside`` are terms that it does not say but may mean,
        each with its weight (a term of the query weighs 1 or more). ``statistics`` are those of what is allowed.
        """
        literal = self._asked(connection, query, scopes, allowed)
        asked = [*literal, *((term, weight) for term, weight in beside.items() if term not in query)]
        postings = [self.postings(connection, scopes, term) for term, _ in asked]
        weights = np.array([weight for _, weight in asked])
        own = np.arange(len(asked)) < len(literal)

        term, owners, frequency = _flat([(one.owners, one.by_owner) for one in postings])
        seen = allowed[owners]
        term, owners, frequency = term[seen], owners[seen], frequency[seen]
        worth = weights * statistics.articles.rarity(np.bincount(term, minlength=len(asked)))
        scored = worth[term] * _saturated(self._article_length[owners], frequency, statistics.articles, B_ARTICLE)
        article = np.bincount(owners, scored, self._owners).astype(np.float32)
        said = np.bincount(owners[own[term]], minlength=self._owners).astype(np.float32)

        term, positions, counts = _flat([(one.positions, one.counts) for one in postings])
        seen = allowed[self.owner_of[positions]]
        term, positions, counts = term[seen], positions[seen], counts[seen]
        in_name = self.is_name[positions]
        passage, title_passages = (
            self._passages(of, weights, (term[kind], positions[kind], counts[kind]), b)
            for of, kind, b in ((statistics.bodies, ~in_name, B_PASSAGE), (statistics.names, in_name, B_TITLE))
        )
        named = np.bincount(positions[in_name & own[term]], minlength=len(self._keys))
        title, title_share = (np.zeros(self._owners, np.float32) for _ in range(2))
        at = np.flatnonzero(title_passages)
        np.maximum.at(title, self.owner_of[at], title_passages[at])
        share = np.minimum(1, named[at] / np.maximum(self._length[at], 1)).astype(np.float32)
        np.maximum.at(title_share, self.owner_of[at], share)
        ceiling = float(worth[own].sum()) * (K1 + 1) / 2
        return WordScores(article, title, passage, title_share, said, len(literal), ceiling)

    def _passages(
        self, of: Statistics, weights: Figures, found: tuple[Positions, Positions, Scores], b: float
    ) -> Scores:
        """Sums by passage, ``(passages,)``, from the postings of passages of one kind: term, position and count."""
        term, positions, counts = found
        worth = weights * of.rarity(np.bincount(term, minlength=len(weights)))
        scored = worth[term] * _saturated(self._length[positions], counts, of, b)
        return np.bincount(positions, scored, len(self._keys)).astype(np.float32)

    def _asked(
        self, connection: sqlite3.Connection, query: Mapping[str, int], scopes: tuple[Scope, ...], allowed: Mask
    ) -> list[tuple[str, float]]:
        """The query's rarest terms with their weights, so that a page of log costs no more than a sentence."""
        weights = {term: 1.0 + log(count) for term, count in islice(query.items(), MOST_QUERY_TERMS * 8)}
        if len(weights) <= MOST_QUERY_TERMS:
            return list(weights.items())
        rarest = sorted(
            (int(np.count_nonzero(allowed[self.owner_of[self.postings(connection, scopes, term).positions]])), term)
            for term in weights
        )
        return [(term, weights[term]) for _, term in rarest[:MOST_QUERY_TERMS]]


def _saturated(length: Scores, frequency: Scores, of: Statistics, b: float) -> Scores | Figures:
    """BM25 but for rarity and weight: how much it tells that a text of so many terms says one so often."""
    return frequency * (K1 + 1) / (frequency + K1 * (1 - b + b * length / of.mean_length))


def _flat(found: Sequence[tuple[Positions, Scores]]) -> tuple[Positions, Positions, Scores]:
    """The lists of some terms as one: which term it is, where, and how often."""
    sizes = [len(places) for places, _ in found]
    places = np.concatenate([np.zeros(0, np.int64), *(one for one, _ in found)])
    counts = np.concatenate([np.zeros(0, np.float32), *(one for _, one in found)])
    return np.repeat(np.arange(len(found)), sizes), places, counts
