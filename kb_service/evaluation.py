"""A labelled set asked of the very code that serves: how good are its answers, and how fast."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from indexer.catalogue import Catalogue, owner_of
from indexer.database import writing
from indexer.encoder import Encoder
from indexer.encoding import Encoding
from indexer.frontmatter import split
from indexer.index import PassageIndex
from indexer.knowledge import KnowledgeObject, article_of
from indexer.language import ENGLISH, Language
from indexer.passages import Role, cut, cut_record
from indexer.prepared import Prepared
from indexer.progress import Progress, in_batches, unwatched
from indexer.retrieval import Owner
from indexer.vectors import VectorCache
from kb_service.confidence import Corpus
from kb_service.labelled import RUN_DEPTH, LabelledDocument, LabelledQuery, LabelledSet
from kb_service.measures import METRICS, Interval, clusters, interval, measure
from kb_service.query import Evidence, Query
from kb_service.ranking import LANES
from kb_service.search import Searcher

FUSED = "fused"
_BATCH = 500
_NO_EVIDENCE: Mapping[str, Evidence] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """One query's answer: its ids in order, for the fused order and each lane alone, and how sure its hits were.

    ``chances`` are the probabilities of the fused order's hits; ``milliseconds`` the first page took.
    """

    query: LabelledQuery
    rankings: Mapping[str, Sequence[str]]
    chances: Sequence[float]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Means of some queries' measures and their 95 % intervals, by metric."""

    queries: int
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answers to a whole set."""

    labelled: LabelledSet
    answers: tuple[Answer, ...]
    index_seconds: float

    def summary(self, ranking: str = FUSED, keep: Callable[[LabelledQuery], bool] = lambda _: True) -> Summary:
        """Of one ranking (``fused`` or a lane), over the queries to keep; there must be some."""
        kept = [answer for answer in self.answers if keep(answer.query)]
        judged = [self.labelled.relevant[answer.query.id] for answer in kept]
        measured = [measure(answer.rankings[ranking], own) for answer, own in zip(kept, judged, strict=True)]
        return summarised(measured, clusters(judged))

    def difference(self, run: Mapping[str, Sequence[str]]) -> Summary:
        """Ours less another run's, query by query; a query that the run does not answer counts as nothing found."""
        differences = []
        for answer, judged in zip(self.answers, self.labelled.judged, strict=True):
            theirs = [one for one in run.get(answer.query.id, []) if one not in answer.query.exclude]
            ours, other = measure(answer.rankings[FUSED], judged), measure(theirs[:RUN_DEPTH], judged)
            differences.append({name: ours[name] - other[name] for name in METRICS})
        return summarised(differences, clusters(self.labelled.judged))

    def milliseconds(self) -> dict[str, float]:
        """The median and the 95th percentile of a query's time."""
        times = [answer.milliseconds for answer in self.answers]
        return {f"p{part}": round(float(np.percentile(times, part)), 2) for part in (50, 95)}


def summarised(measured: Sequence[Mapping[str, float]], cluster_of: Sequence[int]) -> Summary:
    """Means and intervals of measures, one a query."""
    values = {name: [one[name] for one in measured] for name in METRICS}
    means = {name: float(np.mean(values[name])) for name in METRICS}
    return Summary(len(measured), means, {name: interval(values[name], cluster_of) for name in METRICS})


@contextmanager
def opened(
    labelled: LabelledSet,
    kind: Corpus,
    encoder: Encoder,
    cache: Path,
    progress: Progress = unwatched,
    language: Language = ENGLISH,
) -> Iterator[tuple[Searcher, float]]:
    """A searcher over the set's documents, indexed in a temporary place, and the seconds that took."""
    with tempfile.TemporaryDirectory(prefix="kb-eval-") as folder:
        started = time.monotonic()
        index = PassageIndex(Path(folder) / "index.db", encoder, language)
        vectors = VectorCache(cache / "vectors.db", encoder.identity)
        try:
            _fill(index, labelled, kind, encoder, progress)
            Encoding(index, encoder, vectors, progress).encode_pending()
        finally:
            vectors.close()
        yield Searcher(index, encoder, kind=kind), round(time.monotonic() - started, 2)


def evaluate(
    labelled: LabelledSet,
    searcher: Searcher,
    seconds: float,
    progress: Progress = unwatched,
    evidence: Callable[[LabelledQuery], Mapping[str, Evidence]] = lambda _query: {},
) -> Evaluation:
    """Ask every query of the set, with what is known beside it."""
    answers = []
    for query in labelled.queries:
        answers.append(ask(searcher, query, evidence(query)))
        progress("ask", len(answers), len(labelled.queries))
    return Evaluation(labelled, tuple(answers), seconds)


def ask(searcher: Searcher, query: LabelledQuery, evidence: Mapping[str, Evidence] = _NO_EVIDENCE) -> Answer:
    """One query as the API asks it, and then its whole order for the measures."""
    asked = Query(query.text, exclude=query.exclude, evidence=evidence)
    started = time.perf_counter()
    searcher.search(asked)
    took = (time.perf_counter() - started) * 1000
    whole = searcher.rank(asked)
    rankings = {FUSED: whole.ranked.ids[:RUN_DEPTH]}
    for lane in LANES:
        rankings[lane] = whole.alone(lane).ids[:RUN_DEPTH]
    return Answer(query, rankings, tuple(whole.probabilities[:RUN_DEPTH].tolist()), took)


def _fill(index: PassageIndex, labelled: LabelledSet, kind: Corpus, encoder: Encoder, progress: Progress) -> None:
    catalogue = Catalogue(index.connection)
    catalogue.create_tables()
    for done, batch in in_batches(labelled.documents, _BATCH):
        with index.changing() as change:
            for document in batch:
                if kind == "incidents":
                    parts: list[tuple[Role, str]] = [("symptom", document.text)]
                    passages = cut_record(document.id, document.title, parts, encoder.count_tokens, encoder.max_tokens)
                    owner = Owner(document.id, frozenset({"internal"}), {"state": ("published",)})
                else:
                    article = _article(document)
                    catalogue.put(article)
                    passages = cut(article, encoder.count_tokens, encoder.max_tokens)
                    owner = owner_of(article)
                change.upsert(owner, [Prepared.of(passage, index.language) for passage in passages])
        progress("read", done, len(labelled.documents))
    with writing(index.connection):
        index.set_meta("encoder", encoder.identity)
        index.raise_generation()


def _article(document: LabelledDocument) -> KnowledgeObject:
    """The document as an article of that id; front matter of its own counts for nothing."""
    front, body, _ = split(document.text.replace("\r\n", "\n"))
    article = article_of(f"{document.id}.md", body if front is not None else document.text)
    return replace(article, id=document.id, title=" ".join(document.title.split()) or article.title)


def summary_json(summary: Summary) -> dict[str, Any]:
    """Means and intervals, rounded."""
    return {
        "metrics": {name: round(value, 4) for name, value in summary.metrics.items()},
        "intervals": {name: [round(low, 4), round(high, 4)] for name, (low, high) in summary.intervals.items()},
    }


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """The contract of ``kb eval --json``."""
    lanes = {lane: summary_json(evaluation.summary(lane)) for lane in LANES}
    return {
        "set": evaluation.labelled.name,
        "docs": len(evaluation.labelled.documents),
        "queries": len(evaluation.answers),
        **summary_json(evaluation.summary()),
        "lanes": {lane: {**of_lane["metrics"], "intervals": of_lane["intervals"]} for lane, of_lane in lanes.items()},
        "index_seconds": evaluation.index_seconds,
        "query_ms": evaluation.milliseconds(),
    }
