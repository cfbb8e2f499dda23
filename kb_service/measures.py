"""How good a ranking is, in the field's usual measures, and how sure one can be of that.

Formulas as trec_eval and BEIR compute them: gains are the judged scores, nDCG's discount is ``1 / log2(rank + 1)``.
Intervals are percentile bootstraps (Efron and Tibshirani, 1993) over clusters of queries: queries that share a
relevant document are not independent and are drawn together.
"""

from collections.abc import Mapping, Sequence
from math import log2

import numpy as np
from numpy.typing import NDArray

METRICS = ("ndcg@10", "mrr@10", "recall@5", "success@1", "map")
BOOTSTRAPS = 2_000
_SEED = 20_260_101

Values = NDArray[np.float64]
Interval = tuple[float, float]


def measure(ranking: Sequence[str], judged: Mapping[str, int]) -> dict[str, float]:
    """All METRICS, each 0..1, of one query's ranked ids; ``judged`` gives each relevant id its score above zero."""
    gains = [judged.get(one, 0) for one in ranking]
    ideal = sorted(judged.values(), reverse=True)
    best = _discounted(ideal[:10])
    places = [place for place, gain in enumerate(gains, 1) if gain > 0]
    precisions = [count / place for count, place in enumerate(places, 1)]
    return {
        "ndcg@10": _discounted(gains[:10]) / best if best else 0.0,
        "mrr@10": 1 / places[0] if places and places[0] <= 10 else 0.0,
        "recall@5": sum(place <= 5 for place in places) / len(judged) if judged else 0.0,
        "success@1": float(bool(places) and places[0] == 1),
        "map": sum(precisions) / len(judged) if judged else 0.0,
    }


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(place + 1) for place, gain in enumerate(gains, 1))


def clusters(relevant: Sequence[Mapping[str, int]]) -> list[int]:
    """For each query the number of its cluster: queries are together if a chain of shared relevant ids joins them."""
    parent: dict[str, str] = {}

    def root(one: str) -> str:
        while parent.setdefault(one, one) != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for judged in relevant:
        first, *others = judged
        for other in others:
            parent[root(other)] = root(first)
    numbers: dict[str, int] = {}
    return [numbers.setdefault(root(next(iter(judged))), len(numbers)) for judged in relevant]


def interval(values: Sequence[float], cluster_of: Sequence[int]) -> Interval:
    """The 95 % interval of the mean of ``values``, one a query, resampled by cluster."""
    means = _resampled_means(np.asarray(values, np.float64), np.asarray(cluster_of))
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def mean_interval(sets: Sequence[tuple[Sequence[float], Sequence[int]]]) -> Interval:
    """The 95 % interval of the mean over sets of each set's mean, every set resampled by itself."""
    each = [
        _resampled_means(np.asarray(values, np.float64), np.asarray(cluster_of), number)
        for number, (values, cluster_of) in enumerate(sets)
    ]
    low, high = np.quantile(np.mean(each, axis=0), (0.025, 0.975))
    return float(low), float(high)


def _resampled_means(values: Values, cluster_of: NDArray[np.int64], number: int = 0) -> Values:
    """``(BOOTSTRAPS,)`` means, the same at every call; ``number`` tells apart what is drawn independently."""
    sizes = np.bincount(cluster_of)
    sums = np.bincount(cluster_of, weights=values)
    random = np.random.default_rng(_SEED + number)
    drawn = random.integers(0, len(sizes), (BOOTSTRAPS, len(sizes)))
    means: Values = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    return means
