"""Searcher: a Query becomes Hits with reasons."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

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
from kb_service.ranking import WEIGHTS, Confidence, Ranked, rank
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
        query = replace(query, text=query.text.encode("utf-8", "replace").decode())
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
        return knowledge if knowledge and may_read(knowledge, audience) else None

    def encoded_share(self) -> float:
        """How much can be found by meaning; nothing while the index is still another encoder's."""
        if self.index.meta("encoder") != self._encoder.identity:
            return 0.0
        _, wanted, there = self.index.counts()
        return 1.0 if wanted == 0 else round(there / wanted, 4)

    def _encode(self, text: str) -> Vectors:
        vector: Vectors = self._encoder.encode([text[:_MOST_ENCODED_LETTERS]], "query")[0]
        return np.ascontiguousarray(vector, np.float32)

    def _hits(self, text: str, asked: frozenset[str], page: list[Ranked]) -> tuple[Hit, ...]:
        keys = {key for hit in page for key in (_shown(hit), hit.candidate.meaning_passage) if key is not None}
        passages = self.index.passages(keys)
        hits = []
        for ranked in page:
            knowledge = self.catalogue.get(ranked.candidate.owner_id)
            if knowledge is not None:
                hits.append(_hit(text, asked, ranked, knowledge, passages))
        return tuple(hits)


def visible_to(audience: Audience) -> frozenset[str]:
    """The audiences whose articles a caller of this audience may see: its own and all wider ones."""
    return frozenset(AUDIENCES[: AUDIENCES.index(audience) + 1])


def may_read(knowledge: KnowledgeObject, audience: Audience) -> bool:
    """Whether a caller of this audience may open it: requesters only what is published and within its dates."""
    if knowledge.audience not in visible_to(audience):
        return False
    now = datetime.now(UTC)
    started = knowledge.valid_from is None or knowledge.valid_from <= now
    over = knowledge.valid_to is not None and knowledge.valid_to < now
    return audience != "public" or (knowledge.workflow_state == "published" and started and not over)


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
    return f"/a/{quote(object_id)}" + (f"#{quote(anchor)}" if anchor else "")


def _shown(ranked: Ranked) -> int | None:
    """The passage to show: the one that says most of the words where it says enough of them, else the nearest."""
    candidate = ranked.candidate
    says_enough = ranked.lanes["passage_words"] >= WEIGHTS["passage_words"] / 2
    if candidate.words_passage is not None and (says_enough or candidate.exact or candidate.meaning_passage is None):
        return candidate.words_passage
    return candidate.meaning_passage if candidate.meaning_passage is not None else candidate.lead


def _hit(
    text: str, asked: frozenset[str], ranked: Ranked, knowledge: KnowledgeObject, passages: Mapping[int, Passage]
) -> Hit:
    key = _shown(ranked)
    passage = passages.get(key) if key is not None else None
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
        reasons=tuple(_reasons(text, asked, ranked, knowledge, passage, passages)),
        passage=passage,
        tier=knowledge.tier,
        services=knowledge.services,
    )


def _reasons(
    text: str,
    asked: frozenset[str],
    ranked: Ranked,
    knowledge: KnowledgeObject,
    passage: Passage | None,
    passages: Mapping[int, Passage],
) -> Iterator[Reason]:
    """Why it is there, in words: identifiers, the title, the words of the passage shown, the nearest section."""
    candidate = ranked.candidate
    for code in candidate.exact:
        if not any(code != other and code in other for other in candidate.exact):
            yield Reason("exact", f"exact: {code}", 1.0, (code,))
    in_title = matched_words(text, asked.intersection(terms(knowledge.title)))
    if in_title:
        yield Reason("title", f"title says: {', '.join(in_title)}", round(candidate.title_words, 4), tuple(in_title))
    in_text = matched_words(text, asked.intersection(terms(passage.text))) if passage else []
    if in_text:
        yield Reason("words", f"words: {', '.join(in_text)}", round(candidate.article_words, 4), tuple(in_text))
    if candidate.meaning_passage is not None and candidate.meaning_passage in passages:
        path = passages[candidate.meaning_passage].heading_path
        where = f"section '{path[-1]}'" if len(path) > 1 else "what it says first"
        yield Reason("meaning", f"meaning: {where}", round(candidate.passage_meaning or 0.0, 4))
    elif candidate.title_meaning is not None:
        yield Reason("meaning", "meaning: its title", round(candidate.title_meaning, 4))
    if candidate.in_window:
        yield Reason("window", "valid for a limited time, now", 1.0)


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
