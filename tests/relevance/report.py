"""``python -m tests.relevance.report``: the README's table of relevance, measured over the labelled sets.

``--txtai PYTHON`` names the interpreter of an environment that has txtai, which is then measured beside it (see the
Makefile); without it the table does without that column.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from indexer import Encoder, open_encoder
from indexer.encoder import DEFAULT_MODEL
from kb_service.evaluation import FUSED
from kb_service.labelled import LabelledSet
from kb_service.measures import Interval, clusters, interval, mean_interval, measure
from kb_service.query import Query
from kb_service.ranking import LANES
from kb_service.search import Searcher
from tests.relevance import baselines
from tests.relevance.sets import ALL

METRIC = "ndcg@10"
COLUMNS = ("bm25", "dense", "rrf", "txtai", "words", "meaning", FUSED)
HEADS = {
    "bm25": "BM25",
    "dense": "dense",
    "rrf": "RRF",
    "words": "our words",
    "meaning": "our meaning",
    FUSED: "**ours**",
}
Measured = dict[str, list[float]]


def measured(labelled: LabelledSet, searcher: Searcher, txtai: Mapping[str, Sequence[str]] | None) -> Measured:
    """nDCG@10 of each query, by column."""
    values: Measured = {name: [] for name in COLUMNS if name != "txtai" or txtai is not None}
    for query, judged in zip(labelled.queries, labelled.judged, strict=True):
        found = searcher.rank(Query(query.text, exclude=query.exclude))
        rankings = {"bm25": baselines.bm25(found.found), "dense": baselines.dense(found.found)}
        rankings["rrf"] = baselines.rrf(found.found)
        for lane in LANES:
            rankings[lane] = [hit.candidate.owner_id for hit in found.alone(lane)]
        rankings[FUSED] = [hit.candidate.owner_id for hit in found.ranked]
        if txtai is not None:
            rankings["txtai"] = [one for one in txtai.get(query.id, []) if one not in query.exclude]
        for name, ranking in rankings.items():
            values[name].append(measure(ranking, judged)[METRIC])
    return values


def differences(sets: Mapping[str, tuple[Measured, list[int]]], other: str) -> tuple[dict[str, Interval], Interval]:
    """The 95 % interval of ours less the other's, for each set and for the mean over the sets."""
    less = {
        name: (list(np.subtract(values[FUSED], values[other])), cluster_of)
        for name, (values, cluster_of) in sets.items()
    }
    return {name: interval(*pair) for name, pair in less.items()}, mean_interval(list(less.values()))


def table(sets: Mapping[str, tuple[Measured, list[int]]]) -> str:
    """Markdown: a row a set with each column's mean, ours with its interval, and last the differences."""
    columns = [name for name in COLUMNS if all(name in values for values, _ in sets.values())]
    lines = [
        f"| set (queries) | {' | '.join(HEADS.get(name, name) for name in columns)} | 95 % of ours |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for name, (values, cluster_of) in sets.items():
        low, high = interval(values[FUSED], cluster_of)
        means = " | ".join(f"{np.mean(values[column]):.3f}" for column in columns)
        lines.append(f"| {name} ({len(cluster_of)}) | {means} | {low:.3f} to {high:.3f} |")
    overall = " | ".join(
        f"{np.mean([np.mean(values[column]) for values, _ in sets.values()]):.3f}" for column in columns
    )
    low, high = mean_interval([(values[FUSED], cluster_of) for values, cluster_of in sets.values()])
    lines.append(f"| mean of the sets | {overall} | {low:.3f} to {high:.3f} |")
    gains = []
    for column in columns[:-1]:
        _, (low, high) = differences(sets, column)
        gains.append(f"{low:+.3f} to {high:+.3f}")
    lines.append(f"| ours less it, 95 % of the mean | {' | '.join(gains)} | | |")
    return "\n".join(lines)


def gather(encoder: Encoder, cache: Path, txtai: Path | None) -> dict[str, tuple[Measured, list[int]]]:
    """All sets, measured."""
    sets = {}
    for development in ALL:
        with development.searcher(encoder, cache) as (labelled, searcher, _):
            run = (
                baselines.txtai(txtai, searcher, development.folder, cache / "txtai" / f"{development.name}.run")
                if txtai
                else None
            )
            sets[development.name] = measured(labelled, searcher, run), clusters(labelled.judged)
    return sets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--txtai", type=Path, metavar="PYTHON", help="an interpreter that has txtai")
    parser.add_argument("--cache", type=Path, default=Path("data/cache"), help="where encoded texts are kept")
    given = parser.parse_args()
    encoder = open_encoder("onnx", DEFAULT_MODEL, given.cache)
    sets = gather(encoder, given.cache, given.txtai)
    print(table(sets))
    for column in (name for name in COLUMNS[:-1] if all(name in values for values, _ in sets.values())):
        for name, (low, high) in differences(sets, column)[0].items():
            print(f"ours less {column} on {name}: {low:+.4f} to {high:+.4f}{'  WORSE' if high < 0 else ''}")
    if given.txtai is None:
        print("txtai was not measured: name an interpreter that has it by --txtai")


if __name__ == "__main__":
    main()
