"""``python -m tests.relevance.calibrate``: fit the probabilities behind the bands and write them, with where from.

A logistic regression (iteratively reweighted least squares, with a little shrinkage) over the first hits of each query:
right ones, wrong ones, those of queries that have no answer in the set, and, at less weight, those of queries whose
answer was taken away, which is harder than any question from elsewhere. Each set weighs the same. ``--check`` writes
nothing. Either way the cross-validation is printed: fitted on the other sets, measured on this one.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer import Encoder, open_encoder
from indexer.model_files import DEFAULT_MODEL
from kb_service.confidence import CALIBRATION, STRONG, SURE, WORDS_ONLY, Corpus, Model, features
from kb_service.labelled import LabelledSet
from kb_service.query import Query
from kb_service.search import Searcher
from tests.readme import put
from tests.relevance.sets import ARTICLES, REPORTS, Development

FEATURES = ("meaning", "mean_meaning", "words", "title_words", "title_share", "said", "lead")
WORDS_FEATURES = ("words", "title_words", "title_share", "said", "lead")
# Of one fault there may be many reports: each is judged by itself, not by its lead, and by how much both say
REPORT_FEATURES = ("meaning", "words", "title_share", "said", "length")
REPORT_WORDS_FEATURES = ("words", "title_share", "said", "length")
FEATURES_OF: Mapping[Corpus, tuple[Sequence[str], Sequence[str]]] = {
    "articles": (FEATURES, WORDS_FEATURES),
    "incidents": (REPORT_FEATURES, REPORT_WORDS_FEATURES),
}
FIRST_HITS = 5
FIRST_REPORTS = 20
TAKEN_AWAY_WEIGHT = 0.3
SHRINKAGE = 0.01
PAGE = 10
CUTS = (0.3, 0.4, 0.5, STRONG, 0.8, 0.9)
# One query in so many of a set of more than a thousand: ten rephrasings say little more than two
_MANY = 1_000
_THINNED = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """One hit: what it is judged by, whether it is right, and whether an identifier leaves no doubt."""

    features: Mapping[str, float]
    right: bool
    certain: bool


Page = list[Sample]


@dataclass(frozen=True, slots=True)
class Samples:
    """The first pages of a set's queries, of queries with no answer in it, and of its own with the answer gone."""

    answerable: list[Page]
    unanswerable: list[Page]
    taken_away: list[Page]


@dataclass(frozen=True, slots=True)
class Worth:
    """What a cut is worth on a set: precision of strong hits, and the shares of queries that get one."""

    precision: float
    answerable: float
    unanswerable: float
    taken_away: float


def samples(development: Development, labelled: LabelledSet, searcher: Searcher) -> Samples:
    """Ask everything that a fit on this set takes."""

    def page(text: str, exclude: frozenset[str], judged: Mapping[str, int]) -> Page:
        whole = searcher.rank(Query(text, exclude=exclude))
        seen = features(whole.ranked, whole.found)
        return [
            Sample(
                {name: float(column[place]) for name, column in seen.items()},
                hit.candidate.owner_id in judged,
                hit.certain,
            )
            for place, hit in enumerate(whole.ranked[:FIRST_REPORTS])
        ]

    answerable = [
        page(query.text, query.exclude, judged) for query, judged in zip(labelled.queries, labelled.judged, strict=True)
    ]
    every = _THINNED if len(labelled.queries) > _MANY else 1
    taken_away = [
        page(query.text, query.exclude | frozenset(labelled.relevant[query.id]), {})
        for query in labelled.queries[::every]
    ]
    foreign = development.unanswerable()
    every = _THINNED if len(foreign) > _MANY else 1
    unanswerable = [page(query.text, frozenset(), {}) for query in foreign[::every]]
    return Samples(answerable, unanswerable, taken_away)


def fit(sets: Sequence[Samples], names: Sequence[str]) -> Model:
    """The model over these features that tells right hits from wrong ones in these sets."""
    first_hits = FIRST_HITS if "lead" in names else FIRST_REPORTS
    rows, right, weights = [], [], []
    for one in sets:
        for pages, weight in (
            (one.answerable, 1.0),
            (one.unanswerable, 0.5),
            (one.taken_away, TAKEN_AWAY_WEIGHT),
        ):
            for sample in (sample for page in pages for sample in page[:first_hits]):
                rows.append([sample.features[name] for name in names])
                right.append(sample.right)
                weights.append(weight / len(pages))
    values = np.array(rows)
    means, spreads = values.mean(axis=0), values.std(axis=0) + 1e-9
    design = np.column_stack([np.ones(len(values)), (values - means) / spreads])
    solved = _regression(design, np.array(right, np.float64), np.array(weights) / np.mean(weights))
    slopes = solved[1:] / spreads
    intercept = float(solved[0] - slopes @ means)
    return Model(round(intercept, 4), {name: round(float(slope), 4) for name, slope in zip(names, slopes, strict=True)})


def worth(model: Model, one: Samples, strong: float) -> Worth:
    """Measure a model on a set."""

    def chance(sample: Sample) -> float:
        alone = {name: np.array([value]) for name, value in sample.features.items()}
        return max(float(model.probabilities(alone)[0]), SURE if sample.certain else 0.0)

    def share(pages: Sequence[Page]) -> float:
        return float(np.mean([any(chance(sample) >= strong for sample in page[:PAGE]) for page in pages]))

    strong_ones = [sample.right for page in one.answerable for sample in page[:PAGE] if chance(sample) >= strong]
    precision = float(np.mean(strong_ones)) if strong_ones else 1.0
    return Worth(precision, share(one.answerable), share(one.unanswerable), share(one.taken_away))


def cross_validated(sets: Mapping[str, Samples], names: Sequence[str], strong: float) -> dict[str, Worth]:
    """For each set what a model is worth on it that was fitted on all the others."""
    return {
        name: worth(fit([other for key, other in sets.items() if key != name], names), one, strong)
        for name, one in sets.items()
    }


def costs(sets: Mapping[str, Samples], cuts: Sequence[float]) -> str:
    """Markdown: what each cut costs, as means over the sets, cross-validated."""
    lines = [
        "| from this probability | hits that are right | answerable queries with one | unanswerable with one |"
        " answer taken away, with one |",
        "|---|---|---|---|---|",
    ]
    for cut in cuts:
        found = list(cross_validated(sets, FEATURES, cut).values())
        means = [
            np.mean([getattr(one, name) for one in found])
            for name in ("precision", "answerable", "unanswerable", "taken_away")
        ]
        lines.append(f"| {cut} | " + " | ".join(f"{mean:.1%}" for mean in means) + " |")
    return "\n".join(lines)


def stored_model(encoder: str, kind: Corpus = "articles") -> Model:
    """The fit that the service uses with an encoder."""
    fits = json.loads(CALIBRATION.read_text("utf-8"))["fits"]
    return Model(**fits[encoder][kind])


def gather(encoder: Encoder, cache: Path, developments: Sequence[Development]) -> dict[str, Samples]:
    """Samples of these sets."""
    found = {}
    for development in developments:
        with development.searcher(encoder, cache) as (labelled, searcher, _):
            found[labelled.name] = samples(development, labelled, searcher)
    return found


def _regression(
    design: NDArray[np.float64], right: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    solved = np.zeros(design.shape[1])
    shrinkage = np.eye(len(solved)) * SHRINKAGE * len(design)
    shrinkage[0, 0] = 0
    for _ in range(30):
        chances = 1 / (1 + np.exp(-design @ solved))
        gradient = design.T @ (weights * (right - chances)) - shrinkage @ solved
        curvature = (design * (weights * chances * (1 - chances))[:, None]).T @ design + shrinkage
        solved = solved + np.linalg.solve(curvature, gradient)
    return solved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--cache", type=Path, default=Path("data/cache"), help="where encoded texts are kept")
    given = parser.parse_args()
    encoder = open_encoder("onnx", DEFAULT_MODEL, given.cache)
    groups: dict[Corpus, dict[str, Samples]] = {
        "articles": gather(encoder, given.cache, ARTICLES),
        "incidents": gather(encoder, given.cache, REPORTS),
    }
    for kind, sets in groups.items():
        for strong in (0.5, STRONG, 0.8):
            for name, one in cross_validated(sets, FEATURES_OF[kind][0], strong).items():
                print(f"cut {strong}, {name} by the others: {one}")
    print(costs(groups["articles"], CUTS))
    if not given.check:
        CALIBRATION.write_text(json.dumps(stored(encoder, groups), indent=1) + "\n", "utf-8")
        put("cuts", costs(groups["articles"], CUTS), "measured")


def stored(encoder: Encoder, groups: Mapping[Corpus, Mapping[str, Samples]]) -> dict[str, Any]:
    """What ``kb_service.confidence`` reads: the fits, and what they were fitted on."""

    def fits(which: int) -> dict[str, Any]:
        return {kind: asdict(fit(list(sets.values()), FEATURES_OF[kind][which])) for kind, sets in groups.items()}

    def queries(one: Samples) -> dict[str, int]:
        return {name: len(getattr(one, name)) for name in ("answerable", "unanswerable", "taken_away")}

    return {
        "from": {
            "command": "python -m tests.relevance.calibrate",
            "queries": {name: queries(one) for sets in groups.values() for name, one in sets.items()},
        },
        "fits": {encoder.identity: fits(0), WORDS_ONLY: fits(1)},
    }


if __name__ == "__main__":
    main()
