"""What one would use instead: BM25 alone, the nearest passage alone, reciprocal rank fusion of the two, txtai."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from indexer.candidates import Candidate
from indexer.model_files import DEFAULT_MODEL, model_folder
from indexer.retrieval import Found
from kb_service.labelled import read_run
from kb_service.search import Searcher

# Cormack, Clarke and Büttcher (2009): Reciprocal rank fusion outperforms Condorcet and individual rank learning methods
RRF_K = 60


def bm25(found: Found) -> list[str]:
    """By the words of the whole article."""
    said = [candidate for candidate in found.candidates if candidate.article_words > 0]
    return [one.owner_id for one in sorted(said, key=lambda one: (-one.article_words, one.owner_id))]


def dense(found: Found) -> list[str]:
    """By the article's nearest passage."""
    return [one.owner_id for one in sorted(found.candidates, key=lambda one: (-_nearest(one), one.owner_id))]


def rrf(found: Found) -> list[str]:
    """Both, fused by their places."""
    scores: dict[str, float] = {}
    for ranking in (bm25(found), dense(found)):
        for place, one in enumerate(ranking, 1):
            scores[one] = scores.get(one, 0.0) + 1 / (RRF_K + place)
    return sorted(scores, key=lambda one: (-scores[one], one))


def txtai(python: Path, searcher: Searcher, folder: Path, run: Path) -> Mapping[str, Sequence[str]]:
    """What txtai finds over the same passages with the same model; ``python`` is of an environment that has it.

    It takes a quarter of an hour for all sets, so what it found stays in the TREC run ``run`` and is read from there.
    """
    if run.exists():
        return read_run(run)
    script = Path(__file__).parent / "txtai_run.py"
    run.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        chunks = Path(work) / "chunks.jsonl"
        rows = searcher.index.connection.execute(
            "SELECT o.id, p.heading_path, p.text, p.role FROM passages p JOIN owners o ON o.key = p.owner"
            " WHERE p.role NOT IN ('title', 'name') OR NOT EXISTS"
            " (SELECT 1 FROM passages b WHERE b.owner = p.owner AND b.role NOT IN ('title', 'name'))"
            " ORDER BY p.key"
        ).fetchall()
        with chunks.open("w", encoding="utf-8") as file:
            for owner_id, path, text, role in rows:
                below = text if role in {"title", "name"} else f"{' > '.join(json.loads(path))}\n{text}"
                file.write(json.dumps({"id": owner_id, "text": below}) + "\n")
        command = [str(python), str(script), str(chunks), str(folder / "queries.jsonl")]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        subprocess.run([*command, str(model_folder(DEFAULT_MODEL)), str(run)], env=environment, check=True)
    return read_run(run)


def _nearest(candidate: Candidate) -> float:
    known = [value for value in (candidate.passage_meaning, candidate.title_meaning) if value is not None]
    return candidate.passage_meaning if candidate.passage_meaning is not None else max(known, default=-1.0)
