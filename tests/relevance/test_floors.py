"""What must hold on the labelled sets: floors, never below one lane or their plain fusion, and honest bands.

Cross-validated where something was fitted: the model is fitted on the other sets and measured on this one.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from indexer import Encoder
from kb_service.confidence import STRONG
from kb_service.evaluation import FUSED
from tests.conftest import EVAL
from tests.relevance import calibrate
from tests.relevance.report import OfSet, differences, measured
from tests.relevance.sets import ALL, ARTICLES

pytestmark = [
    pytest.mark.relevance,
    pytest.mark.skipif(not EVAL.is_dir(), reason=f"the labelled sets are not at {EVAL}: nothing of them was asked"),
]

# nDCG@10 that the fused order had when it was set, less a little for other processors' rounding of int8
FLOORS = {
    "kubeprom": 0.970,
    "openshift": 0.948,
    "stackfaq": 0.976,
    "gitbugs-hadoop": 0.700,
    "gitbugs-seamonkey": 0.740,
}
ALONE = ("bm25", "dense", "rrf", "words", "meaning")
Sets = Mapping[str, OfSet]
Samples = Mapping[str, calibrate.Samples]


@pytest.fixture(scope="module")
def everything(encoder: Encoder, model_cache: Path) -> tuple[Sets, Samples]:
    """Every set asked once, for all that is judged of it."""
    sets: dict[str, OfSet] = {}
    samples: dict[str, calibrate.Samples] = {}
    for development in ALL:
        with development.searcher(encoder, model_cache) as (labelled, searcher, _):
            sets[development.name] = measured(labelled, searcher, None)
            if development in ARTICLES:
                samples[development.name] = calibrate.samples(development, labelled, searcher)
    return sets, samples


@pytest.mark.parametrize("name", FLOORS)
def test_the_floor_holds(everything: tuple[Sets, Samples], name: str) -> None:
    assert np.mean(everything[0][name].values[FUSED]) >= FLOORS[name]


# How far the end of an interval moves from one processor to another, since each rounds int8 vectors otherwise
ROUNDING = 0.002


@pytest.mark.parametrize("other", ALONE)
def test_on_no_set_is_the_fused_order_significantly_below(everything: tuple[Sets, Samples], other: str) -> None:
    by_set, mean = differences(everything[0], other)
    for name, (_, high) in by_set.items():
        assert high >= -ROUNDING, f"{name}: below {other}"
    assert mean[0] > 0, f"on average not significantly above {other}: {mean}"


@pytest.mark.parametrize("name", [development.name for development in ARTICLES])
def test_a_strong_hit_is_right_and_what_has_no_answer_gets_none(everything: tuple[Sets, Samples], name: str) -> None:
    worth = calibrate.cross_validated(everything[1], calibrate.FEATURES, STRONG)[name]
    assert worth.precision >= 0.95
    assert worth.answerable >= 0.60
    assert worth.unanswerable < 0.05


def test_the_fit_that_is_stored_is_the_one_the_script_makes(everything: tuple[Sets, Samples], encoder: Encoder) -> None:
    """Small differences are another processor's; large ones mean that ranking changed and the fit did not follow."""
    fresh = calibrate.fit(list(everything[1].values()), calibrate.FEATURES)
    stored = calibrate.stored_model(encoder.identity)
    assert stored.weights == pytest.approx(fresh.weights, abs=0.3), "run: python -m tests.relevance.calibrate"
