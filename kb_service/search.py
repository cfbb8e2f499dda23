"""Searcher: a Query becomes Hits with reasons."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from indexer.catalogue import Catalogue
from indexer.encoder import Encoder, Vectors
from indexer.errors import IndexMissingError
from indexer.frontmatter import AUDIENCES, Audience
from indexer.identifiers import identifiers
from indexer.index import PassageIndex
from indexer.knowledge import KnowledgeObject
from indexer.passages import Passage
from indexer.snapshot import Filter, Validity
from indexer.words import query_terms, terms
from kb_service.ranking import Confidence, Ranked, rank
from kb_service.snippets import matched_words, snippet

State = Literal["published", "draft", "review", "retired", "scheduled", "expired", "any"]
# The encoder reads some 256 tokens; more text than this cannot reach it
_MOST_ENCODED_LETTERS = 4_000
_MOST_WORDS_LETTERS = 50_000


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: a text, facets to filter by (any of the values of each), who asks, and which page of hits."""

    text: str
    facets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    state: State = "published"
    audience: Audience = "internal"
    limit: int = 10
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a hit is there: the lane, a sentence, and the numbers and words behind it."""

    lane: Literal["exact", "meaning", "words", "title", "window"]
    text: str
    score: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One article that answers, with the passage that matched."""

    id: str
    title: str
    type: str
    url: str
    anchor: str
    snippet: str
    score: float
    confidence: Confidence
    reasons: tuple[Reason, ...]
    passage: Passage | None
    tier: str | None
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """The hits of a page, how many there are in all, and the generation that answered."""

    query: str
    hits: tuple[Hit, ...]
    total: int
    generation: int
    took_ms: float
    encoded: float
    """The share of passages that have their vector, 0..1: below 1 the words lane carries more."""


class Searcher:
    """Answers queries from the live generation of an index. One serves all threads."""

    def __init__(self, index: PassageIndex, encoder: Encoder) -> None:
        self.index, self._encoder = index, encoder

    @property
    def catalogue(self) -> Catalogue:
        """The published objects, over this thread's connection."""
        return Catalogue(self.index.connection)

    def search(self, query: Query) -> Results:
        """Hits, best first. Any text is a query; an empty one has no hits. Raises IndexMissingError."""
        started = time.perf_counter()
        if not self.index.generation:
            raise IndexMissingError(f"nothing is indexed in {self.index.path.parent}", "Run 'kb index' first")
        asked = query_terms(query.text[:_MOST_WORDS_LETTERS])
        vector = self._encode(query.text) if asked else None
        codes = sorted(identifiers(query.text[:_MOST_WORDS_LETTERS]))
        if not asked:
            ranked: list[Ranked] = []
            generation = self.index.generation
            hits: tuple[Hit, ...] = ()
        else:
            with self.index.snapshot() as snapshot:
                found = snapshot.search(self.index.connection, asked, codes, vector, filter_of(query))
                generation = snapshot.generation
                ranked = rank(found, len(asked))
                page = ranked[query.offset : query.offset + query.limit]
                hits = self._hits(query.text, frozenset(asked), page)
        took = round((time.perf_counter() - started) * 1000, 2)
        return Results(query.text, hits, len(ranked), generation, took, self.encoded_share())

    def similar(self, knowledge: KnowledgeObject, audience: Audience, limit: int) -> tuple[Hit, ...]:
        """Other articles about the same, by title and summary."""
        text = f"{knowledge.title} {knowledge.summary}"
        hits = self.search(Query(text, audience=audience, limit=limit + 1)).hits
        return tuple(hit for hit in hits if hit.id != knowledge.id and hit.confidence != "weak")[:limit]

    def article(self, object_id: str, audience: Audience) -> KnowledgeObject | None:
        """The object of an id or alias, if the audience may read it."""
        knowledge = self.catalogue.get(object_id)
        return knowledge if knowledge and knowledge.audience in visible_to(audience) else None

    def encoded_share(self) -> float:
        _, wanted, there = self.index.counts()
        return 1.0 if wanted == 0 else round(there / wanted, 4)

    def _encode(self, text: str) -> Vectors:
        vector: Vectors = self._encoder.encode([text[:_MOST_ENCODED_LETTERS]], "query")[0]
        return np.ascontiguousarray(vector, np.float32)

    def _hits(self, text: str, asked: frozenset[str], page: list[Ranked]) -> tuple[Hit, ...]:
        passages = self.index.passages(key for hit in page if (key := _shown(hit)) is not None)
        hits = []
        for ranked in page:
            knowledge = self.catalogue.get(ranked.candidate.owner_id)
            if knowledge is not None:
                key = _shown(ranked)
                hits.append(_hit(text, asked, ranked, knowledge, passages.get(key) if key is not None else None))
        return tuple(hits)


def visible_to(audience: Audience) -> frozenset[str]:
    """The audiences whose articles a caller of this audience may see: its own and all wider ones."""
    return frozenset(AUDIENCES[: AUDIENCES.index(audience) + 1])


def filter_of(query: Query) -> Filter:
    """The index's filter for a query. Requesters never see what is not published."""
    state = "published" if query.audience == "public" else query.state
    validity: Validity = state if state in {"scheduled", "expired", "any"} else "current"
    facets = dict(query.facets)
    if state in {"published", "scheduled", "expired"}:
        facets["state"] = frozenset({"published"})
    elif state != "any":
        facets["state"], validity = frozenset({state}), "any"
    return Filter(visible_to(query.audience), datetime.now(UTC), facets, validity)


def article_url(object_id: str, anchor: str = "") -> str:
    """Where an article is read."""
    return f"/a/{object_id}" + (f"#{anchor}" if anchor else "")


def _shown(ranked: Ranked) -> int | None:
    """The passage to show: where both lanes found one, that of the lane that says more."""
    candidate, lanes = ranked.candidate, ranked.lanes
    by_words, by_meaning = candidate.words_passage, candidate.meaning_passage
    if by_words is not None and (candidate.exact or by_meaning is None):
        return by_words
    if by_words is not None and lanes["article_words"] > lanes["passage_meaning"]:
        return by_words
    return by_meaning if by_meaning is not None else candidate.lead


def _hit(text: str, asked: frozenset[str], ranked: Ranked, knowledge: KnowledgeObject, passage: Passage | None) -> Hit:
    anchor = passage.anchor if passage else ""
    return Hit(
        id=knowledge.id,
        title=knowledge.title,
        type=knowledge.type,
        url=article_url(knowledge.id, anchor),
        anchor=anchor,
        snippet=snippet(passage.text if passage else knowledge.summary, asked),
        score=ranked.score,
        confidence=ranked.confidence,
        reasons=tuple(_reasons(text, asked, ranked, knowledge, passage)),
        passage=passage,
        tier=knowledge.tier,
        services=knowledge.services,
    )


def _reasons(
    text: str, asked: frozenset[str], ranked: Ranked, knowledge: KnowledgeObject, passage: Passage | None
) -> list[Reason]:
    candidate, lanes = ranked.candidate, ranked.lanes
    whole = [code for code in candidate.exact if not any(code != other and code in other for other in candidate.exact)]
    reasons = [Reason("exact", f"exact: {code}", 1.0, (code,)) for code in whole]
    section = passage.heading_path[-1] if passage and len(passage.heading_path) > 1 else ""
    likeness = candidate.passage_meaning or 0.0
    if lanes["passage_meaning"] > 0 and likeness > 0:
        where = f"section '{section}'" if section else "the text"
        reasons.append(Reason("meaning", f"meaning: {where} is about this", round(likeness, 4)))
    in_title = matched_words(text, asked.intersection(terms(knowledge.title)))
    if in_title:
        reasons.append(
            Reason("title", f"title says: {', '.join(in_title)}", round(candidate.title_words, 4), tuple(in_title))
        )
    in_text = matched_words(text, asked.intersection(terms(passage.text))) if passage else []
    if in_text:
        reasons.append(
            Reason("words", f"words: {', '.join(in_text)}", round(candidate.article_words, 4), tuple(in_text))
        )
    if candidate.in_window:
        reasons.append(Reason("window", "valid for a limited time, now", 1.0))
    if not reasons:
        reasons.append(Reason("meaning", "meaning: its title is about this", round(candidate.title_meaning or 0.0, 4)))
    return reasons


def as_json(results: Results) -> dict[str, Any]:
    """The contract that programs rely on, the same from the shell and over HTTP."""
    return {
        "query": results.query,
        "hits": [
            {
                "id": hit.id,
                "title": hit.title,
                "type": hit.type,
                "url": hit.url,
                "anchor": hit.anchor,
                "snippet": hit.snippet,
                "score": hit.score,
                "confidence": hit.confidence,
                "reasons": [
                    {"lane": why.lane, "text": why.text, "score": why.score, "words": list(why.words)}
                    for why in hit.reasons
                ],
                "heading_path": list(hit.passage.heading_path) if hit.passage else [hit.title],
                "tier": hit.tier,
                "services": list(hit.services),
            }
            for hit in results.hits
        ],
        "total": results.total,
        "generation": results.generation,
        "encoded": results.encoded,
        "took_ms": results.took_ms,
    }
