"""Probabilities behind the bands, and what is stored of their fit."""

import json

import numpy as np
import pytest

from indexer.candidates import Candidate, Candidates
from indexer.encoder import HashingEncoder
from indexer.retrieval import Found
from kb_service.confidence import (
    CALIBRATION,
    MEDIUM,
    STRONG,
    SURE,
    Calibration,
    Confidence,
    Model,
    band,
    features,
    in_percent,
)
from kb_service.ranking import rank

STORED = json.loads(CALIBRATION.read_text("utf-8"))
(REAL,) = (name for name in STORED["fits"] if name.endswith(":onnx-int8-2"))
GOOD = Candidate("good", article_words=9, title_words=9, title_share=1, said=4, passage_meaning=0.8, title_meaning=0.8)
POOR = Candidate("poor", article_words=5, said=1, passage_meaning=0.4, title_meaning=0.3)


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0, "under 1%"),
        (0.0099, "under 1%"),
        (0.01, "1%"),
        (0.847, "85%"),
        (0.99, "99%"),
        (0.9951, "over 99%"),
        (1, "over 99%"),
    ],
)
def test_nothing_is_said_to_be_certain(probability: float, said: str) -> None:
    assert in_percent(probability) == said


def found(*candidates: Candidate, holders: dict[str, int] | None = None) -> Found:
    return Found(Candidates.of(candidates), 100, holders or {}, 4, 10.0)


def chances(what: Found, encoder: str = REAL) -> dict[str, float]:
    ranked = rank(what)
    return dict(zip(ranked.ids, Calibration.of(encoder).probabilities(ranked, what).tolist(), strict=True))


def test_the_fit_says_where_it_comes_from() -> None:
    assert STORED["from"]["command"] == "python -m tests.relevance.calibrate"
    assert STORED["from"]["queries"].keys() >= {"kubeprom", "openshift", "stackfaq"}
    for of_encoder in STORED["fits"].values():
        assert of_encoder.keys() == {"articles", "incidents"}


def test_a_good_hit_far_ahead_is_strong_and_a_poor_one_alone_is_weak() -> None:
    both = chances(found(GOOD, POOR))
    assert band(both["good"], STRONG) == "strong"
    assert band(both["poor"], STRONG) == "weak"
    assert band(chances(found(POOR))["poor"], STRONG) == "weak"


def test_what_is_not_encoded_yet_makes_others_less_sure_by_what_it_may_mean() -> None:
    unencoded = Candidate("unencoded", article_words=9, title_words=9, title_share=1, said=4)
    wordless = Candidate("wordless", article_words=1, said=1)
    sure = chances(found(GOOD, POOR))["good"]
    beside_rival = chances(found(GOOD, POOR, unencoded))["good"]
    assert band(sure, STRONG) == "strong" != band(beside_rival, STRONG)
    assert sure >= chances(found(GOOD, POOR, wordless))["good"] > beside_rival


def test_two_alike_make_each_other_less_sure() -> None:
    twin = Candidate("twin", article_words=9, title_words=9, title_share=1, said=4, passage_meaning=0.8)
    assert chances(found(GOOD, twin))["good"] < chances(found(GOOD, POOR))["good"]


@pytest.mark.parametrize("encoder", [REAL, HashingEncoder.identity, "another-model:onnx-int8-2"])
def test_without_a_fit_or_a_vector_words_judge(encoder: str) -> None:
    alone = Candidate("a", article_words=9, title_words=9, title_share=1, said=4)
    other = Candidate("b", article_words=5, said=1)
    assert chances(found(alone, other), encoder)["a"] == pytest.approx(chances(found(alone, other), "none")["a"])
    assert band(chances(found(alone, other), encoder)["a"], STRONG) == "strong"


@pytest.mark.parametrize(
    ("code", "holders", "sure"),
    [("ora-01017", 3, True), ("kubepodcrashlooping", 1, True), ("kubepodcrashlooping", 3, False)],
)
def test_a_code_or_a_name_of_its_own_leaves_no_doubt(code: str, holders: int, sure: bool) -> None:
    holder = Candidate("holder", exact=(code,), passage_meaning=0.2)
    assert (chances(found(holder, POOR, holders={code: holders}))["holder"] >= SURE) is sure


@pytest.mark.parametrize(
    ("probability", "expected"),
    [(STRONG, "strong"), (STRONG - 0.01, "medium"), (MEDIUM, "medium"), (MEDIUM - 0.01, "weak")],
)
def test_bands(probability: float, expected: Confidence) -> None:
    assert band(probability, STRONG) == expected


def test_a_probability_stays_one_whatever_the_features() -> None:
    low, high = Model(0.0, {"words": 1e6}).probabilities({"words": np.array([-1.0, 1.0])})
    assert 0 < low < high < 1


def test_the_lead_is_on_the_best_of_the_others() -> None:
    three = found(*(Candidate(name, passage_meaning=score) for name, score in (("a", 0.9), ("b", 0.8), ("c", 0.5))))
    ranked = rank(three)
    assert features(ranked, three)["lead"] == pytest.approx([0.1, -0.1, -0.4])
    assert features(ranked.at(np.array([0])), three)["lead"] == pytest.approx([0.5])
