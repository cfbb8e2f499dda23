"""What a search comes to: a ranking of all that was found, a page of it ready to be shown, and that page as JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.retrieval import Found
from kb_service.facets import Facet
from kb_service.hits import Hit
from kb_service.ranking import LONG_TEXT_TERMS, Figures, Lane, Order, rank
from kb_service.understanding import Understood

# In a longer text nobody expects an article to say all of its words
_MOST_WORDS_TO_RELAX = 8


@dataclass(frozen=True, slots=True)
class Ranking:
    """Everything that was found for a query, in order, before any of it is made ready to be shown.

    ``probabilities`` say how likely each answers; ``relaxed`` says that no article has all words of the query.
    ``trust`` is how much its words told beside its meaning, 0..1; ``seconds`` are those of its lanes: encoding, words,
    meaning, ranking.
    """

    understood: Understood
    found: Found
    ranked: Order
    probabilities: Figures
    generation: int
    trust: float = 1.0
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    def alone(self, lane: Lane) -> Order:
        """The order of one lane by itself."""
        return rank(self.found, lanes=(lane,))

    @property
    def unknown_codes(self) -> tuple[str, ...]:
        """Identifiers of a short query that no article has; the longest form of each."""
        if self.found.asked > LONG_TEXT_TERMS:
            return ()
        codes = self.understood.codes
        whole = [code for code in codes if not any(code != other and code in other for other in codes)]
        return tuple(code for code in whole if not self.found.holders.get(code))

    @property
    def relaxed(self) -> bool:
        if self.unknown_codes or not 1 < self.found.asked <= _MOST_WORDS_TO_RELAX:
            return False
        said = self.found.candidates.figures("said")[self.ranked.rows]
        return float(said.max(initial=0.0)) < self.found.asked


@dataclass(frozen=True, slots=True)
class Results:
    """The hits of a page, how many there are in all, how the query was understood, and which generation answered.

    ``encoded`` is the share of the passages one may see that have their vector, 0..1: below 1 words carry more.
    ``seconds`` are those of the lanes, when it was found.
    """

    query: str
    hits: tuple[Hit, ...]
    total: int
    understood: Understood
    relaxed: bool
    unknown_codes: tuple[str, ...]
    generation: int
    took_ms: float
    encoded: float
    facets: tuple[Facet, ...] = ()
    is_narrowed: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of how the query was read, in sentences."""
        changed = [change.text for change in self.understood.changes]
        ambiguous = [one.text for one in self.understood.expansions if len(one.names) > 1 and one.spells_out]
        relaxed = ["No article has all of these words; shown are those with most of them, or with the same meaning."]
        nobody = "None of the articles chosen" if self.is_narrowed else "No article"
        unknown = [f"{nobody} names {self._as_typed(code)}." for code in self.unknown_codes]
        return (*changed, *ambiguous, *unknown, *(relaxed if self.relaxed else []))

    def _as_typed(self, code: str) -> str:
        found = re.search(re.escape(code), self.query, re.IGNORECASE)
        return found[0] if found else code


def as_json(results: Results) -> dict[str, Any]:
    """The contract that programs rely on, the same from the shell and over HTTP."""
    understood = results.understood
    return {
        "query": results.query,
        "hits": [hit_json(hit) for hit in results.hits],
        "total": results.total,
        "understood": {
            "text": understood.meant,
            "changes": [
                {"typed": change.typed, "meant": change.meant, "kind": change.kind} for change in understood.changes
            ],
            "expansions": [{"said": one.said, "names": list(one.names)} for one in understood.expansions],
            "relaxed": results.relaxed,
            "notes": list(results.notes),
        },
        "facets": {
            facet.name: [{"value": one.name, "count": one.count} for one in facet.values] for facet in results.facets
        },
        "generation": results.generation,
        "encoded": results.encoded,
        "took_ms": results.took_ms,
    }


def hit_json(hit: Hit) -> dict[str, Any]:
    """A hit in that contract."""
    return {
        "id": hit.id,
        "title": hit.title,
        "type": hit.type,
        "url": hit.url,
        "anchor": hit.anchor,
        "snippet": hit.snippet,
        "score": hit.score,
        "probability": hit.probability,
        "confidence": hit.confidence,
        "reasons": [
            {"lane": why.lane, "text": why.text, "score": why.score, "words": list(why.words)} for why in hit.reasons
        ],
        "parts": dict(hit.parts),
        "heading_path": list(hit.passage.heading_path) if hit.passage else [hit.title],
        "tier": hit.tier,
        "services": list(hit.services),
    }
