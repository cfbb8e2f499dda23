"""Ranked candidates made ready to be shown: the passage that matched, a snippet of it, and the reasons."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from indexer.candidates import Candidate
from indexer.catalogue import Card
from indexer.passages import Passage
from indexer.retrieval import Found
from indexer.terms import terms_said
from kb_service.confidence import Confidence
from kb_service.query import Evidence
from kb_service.ranking import Ranked
from kb_service.snippets import matched_words, snippet
from kb_service.understanding import Understood

# A passage is shown for its words where it says at least this share of what any passage says of them
SAYS_ENOUGH = 0.5
# So many incidents are named in a reason
MOST_NAMED = 3
_WHERE = {"symptom": "its description", "resolution": "how it was resolved"}


ReasonLane = Literal["exact", "meaning", "words", "title", "glossary", "window", "evidence", "attached", "record"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a hit is there: the lane, a sentence, and the numbers and words behind it."""

    lane: ReasonLane
    text: str
    score: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One article that answers, with the passage that matched.

    ``parts`` are what its score is the sum of, ``likeness`` is the score without what is no likeness (identifiers,
    time); ``probability`` is how likely it answers, ``confidence`` its band.
    """

    id: str
    title: str
    type: str
    url: str
    anchor: str
    snippet: str
    score: float
    likeness: float
    probability: float
    confidence: Confidence
    reasons: tuple[Reason, ...]
    parts: Mapping[str, float]
    passage: Passage | None
    tier: str | None
    services: tuple[str, ...]


def article_url(object_id: str, anchor: str = "") -> str:
    """Where an article is read."""
    return f"/a/{quote(object_id)}" + (f"#{quote(anchor)}" if anchor else "")


def passages_shown(page: Sequence[Ranked], found: Found) -> list[int | None]:
    """For each hit the key of the passage to show.

    The one that says most of the words where it says enough of them, else the nearest.
    """
    most = found.candidates.figures("passage_words").max(initial=0.0)
    return [_shown(hit.candidate, SAYS_ENOUGH * most) for hit in page]


def _shown(candidate: Candidate, enough: float) -> int | None:
    says_enough = candidate.passage_words >= enough
    if candidate.words_passage is not None and (says_enough or candidate.exact or candidate.meaning_passage is None):
        return candidate.words_passage
    return candidate.meaning_passage if candidate.meaning_passage is not None else candidate.lead


def hit_of(
    understood: Understood,
    ranked: Ranked,
    judged: tuple[float, Confidence],
    knowledge: Card,
    passage: Passage | None,
    nearest: Passage | None,
    evidence: Evidence | None = None,
) -> Hit:
    """A hit; ``passage`` is the one shown, ``nearest`` the one nearest in meaning, ``judged`` probability and band."""
    reasons = [*reasons_for(understood, ranked, knowledge.title, passage, nearest)]
    if evidence is not None:
        reasons += _spoken_for(evidence)
    anchor = passage.anchor if passage else ""
    return Hit(
        id=knowledge.id,
        title=knowledge.title,
        type=knowledge.type,
        url=article_url(knowledge.id, anchor),
        anchor=anchor,
        snippet=snippet(passage.text if passage else knowledge.summary, understood.marked, understood.language),
        score=ranked.score,
        likeness=ranked.likeness,
        probability=round(judged[0], 4),
        confidence=judged[1],
        reasons=tuple(reasons),
        parts={name: round(value, 4) for name, value in ranked.parts.items()},
        passage=passage,
        tier=knowledge.tier,
        services=knowledge.services,
    )


def _spoken_for(evidence: Evidence) -> Iterator[Reason]:
    """Which incidents like the one at hand an article resolved, and which it is only attached to."""
    told: tuple[tuple[ReasonLane, str, tuple[str, ...]], ...] = (
        ("evidence", "resolved", evidence.resolved),
        ("attached", "attached to", evidence.attached),
    )
    for lane, said, numbers in told:
        if numbers:
            named = ", ".join(numbers[:MOST_NAMED]) + (", …" if len(numbers) > MOST_NAMED else "")
            yield Reason(lane, f"{said} {len(numbers)} like this: {named}", round(evidence.weight, 4), numbers)


def reasons_for(
    understood: Understood,
    ranked: Ranked,
    title: str,
    passage: Passage | None,
    nearest: Passage | None,
) -> Iterator[Reason]:
    """Why it is there, in words: identifiers, the title, the words of the passage shown, the glossary, the meaning."""
    candidate = ranked.candidate
    for code in candidate.exact:
        if not any(code != other and code in other for other in candidate.exact):
            yield Reason("exact", f"exact: {code}", 1.0, (code,))
    wanted, language = understood.telling, understood.language
    said_in_title = terms_said(title, wanted, language)
    in_title = matched_words(understood.meant, said_in_title.intersection(understood.terms), language)
    if in_title:
        yield Reason("title", f"title says: {', '.join(in_title)}", round(candidate.title_words, 4), tuple(in_title))
    said = terms_said(passage.text if passage else "", wanted, language)
    in_text = matched_words(understood.meant, said.intersection(understood.terms), language)
    if in_text:
        yield Reason("words", f"words: {', '.join(in_text)}", round(candidate.article_words, 4), tuple(in_text))
    for expansion in understood.expansions:
        if expansion.matches(said | said_in_title):
            yield Reason("glossary", f"glossary: {expansion.text}", round(candidate.article_words, 4), expansion.names)
    if nearest is not None:
        path = nearest.heading_path
        where = f"section '{path[-1]}'" if len(path) > 1 else _WHERE.get(nearest.role, "what it says first")
        yield Reason("meaning", f"meaning: {where}", round(candidate.passage_meaning or 0.0, 4))
    elif candidate.title_meaning is not None:
        yield Reason("meaning", "meaning: its title", round(candidate.title_meaning, 4))
    if candidate.in_window:
        yield Reason("window", "valid for a limited time, now", 1.0)
