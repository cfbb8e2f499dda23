"""``python -m tests.relevance.report``: the README's table of relevance, measured over the labelled sets.

``--txtai PYTHON`` names the interpreter of an environment that has txtai, which is then measured beside it (see the
Makefile), and the table is written into the README; without it the table is printed without that column.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer import Encoder, open_encoder
from indexer.model_files import DEFAULT_MODEL
from kb_service.evaluation import FUSED
from kb_service.labelled import LabelledSet
from kb_service.measures import Interval, clusters, interval, mean_interval, measure
from kb_service.query import Query
from kb_service.ranking import LANES
from kb_service.search import Searcher
from tests.readme import put
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


@dataclass(frozen=True, slots=True)
class OfSet:
    """nDCG@10 of each query by column, the queries' clusters, and which variant of its question each is, if any."""

    values: Measured
    cluster_of: list[int]
    variants: list[str]

    def only(self, variant: str) -> "OfSet":
        """The queries of one variant."""
        kept = [number for number, one in enumerate(self.variants) if one == variant]
        values = {name: [column[number] for number in kept] for name, column in self.values.items()}
        return OfSet(values, [self.cluster_of[number] for number in kept], [variant] * len(kept))


def measured(labelled: LabelledSet, searcher: Searcher, txtai: Mapping[str, Sequence[str]] | None) -> OfSet:
    """Ask every query of a set."""
    values: Measured = {name: [] for name in COLUMNS if name != "txtai" or txtai is not None}
    for query, judged in zip(labelled.queries, labelled.judged, strict=True):
        found = searcher.rank(Query(query.text, exclude=query.exclude))
        rankings = {"bm25": baselines.bm25(found.found), "dense": baselines.dense(found.found)}
        rankings["rrf"] = baselines.rrf(found.found)
        for lane in LANES:
            rankings[lane] = found.alone(lane).ids
        rankings[FUSED] = found.ranked.ids
        if txtai is not None:
            rankings["txtai"] = [one for one in txtai.get(query.id, []) if one not in query.exclude]
        for name, ranking in rankings.items():
            values[name].append(measure(ranking, judged)[METRIC])
    variants = [str(query.fields.get("variant", "")) for query in labelled.queries]
    return OfSet(values, clusters(labelled.judged), variants)


def differences(sets: Mapping[str, OfSet], other: str) -> tuple[dict[str, Interval], Interval]:
    """The 95 % interval of ours less the other's, for each set and for the mean over the sets."""
    less = {
        name: (list(np.subtract(one.values[FUSED], one.values[other])), one.cluster_of) for name, one in sets.items()
    }
    return {name: interval(*pair) for name, pair in less.items()}, mean_interval(list(less.values()))


def table(sets: Mapping[str, OfSet]) -> str:
    """Markdown: a row a set or variant with each column's mean, ours with its interval, and last the differences."""
    columns = [name for name in COLUMNS if all(name in one.values for one in sets.values())]
    lines = [
        f"| set (queries) | {' | '.join(HEADS.get(name, name) for name in columns)} | 95 % of ours |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for name, whole in sets.items():
        variants = sorted(set(whole.variants))
        rows = {f"{name}, {one}" if one else name: whole.only(one) for one in variants}
        for head, row in rows.items():
            low, high = interval(row.values[FUSED], row.cluster_of)
            means = " | ".join(f"{np.mean(row.values[column]):.3f}" for column in columns)
            lines.append(f"| {head} ({len(row.cluster_of)}) | {means} | {low:.3f} to {high:.3f} |")
    overall = " | ".join(f"{np.mean([np.mean(one.values[column]) for one in sets.values()]):.3f}" for column in columns)
    low, high = mean_interval([(one.values[FUSED], one.cluster_of) for one in sets.values()])
    lines.append(f"| mean of the sets | {overall} | {low:.3f} to {high:.3f} |")
    gains = (differences(sets, column)[1] for column in columns[:-1])
    lines.append(f"| ours less it, 95 % | {' | '.join(f'{low:+.3f} to {high:+.3f}' for low, high in gains)} | | |")
    return "\n".join(lines)


def gather(encoder: Encoder, cache: Path, txtai: Path | None) -> dict[str, OfSet]:
    """All sets, measured."""
    sets = {}
    for development in ALL:
        with development.searcher(encoder, cache) as (labelled, searcher, _):
            kept = cache / "txtai" / f"{development.name}.run"
            run = baselines.txtai(txtai, searcher, development.folder, kept) if txtai else None
            sets[development.name] = measured(labelled, searcher, run)
    return sets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--txtai", type=Path, metavar="PYTHON", help="an interpreter that has txtai")
    parser.add_argument("--cache", type=Path, default=Path("data/cache"), help="where encoded texts are kept")
    given = parser.parse_args()
    encoder = open_encoder("onnx", DEFAULT_MODEL, given.cache)
    sets = gather(encoder, given.cache, given.txtai)
    print(table(sets))
    if given.txtai:
        put("relevance", table(sets), "measured")
    for column in (name for name in COLUMNS[:-1] if all(name in one.values for one in sets.values())):
        for name, (low, high) in differences(sets, column)[0].items():
            print(f"ours less {column} on {name}: {low:+.4f} to {high:+.4f}{'  WORSE' if high < 0 else ''}")
    if given.txtai is None:
        print("txtai was not measured: name an interpreter that has it by --txtai")


if __name__ == "__main__":
    main()
