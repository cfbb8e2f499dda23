"""A half-written ticket becomes a few articles that may solve it, or none: nothing rather than something wrong."""

from dataclasses import dataclass, replace

from kb_service.confidence import in_percent
from kb_service.hits import Hit
from kb_service.query import Query
from kb_service.search import Searcher

MOST_SUGGESTIONS = 3
LEAST_LETTERS = 3
# So few letters mean nothing to an encoder yet: words alone are asked
MEANINGFUL_LETTERS = 12


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The articles to suggest, best first; where there are none, ``reason`` says why in a sentence."""

    hits: tuple[Hit, ...]
    reason: str
    generation: int


def says_enough(text: str) -> bool:
    """Whether a text is long enough to mean something."""
    return len(text.strip()) >= MEANINGFUL_LETTERS


def suggest(searcher: Searcher, query: Query, least: float) -> Suggestions:
    """Articles whose probability of answering is at least ``least``; at most three, or the query's limit if lower."""
    generation = searcher.index.generation
    text = query.text.strip()
    if len(text) < LEAST_LETTERS:
        little = f"Too little to go by: short_description and description have fewer than {LEAST_LETTERS} letters."
        return Suggestions((), little, generation)
    results = searcher.search(replace(query, words_only=not says_enough(text)))
    hits = tuple(hit for hit in results.hits if hit.probability >= least)[: min(query.limit, MOST_SUGGESTIONS)]
    if hits:
        return Suggestions(hits, "", results.generation)
    if not results.hits:
        return Suggestions((), "Nothing was found.", results.generation)
    best = in_percent(max(hit.probability for hit in results.hits))
    reason = f"No article is sure enough: the surest answers with a probability of {best}, and {least:.0%} is asked."
    return Suggestions((), reason, results.generation)
