"""The words lane: BM25 with the statistics of the passages one may see and no others.

The scoring is ours, since FTS5's ``bm25()`` counts the whole table, so that passages one may not see would move the
order of those one may. Of each scope (all passages that the same people may see) only the lists of its own are read.
Services are no scope: what is of others is read and masked before it is counted, but for one thing: where more would be
read than may be, lists are chosen by how long they are as a whole.
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import log

import numpy as np
from numpy.typing import NDArray

from indexer import postings
from indexer.columns import Columns
from indexer.growing import number_of
from indexer.postings import Scope
from indexer.sparse import Sparse, Summing

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
# So many places of terms are read for a query, which takes some 10 ms; of some thousands of passages all there are
MOST_READ = 50_000
# Lists of the terms that are asked for again and again
_POSTING_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class WordScores:
    """BM25 sums: by owner (whole article, and its names), and by passage.

    ``title_share`` is how much of the owner's best name the query says, 0..1; ``said`` how many of its terms the owner
    says; ``asked`` how many there are. ``ceiling`` is about what an article of mean length would score that says every
    word of the query once or twice.
    """

    article: Sparse
    title: Sparse
    passage: Sparse
    title_share: Sparse
    said: Sparse
    asked: int
    ceiling: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """What BM25 needs of texts: how many there are that one may see, and of how many terms together."""

    count: int
    terms: float

    @classmethod
    def of(cls, length: Scores, mask: Mask) -> "Statistics":
        return cls(int(np.count_nonzero(mask)), float(length.sum(where=mask, dtype=np.float64)))

    def changed(self, gone: Scores, come: Scores) -> "Statistics":
        """Without texts of these lengths and with others."""
        terms = self.terms - gone.sum(dtype=np.float64) + come.sum(dtype=np.float64)
        return Statistics(self.count - len(gone) + len(come), float(terms))

    @property
    def mean_length(self) -> float:
        """In terms, at least one."""
        return max(1.0, self.terms / self.count) if self.count else 1.0

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
    """The words of one generation of an index."""

    def __init__(self, columns: Columns) -> None:
        self._owners, self._passages = columns.owners, columns.passages
        self._postings: OrderedDict[tuple[tuple[Scope, ...], str], Postings] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def postings(self, connection: sqlite3.Connection, scopes: tuple[Scope, ...], term: str) -> Postings:
        """Where a term stands in some scopes."""
        key = (scopes, term)
        with self._lock:
            kept = self._postings.get(key)
            if kept is not None:
                self._postings.move_to_end(key)
                return kept
        keys, times = postings.read(connection, scopes, term)
        positions = number_of(self._passages.position_of, keys)
        counts = times.astype(np.float32)
        if (np.diff(positions) < 0).any():
            order = np.argsort(positions)
            positions, counts = positions[order], counts[order]
        owner_of = self._passages.owner_of[positions]
        first = np.flatnonzero(np.diff(owner_of, prepend=-1))
        by_owner = np.add.reduceat(counts, first) if len(first) else counts
        found = Postings(positions, counts, owner_of[first], by_owner)
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
        further = [(term, weight) for term, weight in beside.items() if term not in query]
        if len(self._passages) * len(literal + further) > MOST_READ:
            telling = _telling(self._holders(connection, scopes, [term for term, _ in literal + further]))
            literal, further = ([one for one in some if one[0] in telling] for some in (literal, further))
        asked = literal + further
        lists = [self.postings(connection, scopes, term) for term, _ in asked]
        weights = np.array([weight for _, weight in asked])
        own = np.arange(len(asked)) < len(literal)

        articles = _flat([(one.owners, one.by_owner) for one in lists]).where(lambda owners: allowed[owners])
        worth = weights * statistics.articles.rarity(np.bincount(articles.term, minlength=len(asked)))
        length = self._owners.length[articles.places] / np.float32(statistics.articles.mean_length)
        scored = worth[articles.term] * _saturated(length, articles.counts, np.float32(B_ARTICLE))
        by_owner = Summing(articles.places, len(self._owners))

        passages = _flat([(one.positions, one.counts) for one in lists])
        passages = passages.where(lambda positions: allowed[self._passages.owner_of[positions]])
        by_passage = Summing(passages.places, len(self._passages))
        scores = by_passage.sums(self._scored(passages, weights, statistics))
        is_name = self._passages.is_name[scores.places]
        names = scores.where(is_name)
        said = by_passage.sums(own[passages.term]).figures[is_name]
        share = np.minimum(1, said / np.maximum(self._passages.length[names.places], 1))
        title, title_share = self._best_names(names.places, names.figures, share)
        return WordScores(
            article=by_owner.sums(scored),
            title=title,
            passage=scores.where(~is_name),
            title_share=title_share,
            said=by_owner.sums(own[articles.term]),
            asked=len(literal),
            ceiling=float(worth[own].sum()) * (K1 + 1) / 2,
        )

    def _scored(self, found: "_Flat", weights: Figures, statistics: WordStatistics) -> Figures:
        """What each term is worth to each passage, a name being one of all names, and other text one of all of it."""
        kinds, terms = (statistics.bodies, statistics.names), len(weights)
        is_name = self._passages.is_name[found.places]
        # Of which kind and which term: so that one small table tells all that depends on both
        place = found.term + terms * is_name
        holders = np.bincount(place, minlength=2 * terms).reshape(2, terms)
        worth = np.concatenate([weights * one.rarity(held) for one, held in zip(kinds, holders, strict=True)])
        mean_length = np.array([one.mean_length for one in kinds], np.float32).repeat(terms)
        b = np.array([B_PASSAGE, B_TITLE], np.float32).repeat(terms)
        length = self._passages.length[found.places] / mean_length[place]
        scored: Figures = worth[place] * _saturated(length, found.counts, b[place])
        return scored

    def _best_names(self, places: Positions, *figures: Figures) -> tuple[Sparse, ...]:
        """The highest of each of these figures of names, by owner; owners lie in the order of their passages."""
        owner_of = self._passages.owner_of[places]
        first = np.flatnonzero(np.diff(owner_of, prepend=-1))
        return tuple(Sparse(owner_of[first], np.maximum.reduceat(one, first) if len(first) else one) for one in figures)

    def _holders(
        self, connection: sqlite3.Connection, scopes: tuple[Scope, ...], terms: Sequence[str]
    ) -> dict[str, int]:
        """How many passages hold each of the terms."""
        with self._lock:
            kept = {term: self._postings.get((scopes, term)) for term in terms}
        holders = {term: len(found.positions) for term, found in kept.items() if found is not None}
        return holders | postings.holders(connection, scopes, [term for term in terms if term not in holders])

    def _asked(
        self, connection: sqlite3.Connection, query: Mapping[str, int], scopes: tuple[Scope, ...], allowed: Mask
    ) -> list[tuple[str, float]]:
        """The query's rarest terms with their weights, so that a page of log costs no more than a sentence."""
        weights = {term: 1.0 + log(count) for term, count in islice(query.items(), MOST_QUERY_TERMS * 8)}
        if len(weights) <= MOST_QUERY_TERMS:
            return list(weights.items())
        owner_of = self._passages.owner_of
        rarest = sorted(
            (int(np.count_nonzero(allowed[owner_of[self.postings(connection, scopes, term).positions]])), term)
            for term in weights
        )
        return [(term, weights[term]) for _, term in rarest[:MOST_QUERY_TERMS]]


def _telling(holders: Mapping[str, int]) -> set[str]:
    """The rarest terms, as long as their lists together may be read; the rarest of all in any case.

    A word that a tenth of a million records say tells little beside one that a hundred say, and costs a thousand times
    as much.
    """
    telling: set[str] = set()
    read = 0
    for count, term in sorted((count, term) for term, count in holders.items()):
        read += count
        if read > MOST_READ and any(holders[one] for one in telling):
            break
        telling.add(term)
    return telling


def _saturated(length: Scores, frequency: Scores, b: Scores | np.float32) -> Scores:
    """BM25 but for rarity and weight: how much it tells that a text says a term so often.

    ``length`` is that of the text, as a share of the mean.
    """
    return frequency * np.float32(K1 + 1) / (frequency + np.float32(K1) * (1 - b + b * length))


@dataclass(frozen=True, slots=True)
class _Flat:
    """The lists of some terms as one: which term it is, where, and how often."""

    term: Positions
    places: Positions
    counts: Scores

    def where(self, is_seen: Callable[[Positions], Mask]) -> "_Flat":
        """Those at places that may be seen, which mostly are all."""
        seen = is_seen(self.places)
        return self if seen.all() else _Flat(self.term[seen], self.places[seen], self.counts[seen])


def _flat(found: Sequence[tuple[Positions, Scores]]) -> _Flat:
    sizes = [len(places) for places, _ in found]
    places = np.concatenate([np.zeros(0, np.int64), *(one for one, _ in found)])
    counts = np.concatenate([np.zeros(0, np.float32), *(one for _, one in found)])
    return _Flat(np.repeat(np.arange(len(found)), sizes), places, counts)
