"""How surely a hit is an answer: a probability, and the band that a person reads.

A logistic regression over what the lanes say of a hit and over its lead on the next best; fitted to labelled sets by
``python -m tests.relevance.calibrate`` and kept in ``calibration.json`` by encoder, since cosines of two models are not
alike. Where the encoder has no fit, or a hit no vector yet, words alone judge.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from indexer.identifiers import is_code
from indexer.retrieval import Found
from kb_service.ranking import FULL_BONUSES, Figures, Order

Confidence = Literal["strong", "medium", "weak"]
Corpus = Literal["articles", "incidents"]

CALIBRATION = Path(__file__).parent / "calibration.json"
WORDS_ONLY = "words"
# Where an identifier leaves no doubt what is meant
SURE = 0.99
STRONG = 0.65
MEDIUM = 0.3
# What is known beside likeness adds to the log odds: of an article, full evidence of incidents; of an incident, that it
# is of the same service or item (a fit to our own sample says 1.9 and 1.7; less is taken, since the sample is ours)
_FURTHER_ODDS: Mapping[Corpus, Mapping[str, float]] = {
    "articles": {"evidence": 2.0},
    "incidents": {"service": 1.0, "ci": 1.2},
}


@dataclass(frozen=True, slots=True)
class Model:
    """One fit: what each feature adds to the log odds."""

    intercept: float
    weights: Mapping[str, float]

    def probabilities(self, features: Mapping[str, Figures], further_odds: Figures | float = 0.0) -> Figures:
        """``(n,)``, each between 0 and 1, for columns of features."""
        odds = further_odds + self.intercept
        for name, weight in self.weights.items():
            odds = odds + weight * features[name]
        return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30.0, 30.0))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fits for one encoder. ``model`` is None where none was made for it."""

    model: Model | None
    words_only: Model
    kind: Corpus = "articles"

    @classmethod
    def of(cls, encoder: str, kind: Corpus = "articles") -> "Calibration":
        """For an encoder by its identity: does an article answer, or is a record one of the same fault."""
        fits = _stored()["fits"]
        own, words = fits.get(encoder), fits[WORDS_ONLY][kind]
        return cls(_model(own[kind]) if own else None, _model(words), kind)

    def probabilities(self, order: Order, found: Found) -> Figures:
        """How likely each hit answers, ``(n,)``, in order."""
        seen, further = features(order, found), self._further_odds(order)
        known = _have_meaning(order)
        if self.model is None or not known.any():
            chances = self.words_only.probabilities(seen, further)
        else:
            chances = self.model.probabilities(seen, further)
            if not known.all():
                chances = np.where(known, chances, self.words_only.probabilities(seen, further))
        for place in self._leaving_no_doubt(order):
            chances[place] = max(chances[place], SURE)
        return chances

    def _further_odds(self, order: Order) -> Figures:
        """What is known beside likeness adds, by how much of its bonus the hit has."""
        odds = np.zeros(len(order))
        for name, most in _FURTHER_ODDS[self.kind].items():
            odds += most * order.part(name) / FULL_BONUSES[name]
        return odds

    def _leaving_no_doubt(self, order: Order) -> list[int]:
        """The places of such hits. A host that two records name does not make them one fault; an assigned code does."""
        certain = (place for place, row in enumerate(order.rows.tolist()) if row in order.certain)
        if self.kind == "articles":
            return list(certain)
        return [place for place in certain if any(map(is_code, order[place].exact))]


def band(probability: float, strong: float) -> Confidence:
    """The band of a probability; ``strong`` is where the strong one begins."""
    return "strong" if probability >= strong else "medium" if probability >= min(MEDIUM, strong) else "weak"


def in_percent(probability: float) -> str:
    """A probability as a person reads it: whole percents, and never none or all, which nobody knows."""
    return "under 1%" if probability < 0.01 else "over 99%" if probability > 0.99 else f"{probability:.0%}"


def features(order: Order, found: Found) -> dict[str, Figures]:
    """What hits are judged by, ``(n,)`` each, in order."""
    figures, rows = order.candidates.figures, order.rows
    ceiling = found.words_ceiling or 1.0
    return {
        "meaning": np.maximum(np.maximum(figures("passage_meaning"), figures("title_meaning")), 0.0)[rows],
        "mean_meaning": figures("mean_meaning")[rows],
        "words": np.clip(figures("article_words")[rows] / ceiling, 0.0, 1.5),
        "title_words": np.clip(figures("title_words")[rows] / ceiling, 0.0, 1.5),
        "title_share": figures("title_share")[rows],
        "said": figures("said")[rows] / max(1, found.asked),
        "lead": np.clip(_leads(order), -0.5, 0.5),
        "length": np.full(len(order), log(max(1, found.asked))),
    }


def _leads(order: Order) -> Figures:
    """How much more alike than the best of the others each hit is: below zero for all but one.

    Of a hit whose meaning is not known yet it is by words alone. To those of which it is known that one may mean as
    much as any of them: it counts as if it did, or what is encoded first would be sure for want of rivals.
    """
    likeness, known = order.likeness, _have_meaning(order)
    leads = likeness - _best_of_others(likeness)
    if known.all() or not known.any():
        return leads
    words = order.of_lane("words")
    may_be = words[~known].max() + (likeness - words)[known].max()
    return np.where(known, np.minimum(leads, likeness - may_be), words - _best_of_others(words))


def _best_of_others(values: Figures) -> Figures:
    """For each the largest of the others, ``(n,)``; none where there is no other."""
    best = np.full(len(values), values.max(initial=0.0))
    if len(values):
        first = int(values.argmax())
        best[first] = np.delete(values, first).max(initial=0.0)
    return best


def _have_meaning(order: Order) -> NDArray[np.bool_]:
    """Which hits have a vector, ``(n,)``, in order."""
    return order.candidates.have_meaning[order.rows]


@cache
def _stored() -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(CALIBRATION.read_text("utf-8"))
    return stored


def _model(stored: Mapping[str, Any]) -> Model:
    return Model(stored["intercept"], stored["weights"])
