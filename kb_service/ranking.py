"""Pure functions: candidates of both lanes become one order, each with a confidence band.

A convex combination of lane scores, each brought to 0..1 over the candidates of the query: words by their maximum,
meanings between their least and their most.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from indexer.snapshot import Candidate, Found

Confidence = Literal["strong", "medium", "weak"]

# What each lane counts in the order. Set on five labelled sets (alert texts, questions, bug reports; 1,939 queries):
# mean nDCG@10 0.86 against 0.80 for the best single lane, and level over a wide range around these values
WEIGHTS: Mapping[str, float] = {
    "passage_meaning": 0.40,
    "title_meaning": 0.20,
    "article_words": 0.19,
    "passage_words": 0.03,
    "title_words": 0.18,
}
# In a short query an identifier that few articles hold outweighs everything else. In a long text (a pasted log, a bug
# report) it is one hint among many: a full bonus there cost 0.03 to 0.1 nDCG@10 on reports, a small one nothing
EXACT_BONUS = 1.0
EXACT_BONUS_IN_LONG_TEXT = 0.05
LONG_TEXT_TERMS = 16
EXACT_MOST_HOLDERS = 5
EXACT_SHARE = 0.05
# An article valid for a limited time is about something going on now
WINDOW_BONUS = 0.1
# A hit of less than this share of the best one's score is noise
LEAST_SHARE = 0.25
# Bands, by the raw likeness below (0..1)
STRONG, MEDIUM = 0.60, 0.45


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its place in the order: ``score`` for ordering, ``lanes`` its parts, ``confidence`` its band."""

    candidate: Candidate
    score: float
    lanes: Mapping[str, float]
    confidence: Confidence


def rank(found: Found, query_terms: int) -> list[Ranked]:
    """The candidates in order, best first; ties by id, so that the order is always the same.

    ``query_terms`` is how many different terms the query has.
    """
    candidates = found.candidates
    bonus = EXACT_BONUS if query_terms <= LONG_TEXT_TERMS else EXACT_BONUS_IN_LONG_TEXT
    lanes = {name: _scaled(name, [getattr(candidate, name) for candidate in candidates]) for name in WEIGHTS}
    ranked = []
    for place, candidate in enumerate(candidates):
        parts = {name: WEIGHTS[name] * scaled[place] for name, scaled in lanes.items()}
        telling = tuple(code for code in candidate.exact if _telling(found.holders[code], found.visible))
        score = sum(parts.values()) + WINDOW_BONUS * candidate.in_window + bonus * bool(telling)
        sure = bool(telling) and query_terms <= LONG_TEXT_TERMS
        band = "strong" if sure else confidence(candidate, found.words_ceiling)
        ranked.append(Ranked(candidate, round(score, 6), parts, band))
    least = LEAST_SHARE * max((hit.score for hit in ranked), default=0.0)
    worthy = [hit for hit in ranked if hit.score > 0 and hit.score >= least]
    return sorted(worthy, key=lambda hit: (-hit.score, hit.candidate.owner_id))


def confidence(candidate: Candidate, words_ceiling: float) -> Confidence:
    """How surely the candidate is an answer, by itself and not by its place."""
    meaning = max(candidate.passage_meaning or 0.0, candidate.title_meaning or 0.0)
    words = min(1.0, max(candidate.article_words, 0.0) / words_ceiling) if words_ceiling else 0.0
    likeness = 0.75 * meaning + 0.25 * words if meaning else 0.8 * words
    return "strong" if likeness >= STRONG else "medium" if likeness >= MEDIUM else "weak"


def _telling(holders: int, visible: int) -> bool:
    return holders <= max(EXACT_MOST_HOLDERS, EXACT_SHARE * visible)


def _scaled(name: str, values: Sequence[float | None]) -> list[float]:
    """Lane scores as 0..1; what a lane does not know counts as its least."""
    known = [value for value in values if value is not None]
    if not known:
        return [0.0] * len(values)
    low = min(known) if name.endswith("_meaning") else 0.0
    span = max(known) - low
    if span <= 0:
        return [0.0 if value is None or name.endswith("_words") else 1.0 for value in values]
    return [0.0 if value is None else (value - low) / span for value in values]
