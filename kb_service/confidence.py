"""How surely a hit is an answer: a probability, and the band that a person reads.

A logistic regression over what the lanes say of a hit and over its lead on the next best; fitted to labelled sets by
``python -m tests.relevance.calibrate`` and kept in ``calibration.json`` by encoder, since cosines of two models are not
alike. Where the encoder has no fit, or a hit no vector yet, words alone judge.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, log
from pathlib import Path
from typing import Any, Literal

from indexer.identifiers import is_code
from indexer.retrieval import Found
from kb_service.ranking import FULL_BONUSES, Ranked

Confidence = Literal["strong", "medium", "weak"]
Kind = Literal["articles", "incidents"]

CALIBRATION = Path(__file__).parent / "calibration.json"
WORDS_ONLY = "words"
# Where an identifier leaves no doubt what is meant
SURE = 0.99
STRONG = 0.65
MEDIUM = 0.3
# What is known beside likeness adds to the log odds: of an article, full evidence of incidents; of an incident, that it
# is of the same service or item (a fit to our own sample says 1.9 and 1.7; less is taken, since the sample is ours)
_FURTHER_ODDS: Mapping[Kind, Mapping[str, float]] = {
    "articles": {"evidence": 2.0},
    "incidents": {"service": 1.0, "ci": 1.2},
}


@dataclass(frozen=True, slots=True)
class Model:
    """One fit: what each feature adds to the log odds."""

    intercept: float
    weights: Mapping[str, float]

    def probability(self, features: Mapping[str, float], further_odds: float = 0.0) -> float:
        odds = further_odds + self.intercept + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + exp(-max(-30.0, min(30.0, odds))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fits for one encoder. ``model`` is None where none was made for it."""

    model: Model | None
    words_only: Model
    kind: Kind = "articles"

    @classmethod
    def of(cls, encoder: str, kind: Kind = "articles") -> "Calibration":
        """For an encoder by its identity: does an article answer, or is a record one of the same fault."""
        fits = _stored()["fits"]
        own, words = fits.get(encoder), fits[WORDS_ONLY][kind]
        return cls(_model(own[kind]) if own else None, _model(words), kind)

    def probabilities(self, ranked: Sequence[Ranked], found: Found) -> list[float]:
        """For each hit, in order, how likely it answers."""
        chances = []
        for place, hit in enumerate(ranked):
            known = hit.candidate.passage_meaning is not None or hit.candidate.title_meaning is not None
            model = self.model if self.model and known else self.words_only
            chance = model.probability(features(ranked, place, found), self._further_odds(hit))
            chances.append(max(chance, SURE) if self._leaves_no_doubt(hit) else chance)
        return chances

    def _further_odds(self, hit: Ranked) -> float:
        """What is known beside likeness adds, by how much of its bonus the hit has."""
        odds = _FURTHER_ODDS[self.kind]
        return sum(odds[name] * value / FULL_BONUSES[name] for name, value in hit.parts.items() if name in odds)

    def _leaves_no_doubt(self, hit: Ranked) -> bool:
        """A host that two records name does not make them one fault; an assigned code does."""
        return hit.certain and (self.kind == "articles" or any(map(is_code, hit.exact)))


def band(probability: float, strong: float) -> Confidence:
    """The band of a probability; ``strong`` is where the strong one begins."""
    return "strong" if probability >= strong else "medium" if probability >= min(MEDIUM, strong) else "weak"


def features(ranked: Sequence[Ranked], place: int, found: Found) -> dict[str, float]:
    """What the hit at a place is judged by. The lead is on the best of the others, below zero for all but the first."""
    hit = ranked[place]
    candidate = hit.candidate
    ceiling = found.words_ceiling or 1.0
    others = ranked[0 if place else 1 :][:1]
    lead = hit.likeness - (others[0].likeness if others else 0.0)
    return {
        "meaning": max(candidate.passage_meaning or 0.0, candidate.title_meaning or 0.0),
        "mean_meaning": candidate.mean_meaning or 0.0,
        "words": min(1.5, max(0.0, candidate.article_words) / ceiling),
        "title_words": min(1.5, max(0.0, candidate.title_words) / ceiling),
        "title_share": candidate.title_share,
        "said": candidate.said / max(1, found.asked),
        "lead": max(-0.5, min(0.5, lead)),
        "length": log(max(1, found.asked)),
    }


@cache
def _stored() -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(CALIBRATION.read_text("utf-8"))
    return stored


def _model(stored: Mapping[str, Any]) -> Model:
    return Model(stored["intercept"], stored["weights"])
