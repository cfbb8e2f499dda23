"""Searcher: a Query becomes Hits with reasons."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from indexer.candidates import Candidates
from indexer.catalogue import Card, Catalogue
from indexer.encoder import Encoder, Vectors
from indexer.errors import IndexMissingError
from indexer.index import PassageIndex
from indexer.index_file import meta
from indexer.knowledge import KnowledgeObject
from indexer.passages import Passage
from indexer.recent import Recent
from indexer.retrieval import Asked, Found
from indexer.snapshot import Snapshot
from kb_service.access import Sight
from kb_service.confidence import STRONG, Calibration, Confidence, Corpus, band
from kb_service.facets import NAMES, Facet, facet_of
from kb_service.glossary import Glossary, Lexicon
from kb_service.hits import Hit, hit_of, passages_shown
from kb_service.query import Evidence, Query, filter_of, may_read
from kb_service.query_vectors import QueryVectors
from kb_service.ranking import EVIDENCE_WEIGHT, PREFERENCE_BONUSES, Bonuses, rank, words_trust
from kb_service.recent_answers import RecentAnswers
from kb_service.results import Ranking, Results
from kb_service.understanding import MOST_ENCODED_LETTERS, understand

# An article is read next where its likeness is this share of the most alike one's
SIMILAR_SHARE = 0.5
_KEPT = 4096
_NOTHING = Found(Candidates.of(()), 0, {}, 0, 0.0)


def _nowhere(_query: Query) -> None:
    """There is no other process."""


def _unmeasured(_seconds: Mapping[str, float]) -> None:
    """Nobody counts how long lanes take."""


class Searcher:
    """Answers queries from the live generation of an index. One serves all threads."""

    def __init__(
        self,
        index: PassageIndex,
        encoder: Encoder,
        strong: float = STRONG,
        kind: Corpus = "articles",
        vectors: QueryVectors | None = None,
    ) -> None:
        """``strong`` is the probability from which a hit counts as strong; ``kind`` says what the index holds.

        ``vectors`` are those of another searcher's queries, so that one text asked of both is encoded once.
        """
        self.index, self._encoder, self._strong = index, encoder, strong
        self._calibration = Calibration.of(encoder.identity, kind)
        self._glossary = Glossary(index)
        self._vectors = vectors or QueryVectors(encoder)
        # Another process that answers in place of this one, if one is free
        self.elsewhere: Callable[[Query], Results | None] = _nowhere
        # Told of each search that was not given again how long its lanes took
        self.measured: Callable[[Mapping[str, float]], None] = _unmeasured
        # Those of the live generation, mostly the same ones again and again
        self._answers: RecentAnswers[Results] = RecentAnswers()
        self._cards: Recent[str, Card] = Recent(_KEPT)
        self._passages: Recent[int, Passage] = Recent(_KEPT)

    @property
    def catalogue(self) -> Catalogue:
        """The published objects, over this thread's connection."""
        return Catalogue(self.index.connection)

    def search(self, query: Query) -> Results:
        """Hits, best first. Any text is a query; an empty one has no hits. Raises IndexMissingError."""
        started = time.perf_counter()
        with self.index.snapshot() as snapshot:
            kept = self._answers.of(snapshot, query)
            if kept is None:
                kept = self.elsewhere(query) or self._answer(snapshot, query)
                self.measured(kept.seconds)
                if kept.generation == snapshot.generation:
                    self._answers.keep(snapshot, query, kept)
        return replace(kept, took_ms=round((time.perf_counter() - started) * 1000, 2))

    def _answer(self, snapshot: Snapshot, query: Query) -> Results:
        ranking = self._rank(snapshot, query)
        encoded = self._encoded_share(snapshot, query)
        facets = tuple(self._facets(snapshot, query, ranking)) if query.with_facets else ()
        hits = self._hits(ranking, slice(query.offset, query.offset + query.limit), query.evidence)
        return Results(
            query=query.text,
            hits=hits,
            total=len(ranking.ranked),
            understood=ranking.understood,
            relaxed=ranking.relaxed,
            unknown_codes=ranking.unknown_codes,
            generation=ranking.generation,
            took_ms=0.0,
            encoded=encoded,
            facets=facets,
            is_narrowed=bool(query.facets),
            seconds=ranking.seconds,
        )

    def rank(self, query: Query) -> Ranking:
        """The whole order of what a query finds, without snippets and reasons. Raises IndexMissingError."""
        with self.index.snapshot() as snapshot:
            ranking = self._rank(snapshot, query)
        self.measured(ranking.seconds)
        return ranking

    def similar(self, knowledge: KnowledgeObject, sight: Sight, limit: int) -> tuple[Hit, ...]:
        """Other articles about the same, by title and summary."""
        text = f"{knowledge.title} {knowledge.summary}"
        hits = self.search(Query(text, sight=sight, limit=limit, exclude=frozenset({knowledge.id}))).hits
        least = SIMILAR_SHARE * max((hit.likeness for hit in hits), default=0.0)
        return tuple(hit for hit in hits if hit.likeness >= least)

    def article(self, object_id: str, sight: Sight) -> KnowledgeObject | None:
        """The object of an id or alias, if the caller may read it. Raises IndexMissingError."""
        return next((one for one in self.published().named(object_id) if may_read(one, sight)), None)

    def lexicon(self, sight: Sight) -> Lexicon:
        """The names of the glossary's terms, to be found in a text."""
        with self.index.snapshot() as snapshot:
            return self._glossary.lexicon(snapshot, filter_of(Query("", sight=sight)))

    def meaning_of(self, text: str) -> Vectors:
        """What a text of a title and perhaps a description is about, ``(dimension,)`` float32, unit length."""
        text = text.strip()[:MOST_ENCODED_LETTERS]
        headline = text.partition("\n")[0]
        return self._vectors.of(text, headline if headline != text else "", True)

    def _encoded_share(self, snapshot: Snapshot, query: Query) -> float:
        """How much of what the caller sees can be found by meaning; nothing while the index is another encoder's."""
        return round(snapshot.encoded_share(self.index.connection, filter_of(Query("", sight=query.sight))), 4)

    def published(self) -> Catalogue:
        """The published objects: one that is not there is none. Raises IndexMissingError where there never was any."""
        return Catalogue(self._published())

    def _published(self) -> sqlite3.Connection:
        """This thread's connection to an index that holds something.

        An index that is made anew is another file, and nobody can say of it what is not there. So it is over the same
        connection that there is found to be something, and then what.
        """
        connection = self.index.connection
        if not int(meta(connection, "generation") or 0):
            raise IndexMissingError(f"nothing is indexed in {self.index.path.parent}", "Run 'kb index' first")
        return connection

    def _rank(self, snapshot: Snapshot, query: Query) -> Ranking:
        wanted, connection = filter_of(query), self._published()
        # A filter by type or state must not take the glossary's terms away from the query, nor add any
        lexicon = self._glossary.lexicon(snapshot, filter_of(Query("", sight=query.sight)))
        understood = understand(query.text, snapshot.spelling(connection, wanted), lexicon)
        if not understood.terms:
            return Ranking(understood, _NOTHING, rank(_NOTHING), np.zeros(0), snapshot.generation)
        meaningful = not understood.only_codes and not query.words_only
        text = (understood.encoded_text, understood.headline)
        started = time.perf_counter()
        vector = self._vectors.of(*text, query.sight.within) if meaningful else None
        encoded = time.perf_counter()
        asked = Asked(understood.terms, understood.codes, vector, understood.beside, tuple(query.evidence))
        found = snapshot.search(connection, asked, wanted)
        bonuses = _bonuses(query, found, snapshot)
        trust = words_trust(found.asked, understood.common_share, understood.language)
        ranked = rank(found, trust, bonuses=bonuses).steady(query.shown)
        probabilities = self._calibration.probabilities(ranked, found)
        seconds = dict(found.seconds)
        seconds["ranking"] = time.perf_counter() - encoded - sum(seconds.values())
        if meaningful:
            seconds["encoding"] = encoded - started
        return Ranking(understood, found, ranked, probabilities, snapshot.generation, trust, seconds)

    def _facets(self, snapshot: Snapshot, query: Query, ranking: Ranking) -> Iterator[Facet]:
        """Each counted as if nothing of it was chosen: choosing one more value adds hits, so its count must show."""
        for name in NAMES:
            chosen = query.facets.get(name, frozenset())
            others = {facet: values for facet, values in query.facets.items() if facet != name}
            ranked = self._rank(snapshot, replace(query, facets=others)).ranked if chosen else ranking.ranked
            places = ranked.candidates.places[ranked.rows].tolist()
            yield facet_of(name, map(snapshot.facets_of, places), chosen)

    def _hits(self, ranking: Ranking, page: slice, evidence: Mapping[str, Evidence]) -> tuple[Hit, ...]:
        ranked, generation = ranking.ranked[page], ranking.generation
        shown = passages_shown(ranked, ranking.found)
        nearest = [hit.candidate.meaning_passage for hit in ranked]
        keys = [key for key in (*shown, *nearest) if key is not None]
        passages = self._passages.of(generation, keys, self.index.passages)
        cards = self._cards.of(generation, (hit.candidate.owner_id for hit in ranked), self.catalogue.cards)
        hits = []
        chances = ranking.probabilities[page].tolist()
        for hit, chance, key, near in zip(ranked, chances, shown, nearest, strict=True):
            card = cards.get(hit.candidate.owner_id)
            if card is not None:
                judged: tuple[float, Confidence] = chance, band(chance, self._strong)
                shown_one, nearest_one = (None if one is None else passages.get(one) for one in (key, near))
                own = evidence.get(card.id)
                hits.append(hit_of(ranking.understood, hit, judged, card, shown_one, nearest_one, own))
        return tuple(hits)


def _bonuses(query: Query, found: Found, snapshot: Snapshot) -> Bonuses:
    """What is known beside the lanes: which articles resolved the like of it, and what is of the same service."""
    bonuses: dict[str, dict[str, float]] = {}
    for owner_id, one in query.evidence.items():
        bonuses.setdefault(owner_id, {})["evidence"] = EVIDENCE_WEIGHT * one.weight
    for facet, value in query.prefer.items():
        preferred = snapshot.having(facet, value, found.candidates.places)
        for row in np.flatnonzero(preferred).tolist():
            bonuses.setdefault(found.candidates.owner_ids[row], {})[facet] = PREFERENCE_BONUSES[facet]
    return bonuses
