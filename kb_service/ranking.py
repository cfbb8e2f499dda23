"""Pure functions: candidates of both lanes become one order.

A weighted sum of what each lane says of a candidate by itself: inner products as they are, words as a share of what an
article would score that says all of them. Nothing is scaled to the best of the query, so that a lane which has
nothing good says so.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from indexer.candidates import Candidate, Candidates
from indexer.identifiers import is_code
from indexer.language import ENGLISH, Language
from indexer.retrieval import Found

Figures = NDArray[np.float64]
Bonuses = Mapping[str, Mapping[str, float]]
"""By owner, by the name of the part of the score."""
_NO_BONUSES: Bonuses = {}

Lane = Literal["words", "meaning"]
LANES: tuple[Lane, ...] = ("words", "meaning")

# What each says in the order. Set by a random search over all weights at once on the five labelled sets and on the
# indexes of two manuals (tests/relevance/manuals.py), kept where no set loses: see the commit. Level within 0.003 mean
# nDCG@10 for a change of a third in any one of them
WEIGHTS: Mapping[str, float] = {
    "meaning": 1.0,
    "title_meaning": 0.05,
    "mean_meaning": 0.4,
    "article_words": 1.2,
    "title_words": 0.3,
    "title_share": 0.2,
}
LANE_OF: Mapping[str, Lane] = {
    "meaning": "meaning",
    "title_meaning": "meaning",
    "mean_meaning": "meaning",
    "awaited_meaning": "meaning",
    "article_words": "words",
    "title_words": "words",
    "title_share": "words",
}
# What a score may have beside likeness
BONUSES = ("exact", "window", "evidence", "service", "ci", "tag", "recency")
# What is not encoded yet is taken to mean as much as the best that is, times this power of its share of the best words.
# Counted as none it would be last whatever it says: see tests/relevance/partly.py, which measures it
AWAITED_POWER = 0.25
# A question says in its own words what the article says in others, so that its few words tell little; in an alert or a
# report of so many terms enough of them are the article's own
TELLING_TERMS = 35
# Words typed without any of a sentence's common ones are meant as they stand; this share of common ones is a sentence
SENTENCE_SHARE = 0.2
# Models know other languages than English less well, some none but English: in those a sentence's words tell at least
# this much. On help pages in five languages by their summaries nothing more gains 0.01; without it the default model's
# order was below that of words alone in four of them (tests/relevance/test_languages.py)
LEAST_TRUST_ELSEWHERE = 0.5
# An identifier that few articles hold outweighs everything else. In a text of more terms than this (a pasted log, a
# report) only codes that somebody assigned do, and what is an article's very name: names of classes, hosts and files
# stand there by the way
EXACT_BONUS = 10.0
# ... and an article that is called by it goes before others that hold it
NAMED_BONUS = 1.0
LONG_TEXT_TERMS = 16
EXACT_MOST_HOLDERS = 5
EXACT_SHARE = 0.05
# An article valid for a limited time is about something going on now
WINDOW_BONUS = 0.1
# What resolved incidents like this one. Measured by leaving each query out of its set's, see the commit: more of it
# gains nothing where reports recur, and costs where every alert has a runbook of its own
EVIDENCE_WEIGHT = 0.15
# Of the same service, of the same configuration item, tagged as the ticket's category: what is preferred goes before
# what is as much alike
PREFERENCE_BONUSES: Mapping[str, float] = {"service": 0.05, "ci": 0.1, "tag": 0.03}
FULL_BONUSES: Mapping[str, float] = {**PREFERENCE_BONUSES, "evidence": EVIDENCE_WEIGHT}
# While somebody types, what is shown keeps its place unless another is better by this much
STEADY_MARGIN = 0.15
# A hit of less than this share of the best one's score is noise
LEAST_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its place in the order: ``score`` for ordering, ``parts`` what it is the sum of.

    ``exact`` are the identifiers that put it first, ``certain`` says that they leave no doubt.
    """

    candidate: Candidate
    score: float
    parts: Mapping[str, float]
    exact: tuple[str, ...] = ()
    certain: bool = False

    @property
    def likeness(self) -> float:
        """The score without what is no likeness: identifiers and time."""
        return sum(value for name, value in self.parts.items() if name in LANE_OF)


class Order(Sequence[Ranked]):
    """Candidates in order, best first. Each is made ready when it is looked at, since few ever are."""

    def __init__(
        self,
        candidates: Candidates,
        rows: NDArray[np.int64],
        parts: Mapping[str, Figures],
        exact: Mapping[int, tuple[str, ...]],
        certain: Collection[int],
    ) -> None:
        """``rows`` are those of the candidates in their order, ``parts`` columns over all of the candidates.

        ``exact`` and ``certain`` are by row, see ``Ranked``.
        """
        self.candidates, self.rows = candidates, rows
        self._parts, self._exact, self.certain = parts, exact, certain

    @cached_property
    def ids(self) -> list[str]:
        """The ids of the owners in order."""
        return [self.candidates.owner_ids[row] for row in self.rows.tolist()]

    @cached_property
    def scores(self) -> Figures:
        """``(n,)``, in order."""
        return _sum(self._parts.values(), len(self.candidates))[self.rows].round(6)

    @cached_property
    def likeness(self) -> Figures:
        """``(n,)``, in order: the scores without what is no likeness."""
        alike = (column for name, column in self._parts.items() if name in LANE_OF)
        return _sum(alike, len(self.candidates))[self.rows]

    def of_lane(self, lane: Lane) -> Figures:
        """What one lane adds to the scores, ``(n,)``, in order."""
        return _sum((self.part(name) for name, own in LANE_OF.items() if own == lane), len(self))

    def part(self, name: str) -> Figures:
        """What one part adds to the scores, ``(n,)``, in order."""
        column = self._parts.get(name)
        return np.zeros(len(self)) if column is None else column[self.rows]

    def with_bonuses(self, bonuses: Bonuses) -> "Order":
        """The same in order once more, with what became known of some of them since."""
        parts = {**self._parts, **_columns(bonuses, self.candidates)}
        rows = _in_order(self.rows, _sum(parts.values(), len(self.candidates)).round(6), self.candidates.owner_ids)
        return Order(self.candidates, rows, parts, self._exact, self.certain)

    def steady(self, shown: Sequence[str]) -> "Order":
        """As before while somebody types; see ``in_steady_order``."""
        if not shown:
            return self
        return self.at(np.array(in_steady_order(self.ids, self.scores.tolist(), shown), np.int64))

    def at(self, places: NDArray[np.int64]) -> "Order":
        """Some of them alone, in the order of these places."""
        return Order(self.candidates, self.rows[places], self._parts, self._exact, self.certain)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> Ranked: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Ranked, ...]: ...
    def __getitem__(self, at: int | slice) -> Ranked | tuple[Ranked, ...]:
        if isinstance(at, slice):
            return tuple(self[place] for place in range(len(self))[at])
        row = int(self.rows[at])
        parts = {
            name: float(column[row]) for name, column in self._parts.items() if name in WEIGHTS or column[row] != 0
        }
        exact = self._exact.get(row, ())
        return Ranked(self.candidates[row], float(self.scores[at]), parts, exact, row in self.certain)


def rank(found: Found, trust: float = 1.0, lanes: Collection[Lane] = LANES, bonuses: Bonuses = _NO_BONUSES) -> Order:
    """The candidates in order, best first; ties by id, so that the order is always the same.

    ``trust`` says how much the query's words tell beside its meaning, see ``words_trust``. With one of the ``lanes``
    alone it is the order of that lane. ``bonuses`` are what is known of some of them beside the lanes.
    """
    candidates = found.candidates
    few, naming = telling_identifiers(found)
    parts = {name: column for name, column in _parts(found, trust).items() if LANE_OF[name] in lanes}
    if {*lanes} == {*LANES}:
        parts |= _awaited(parts, candidates)
    likeness = _sum(parts.values(), len(candidates))
    exact: dict[int, tuple[str, ...]] = {}
    certain: set[int] = set()
    first = np.zeros(len(candidates))
    for row, held in candidates.exact.items():
        named = few.intersection(candidates.named.get(row, ()))
        telling = tuple(code for code in held if code in naming or code in named)
        if telling:
            exact[row] = telling
            first[row] = EXACT_BONUS * min(1.0, len(telling) / max(1, len(naming))) + NAMED_BONUS * bool(named)
        if named or _certain(telling, found):
            certain.add(row)
    if "words" in lanes and exact:
        parts["exact"] = first
    if candidates.in_window.any():
        parts["window"] = np.where(candidates.in_window, WINDOW_BONUS, 0.0)
    parts |= _columns(bonuses, candidates)
    scores = _sum(parts.values(), len(candidates)).round(6)
    worthy = scores >= LEAST_SHARE * likeness.max(initial=0.0)
    worthy[list(exact)] = True
    rows = _in_order(np.flatnonzero(worthy & (scores > 0)), scores, candidates.owner_ids)
    return Order(candidates, rows, parts, exact, certain)


def _sum(columns: Iterable[Figures], count: int) -> Figures:
    total = np.zeros(count)
    for column in columns:
        total += column
    return total


def _columns(bonuses: Bonuses, candidates: Candidates) -> dict[str, Figures]:
    """What is known of some owners, as columns."""
    columns: dict[str, Figures] = {}
    for row, owner_id in enumerate(candidates.owner_ids) if bonuses else ():
        for name, bonus in bonuses.get(owner_id, {}).items():
            columns.setdefault(name, np.zeros(len(candidates)))[row] = bonus
    return columns


def _in_order(rows: NDArray[np.int64], scores: Figures, ids: Sequence[str]) -> NDArray[np.int64]:
    """Rows by falling scores; where two are the same, by id."""
    ordered = rows[np.argsort(-scores[rows], kind="stable")]
    if (np.diff(scores[ordered]) == 0).any():
        ordered = np.array(sorted(ordered.tolist(), key=lambda row: (-scores[row], ids[row])), np.int64)
    return ordered


def in_steady_order(ids: Sequence[str], scores: Sequence[float], shown: Sequence[str]) -> list[int]:
    """The places of hits as before while somebody types: one passes another that is ``shown`` only by a margin.

    ``ids`` and ``scores`` are those of the hits, best first. With nothing shown it is the order given.
    """
    place = {owner_id: number for number, owner_id in reversed(list(enumerate(shown)))}
    steady: list[int] = []
    for hit in sorted(range(len(ids)), key=lambda hit: place.get(ids[hit], len(shown))):
        at = len(steady)
        while at and scores[hit] > scores[steady[at - 1]] + STEADY_MARGIN:
            at -= 1
        steady.insert(at, hit)
    return steady


def _certain(exact: Sequence[str], found: Found) -> bool:
    """In a short query an assigned code, or one that no other article holds, leaves no doubt what is meant."""
    return found.asked <= LONG_TEXT_TERMS and any(is_code(code) or found.holders[code] == 1 for code in exact)


def words_trust(terms: int, common_share: float, language: Language) -> float:
    """How much the words of a query tell beside its meaning, 0..1.

    ``common_share`` is the share of them that are the commonest ones of the language.
    """
    keywords = max(0.0, 1 - common_share / SENTENCE_SHARE)
    least = 0.0 if language.code == ENGLISH.code else LEAST_TRUST_ELSEWHERE
    return max(least, keywords, min(1.0, terms / TELLING_TERMS))


def _parts(found: Found, trust: float) -> dict[str, Figures]:
    """What each says, weighted; nothing of a meaning that is not known yet."""
    figures = found.candidates.figures
    ceiling = found.words_ceiling or 1.0
    title_meaning = figures("title_meaning")
    says = {
        "meaning": np.maximum(np.maximum(figures("passage_meaning"), title_meaning), 0.0),
        "title_meaning": np.maximum(title_meaning, 0.0),
        "mean_meaning": figures("mean_meaning"),
        "article_words": trust * np.maximum(figures("article_words"), 0.0) / ceiling,
        "title_words": trust * np.maximum(figures("title_words"), 0.0) / ceiling,
        "title_share": figures("title_share"),
    }
    return {name: WEIGHTS[name] * column for name, column in says.items()}


def _awaited(parts: Mapping[str, Figures], candidates: Candidates) -> dict[str, Figures]:
    """What those are taken to mean whose meaning is not known yet, where that is so of some of them."""
    known = candidates.have_meaning
    if known.all() or not known.any():
        return {}
    means, says = (
        _sum((column for name, column in parts.items() if LANE_OF[name] == lane), len(candidates))
        for lane in ("meaning", "words")
    )
    share = says / (says.max() or 1.0)
    return {"awaited_meaning": np.where(known, 0.0, means.max() * share**AWAITED_POWER)}


def telling_identifiers(found: Found) -> tuple[frozenset[str], frozenset[str]]:
    """The identifiers of the query that some articles hold, but few; and those of them that put any holder first."""
    most = max(EXACT_MOST_HOLDERS, EXACT_SHARE * found.visible)
    few = frozenset(code for code, holders in found.holders.items() if 0 < holders <= most)
    return few, few if found.asked <= LONG_TEXT_TERMS else frozenset(filter(is_code, few))
