"""Past and open incidents like one at hand: how alike, how they were resolved, how long that took."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from indexer.catalogue import Catalogue
from indexer.encoder import Vectors
from indexer.knowledge import KnowledgeObject
from indexer.passages import Passage
from kb_service.access import EVERYTHING, Sight
from kb_service.attachments import Attachment, Attachments
from kb_service.confidence import Confidence, band
from kb_service.hits import Reason, passages_shown, reasons_for
from kb_service.incident import Incident
from kb_service.incident_index import IncidentIndex
from kb_service.incident_reading import Selection
from kb_service.incident_rows import Recorded
from kb_service.incidents import Incidents
from kb_service.query import Query
from kb_service.ranking import Ranked
from kb_service.results import Ranking
from kb_service.snippets import snippet

# Of two as much alike the later one tells more of what is going on; its bonus halves in so many days
RECENCY_BONUS = 0.05
RECENCY_DAYS = 30.0
# Less than this is no likeness
LEAST_PROBABILITY = 0.1
# From here on two records are taken for the same fault
ALIKE = 0.5
# So many of the most alike are looked at more closely
_CONSIDERED = 100
_KINDS = frozenset({"incident", "case", "major_incident"})


@dataclass(frozen=True, slots=True)
class Related:
    """One incident like the one at hand. ``probability`` says how likely it is the same fault."""

    incident: Incident
    score: float
    probability: float
    confidence: Confidence
    reasons: tuple[Reason, ...]
    snippet: str
    articles: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class RelatedIncidents:
    """The open ones and those that are over, the most alike first."""

    open: tuple[Related, ...] = ()
    resolved: tuple[Related, ...] = ()


@dataclass(frozen=True, slots=True)
class ArticleLinks:
    """The incidents that an article resolved, latest first, and open ones that look as if it would."""

    resolved: tuple[Incident, ...]
    open: tuple[Incident, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """What others are to be like: a text, what is known of it beside, and the numbers that must not come back.

    ``sight`` is who asks: only what concerns that one is found.
    """

    text: str
    service: str | None = None
    cmdb_ci: str | None = None
    exclude: frozenset[str] = frozenset()
    sight: Sight = EVERYTHING

    @classmethod
    def incident(cls, incident: Incident, incidents: Incidents, sight: Sight = EVERYTHING) -> "Like":
        """Like a record of ours: neither itself nor what is below it."""
        below = incidents.descendants(incident.number, sight)
        return cls(incident.text, incident.service, incident.cmdb_ci, below | {incident.number}, sight)

    @property
    def prefer(self) -> Mapping[str, str]:
        return {name: value for name, value in (("service", self.service), ("ci", self.cmdb_ci)) if value}


class RelatedSearch:
    """Finds incidents like one, among the records of a desk."""

    def __init__(self, incidents: Incidents, attachments: Attachments, index: IncidentIndex, strong: float) -> None:
        self._incidents, self._attachments, self._index, self._strong = incidents, attachments, index, strong

    def find(self, like: Like, limit: int = 10) -> RelatedIncidents:
        """At most ``limit`` open ones and as many that are over."""
        both = (self.alike(like, is_open=is_open, limit=limit) for is_open in (True, False))
        return RelatedIncidents(*both)

    def problems(self, like: Like, limit: int = 3) -> tuple[Related, ...]:
        """Open problem records about the same."""
        return self._found(like, {"kind": frozenset({"problem"}), "open": frozenset({"yes"})}, limit, limit)

    def vectors_of(self, numbers: Iterable[str]) -> tuple[list[str], Vectors]:
        """Those of the records that can be found by meaning, and what each is about, ``(n, dimension)`` unit length."""
        with self._index.index.snapshot() as snapshot:
            return snapshot.owner_vectors(self._index.index.connection, numbers)

    def alike(self, like: Like, *, is_open: bool, limit: int, explained: int | None = None) -> tuple[Related, ...]:
        """Open or resolved ones, the most alike first; ``explained`` of them with reasons and snippet."""
        facets = {"kind": _KINDS, "open": frozenset({"yes" if is_open else "no"})}
        return self._found(like, facets, limit, limit if explained is None else explained)

    def matching(self, text: str, wanted: Selection) -> tuple[list[Recorded], int]:
        """A page of the records that a text finds, the best first, and how many there are; a number finds its own."""
        exact = self._incidents.get(text.strip(), wanted.sight)
        states = {"open": ("open", "yes"), None: None}.get(wanted.state, ("state", str(wanted.state)))
        given = (states, ("kind", wanted.kind), ("service", wanted.service), ("group", wanted.assignment_group))
        facets = {one[0]: frozenset({one[1]}) for one in given if one and one[1]}
        ranking = (
            self._index.searcher.rank(Query(text, facets, "any", wanted.sight))
            if self._index.index.generation
            else None
        )
        numbers = list(ranking.ranked.ids) if ranking else []
        if exact is not None:
            numbers = [exact.incident.number, *(one for one in numbers if one != exact.incident.number)]
        page = (
            self._incidents.get(number, wanted.sight)
            for number in numbers[wanted.offset : wanted.offset + wanted.limit]
        )
        return [one for one in page if one is not None], len(numbers)

    def of_article(
        self, knowledge: KnowledgeObject, catalogue: Catalogue, sight: Sight = EVERYTHING, limit: int = 10
    ) -> ArticleLinks:
        """The incidents that an article has to do with: links both ways."""
        attached = self._attachments.of_articles(catalogue.names_of(knowledge.id))
        numbers = [one.number for one in attached if one.relation == "resolved_by"]
        records = self._incidents.several(numbers, sight)
        like = Like(f"{knowledge.title}\n\n{knowledge.summary}", next(iter(knowledge.services), None), sight=sight)
        alike = self.alike(like, is_open=True, limit=limit)
        return ArticleLinks(
            tuple(records[number] for number in numbers if number in records)[:limit],
            tuple(one.incident for one in alike if one.confidence != "weak"),
        )

    def _found(
        self, like: Like, facets: Mapping[str, frozenset[str]], limit: int, explained: int
    ) -> tuple[Related, ...]:
        if not like.text.strip() or not self._index.index.generation:
            return ()
        query = Query(like.text, facets, "any", like.sight, exclude=like.exclude, prefer=like.prefer)
        ranking = self._index.searcher.rank(query)
        likely = np.flatnonzero(ranking.probabilities >= LEAST_PROBABILITY)[: max(_CONSIDERED, limit)]
        near = ranking.ranked.at(likely)
        chances = dict(zip(near.ids, ranking.probabilities[likely].tolist(), strict=True))
        records = self._incidents.several(near.ids, like.sight)
        ranked = near.with_bonuses({number: _recency(incident) for number, incident in records.items()})
        page = [ranked[place] for place, number in enumerate(ranked.ids) if number in records][:limit]
        return tuple(self._shown(ranking, page, records, chances, explained))

    def _shown(
        self,
        ranking: Ranking,
        page: Sequence[Ranked],
        records: Mapping[str, Incident],
        chances: Mapping[str, float],
        explained: int,
    ) -> list[Related]:
        keys: list[tuple[int | None, int | None]] = [
            (shown, hit.candidate.meaning_passage)
            for hit, shown in zip(page[:explained], passages_shown(page[:explained], ranking.found), strict=True)
        ]
        keys += [(None, None)] * (len(page) - len(keys))
        passages = self._index.index.passages(key for pair in keys for key in pair if key is not None)
        attached = self._attachments.of_incidents(hit.candidate.owner_id for hit in page)
        understood, found = ranking.understood, list[Related]()
        for hit, pair in zip(page, keys, strict=True):
            incident = records[hit.candidate.owner_id]
            shown, nearest = (None if key is None else passages.get(key) for key in pair)
            chance = chances[incident.number]
            found.append(
                Related(
                    incident=incident,
                    score=hit.score,
                    probability=round(chance, 4),
                    confidence=band(chance, self._strong),
                    reasons=tuple(_reasons(ranking, hit, incident, shown, nearest)) if len(found) < explained else (),
                    snippet=snippet(shown.text, frozenset(understood.terms), understood.language) if shown else "",
                    articles=tuple(attached.get(incident.number, ())),
                )
            )
        return found


def _reasons(
    ranking: Ranking, hit: Ranked, incident: Incident, shown: Passage | None, nearest: Passage | None
) -> list[Reason]:
    reasons = [*reasons_for(ranking.understood, hit, incident.short_description, shown, nearest)]
    for name, text in (("service", f"same service: {incident.service}"), ("ci", f"same item: {incident.cmdb_ci}")):
        if name in hit.parts:
            reasons.append(Reason("record", text, round(hit.parts[name], 4)))
    return reasons


def _recency(incident: Incident) -> dict[str, float]:
    if incident.opened_at is None:
        return {}
    days = (datetime.now(UTC) - incident.opened_at).total_seconds() / 86_400
    return {"recency": RECENCY_BONUS * 0.5 ** (max(0.0, days) / RECENCY_DAYS)}
