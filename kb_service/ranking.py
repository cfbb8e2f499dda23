"""Pure functions: candidates of both lanes become one order.

A weighted sum of what each lane says of a candidate by itself: inner products as they are, words as a share of what an
article would score that says all of them. Nothing is scaled to the best of the query, so that a lane which has
nothing good says so.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from indexer.identifiers import is_code
from indexer.retrieval import Candidate, Found

Bonuses = Mapping[str, Mapping[str, float]]
"""By owner, by the name of the part of the score."""
_NO_BONUSES: Bonuses = {}

Lane = Literal["words", "meaning"]
LANES: tuple[Lane, ...] = ("words", "meaning")

# What each says in the order. Set on the five labelled sets by a random search over all weights at once, kept where
# every set gains: see the commit. Level within 0.003 mean nDCG@10 for a change of a third in any one of them
WEIGHTS: Mapping[str, float] = {
    "meaning": 1.0,
    "title_meaning": 0.1,
    "mean_meaning": 0.3,
    "article_words": 0.8,
    "title_words": 0.5,
    "title_share": 0.2,
}
LANE_OF: Mapping[str, Lane] = {
    "meaning": "meaning",
    "title_meaning": "meaning",
    "mean_meaning": "meaning",
    "article_words": "words",
    "title_words": "words",
    "title_share": "words",
}
# What a score may have beside likeness
BONUSES = ("exact", "window", "evidence", "service", "ci", "tag", "recency")
# A question says in its own words what the article says in others, so that its few words tell little; in an alert or a
# report of so many terms enough of them are the article's own
TELLING_TERMS = 35
# Words typed without any of a sentence's common ones are meant as they stand; this share of common ones is a sentence
SENTENCE_SHARE = 0.2
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
EVIDENCE_WEIGHT = 0.1
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
        return sum(value for name, value in self.parts.items() if name in WEIGHTS)


def rank(
    found: Found, common_share: float, lanes: Collection[Lane] = LANES, bonuses: Bonuses = _NO_BONUSES
) -> list[Ranked]:
    """The candidates in order, best first; ties by id, so that the order is always the same.

    ``common_share`` is the share of the query's words that are the commonest English ones. With one of the ``lanes``
    alone it is the order of that lane. ``bonuses`` are what is known of some of them beside the lanes.
    """
    trust = words_trust(found.asked, common_share) if "meaning" in lanes else 1.0
    few, naming = telling_identifiers(found)
    ranked = []
    for candidate in found.candidates:
        parts = {name: value for name, value in _parts(candidate, found, trust).items() if LANE_OF[name] in lanes}
        named = few.intersection(candidate.named)
        exact = tuple(code for code in candidate.exact if code in naming or code in named)
        if "words" in lanes and exact:
            parts["exact"] = EXACT_BONUS * min(1.0, len(exact) / max(1, len(naming))) + NAMED_BONUS * bool(named)
        if candidate.in_window:
            parts["window"] = WINDOW_BONUS
        parts |= bonuses.get(candidate.owner_id, {})
        ranked.append(
            Ranked(candidate, round(sum(parts.values()), 6), parts, exact, bool(named) or _certain(exact, found))
        )
    least = LEAST_SHARE * max((hit.likeness for hit in ranked), default=0.0)
    worthy = [hit for hit in ranked if hit.score > 0 and (hit.score >= least or hit.exact)]
    return sorted(worthy, key=lambda hit: (-hit.score, hit.candidate.owner_id))


def with_bonuses(ranked: Sequence[Ranked], bonuses: Bonuses) -> list[Ranked]:
    """The hits in order once more, with what became known of them since."""
    again = []
    for hit in ranked:
        own = bonuses.get(hit.candidate.owner_id, {})
        again.append(replace(hit, score=round(hit.score + sum(own.values()), 6), parts={**hit.parts, **own}))
    return sorted(again, key=lambda hit: (-hit.score, hit.candidate.owner_id))


def in_steady_order(ranked: Sequence[Ranked], shown: Sequence[str]) -> list[Ranked]:
    """The hits as before while somebody types: one passes another that is ``shown`` only by a margin in the score.

    With nothing shown it is the order given.
    """
    if not shown:
        return list(ranked)
    place = {owner_id: number for number, owner_id in reversed(list(enumerate(shown)))}
    steady: list[Ranked] = []
    for hit in sorted(ranked, key=lambda hit: place.get(hit.candidate.owner_id, len(shown))):
        at = len(steady)
        while at and hit.score > steady[at - 1].score + STEADY_MARGIN:
            at -= 1
        steady.insert(at, hit)
    return steady


def _certain(exact: Sequence[str], found: Found) -> bool:
    """In a short query an assigned code, or one that no other article holds, leaves no doubt what is meant."""
    return found.asked <= LONG_TEXT_TERMS and any(is_code(code) or found.holders[code] == 1 for code in exact)


def words_trust(terms: int, common_share: float) -> float:
    """How much the words of a query tell beside its meaning, 0..1."""
    keywords = max(0.0, 1 - common_share / SENTENCE_SHARE)
    return max(keywords, min(1.0, terms / TELLING_TERMS))


def _parts(candidate: Candidate, found: Found, trust: float) -> dict[str, float]:
    """What each says, weighted. A meaning that is not known yet counts as none."""
    ceiling = found.words_ceiling or 1.0
    says = {
        "meaning": max(candidate.passage_meaning or 0.0, candidate.title_meaning or 0.0),
        "title_meaning": max(0.0, candidate.title_meaning or 0.0),
        "mean_meaning": candidate.mean_meaning or 0.0,
        "article_words": trust * max(0.0, candidate.article_words) / ceiling,
        "title_words": trust * max(0.0, candidate.title_words) / ceiling,
        "title_share": candidate.title_share,
    }
    return {name: WEIGHTS[name] * value for name, value in says.items()}


def telling_identifiers(found: Found) -> tuple[frozenset[str], frozenset[str]]:
    """The identifiers of the query that some articles hold, but few; and those of them that put any holder first."""
    most = max(EXACT_MOST_HOLDERS, EXACT_SHARE * found.visible)
    few = frozenset(code for code, holders in found.holders.items() if 0 < holders <= most)
    return few, few if found.asked <= LONG_TEXT_TERMS else frozenset(filter(is_code, few))
