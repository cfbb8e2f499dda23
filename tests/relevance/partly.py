"""``python -m tests.relevance.partly``: how good the order is while texts are still being encoded; for the README.

Of each labelled set only a share of the articles gets its vectors, drawn by chance, as in the first minutes of a large
knowledge base. Beside the words lane alone, which needs none, and the order with all of them.
"""

import argparse
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer import Encoder, open_encoder
from indexer.database import writing
from indexer.encoding import Encoding
from indexer.index import PassageIndex
from indexer.model_files import DEFAULT_MODEL
from indexer.progress import unwatched
from indexer.vectors import VectorCache
from kb_service.confidence import STRONG
from kb_service.labelled import LabelledQuery, LabelledSet
from kb_service.measures import clusters, measure
from kb_service.query import Query
from kb_service.search import Searcher
from tests.readme import put
from tests.relevance.sets import ALL, Development

SHARES = (0.1, 0.3, 0.6, 0.9)
# One query in so many of a set of more than a thousand
_MANY = 1_000
_THINNED = 5
_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Partly:
    """nDCG@10 of each query, with a share of the articles encoded: of words alone, and of the order.

    ``precise`` is the share of right ones among the hits that were strong, ``unanswerable`` that of foreign queries
    with a strong hit.
    """

    words: list[float]
    fused: list[float]
    cluster_of: list[int]
    precise: float
    unanswerable: float


def encode_only(share: float, index: PassageIndex, encoder: Encoder, cache: Path, seed: int = 0) -> None:
    """Take the vectors of all others away; those of the share must be in the cache."""
    chance = random.Random(seed)  # noqa: S311
    with writing(index.connection):
        index.drop_vectors()
    waiting = index.pending(10**9)
    owners = sorted({passage.owner_id for _, _, passage in waiting})
    chosen = set(chance.sample(owners, round(share * len(owners))))
    vectors = VectorCache(cache / "vectors.db", encoder.identity)
    try:
        with writing(index.connection):
            Encoding(index, encoder, vectors, unwatched).link([one for one in waiting if one[2].owner_id in chosen])
    finally:
        vectors.close()


def asked(development: Development, labelled: LabelledSet, searcher: Searcher) -> Partly:
    """Every query, or one in some of a large set."""

    def thinned(every: list[LabelledQuery]) -> list[LabelledQuery]:
        return every[:: _THINNED if len(every) > _MANY else 1]

    words, fused, right = [], [], []
    queries = thinned(list(labelled.queries))
    for query in queries:
        judged = labelled.relevant[query.id]
        whole = searcher.rank(Query(query.text, exclude=query.exclude))
        words.append(measure(whole.alone("words").ids[:_DEPTH], judged)["ndcg@10"])
        fused.append(measure(whole.ranked.ids[:_DEPTH], judged)["ndcg@10"])
        sure = whole.probabilities[:10] >= STRONG
        right += [one in judged for one, is_sure in zip(whole.ranked.ids, sure.tolist(), strict=False) if is_sure]
    foreign = thinned(list(development.unanswerable()))
    wrongly = [(searcher.rank(Query(one.text)).probabilities[:10] >= STRONG).any() for one in foreign]
    relevant = [labelled.relevant[query.id] for query in queries]
    return Partly(words, fused, clusters(relevant), float(np.mean(right)) if right else 1.0, float(np.mean(wrongly)))


def measured(
    development: Development, encoder: Encoder, cache: Path, shares: Sequence[float] = (*SHARES, 1.0)
) -> Mapping[float, Partly]:
    """Of one set, by the share that is encoded."""
    found = {}
    with development.searcher(encoder, cache) as (labelled, searcher, _):
        for share in shares:
            encode_only(share, searcher.index, encoder, cache)
            found[share] = asked(development, labelled, searcher)
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cache", type=Path, default=Path("data/cache"), help="where encoded texts are kept")
    given = options.parse_args()
    encoder = open_encoder("onnx", DEFAULT_MODEL, given.cache)
    shares = (*SHARES, 1.0)
    lines = [f"| set | words alone | {' | '.join(f'{share:.0%}' for share in shares)} |", "|---" * 7 + "|"]
    for development in ALL:
        found = measured(development, encoder, given.cache, shares)
        for share, one in found.items():
            print(f"{development.name}, {share:.0%} encoded: {one.precise:.0%} of strong hits are right,", end=" ")
            print(f"{one.unanswerable:.1%} of foreign queries have one")
        fused = (f"{np.mean(one.fused):.3f}" for one in found.values())
        lines.append(f"| {development.name} | {np.mean(found[1.0].words):.3f} | {' | '.join(fused)} |")
    print("\n".join(lines))
    put("partly", "\n".join(lines), "measured")


if __name__ == "__main__":
    main()
