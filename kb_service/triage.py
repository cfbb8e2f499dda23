"""An incident comes in: what is known of it, what it looks like, who should have it next, whether it is one of a flood.

Works on ten records as on ten thousand, and every part says what it rests on.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Literal

from indexer.terms import query_terms
from kb_service.access import Sight
from kb_service.attachments import Attachments
from kb_service.confidence import MEDIUM, SURE, in_percent
from kb_service.escalation import Escalation, SuggestedKind, escalation, kind_of
from kb_service.evidence import MOST_WITNESSES, spoken_for
from kb_service.feedback import Feedback
from kb_service.glossary import Term
from kb_service.hits import Hit
from kb_service.incident import Incident
from kb_service.incidents import Incidents
from kb_service.major import CameIn, Criteria, MajorCandidate, MajorWatch
from kb_service.query import Evidence, Query
from kb_service.recurrence import ProblemCandidate, Recurrence, problem_candidate
from kb_service.related import Like, RelatedIncidents, RelatedSearch
from kb_service.search import Searcher
from kb_service.vocabulary import Level, Priority, priority_of

Outcome = Literal["known", "likely", "new"]

MOST_SUGGESTIONS = 5
MOST_RELATED = 5
_MOST_ALIKE = 200
# What is only perhaps an answer is shown where there are few better ones, as what it is: weak
_NEAR_MISS = 0.01
_MOST_NEAR_MISSES = 3
_MOST_TERMS = 10
_NO_ANSWERS = frozenset({"glossary", "template", "policy"})
# A ticket of fewer telling words may be about anything
_LEAST_TERMS = 3


@dataclass(frozen=True, slots=True)
class Ticket:
    """What came in: a text, and what else is known; ``incident`` is its record, if it has one."""

    text: str
    service: str | None = None
    cmdb_ci: str | None = None
    impact: Level | None = None
    urgency: Level | None = None
    priority: Priority | None = None
    incident: Incident | None = None

    @classmethod
    def of(cls, incident: Incident) -> "Ticket":
        return cls(
            text=incident.text,
            service=incident.service,
            cmdb_ci=incident.cmdb_ci,
            impact=incident.impact,
            urgency=incident.urgency,
            priority=incident.priority,
            incident=incident,
        )


@dataclass(frozen=True, slots=True)
class Triage:
    """What is known of an incident, part by part, each with its evidence. ``reason`` says why the outcome is that."""

    outcome: Outcome
    reason: str
    suggestions: tuple[Hit, ...]
    related: RelatedIncidents
    major: MajorCandidate | None
    problem: ProblemCandidate | None
    escalation: Escalation
    kind: SuggestedKind
    terms: tuple[Term, ...]
    took_ms: float


class Triager:
    """Triages over the articles of a knowledge base and the records of a desk."""

    def __init__(
        self,
        searcher: Searcher,
        related: RelatedSearch,
        incidents: Incidents,
        attachments: Attachments,
        feedback: Feedback,
        criteria: Criteria,
        recurrence: Recurrence,
        strong: float,
    ) -> None:
        self._searcher, self._related, self._incidents = searcher, related, incidents
        self._attachments, self._feedback = attachments, feedback
        self._major = MajorWatch(incidents, related, criteria)
        self._recurrence, self._strong = recurrence, strong

    def triage(self, ticket: Ticket, sight: Sight) -> Triage:
        """Raises IndexMissingError."""
        started = time.perf_counter()
        own = ticket.incident
        like = self._like(ticket, sight)
        is_open = self._related.alike(like, is_open=True, limit=_MOST_ALIKE, explained=MOST_RELATED)
        over = self._related.alike(like, is_open=False, limit=_MOST_ALIKE, explained=MOST_RELATED)
        problems = self._related.problems(like)
        priority = ticket.priority or priority_of(ticket.impact, ticket.urgency)
        at = own.opened_at if own and own.opened_at else datetime.now(UTC)
        vector = self._searcher.meaning_of(ticket.text)
        major = self._major.candidate(CameIn(at, vector, ticket.service, priority, own, sight), is_open)
        problem = problem_candidate(
            own, (*is_open, *over), problems, self._recurrence, self._incidents, self._attachments, sight
        )
        flood = frozenset(one.number for one in major.incidents) if major else frozenset()
        evidence = spoken_for((*over, *is_open), self._searcher.catalogue, self._feedback, flood, sight)
        suggestions = self._suggestions(ticket, evidence, sight)
        related = RelatedIncidents(is_open[:MOST_RELATED], over[:MOST_RELATED])
        outcome, reason = self._outcome(ticket.text, suggestions, related, major, problem)
        return Triage(
            outcome=outcome,
            reason=reason,
            suggestions=suggestions,
            related=related,
            major=major,
            problem=problem,
            escalation=escalation(
                self._searcher, sight, suggestions, (*over, *is_open),
                ticket.service, priority=priority, flood=major is not None,
            ),
            kind=kind_of(ticket.text, ticket.impact, ticket.urgency),
            terms=tuple(islice(self._searcher.lexicon(sight).explained(ticket.text), _MOST_TERMS)),
            took_ms=round((time.perf_counter() - started) * 1000, 2),
        )  # fmt: skip

    def open_floods(self, sight: Sight) -> list[MajorCandidate]:
        """What comes in over and over right now, the largest first."""
        return self._major.open_floods(datetime.now(UTC), sight)

    def evidence(self, ticket: Ticket, sight: Sight) -> dict[str, Evidence]:
        """What incidents like it say for articles; nothing to who may not see incidents."""
        if not sight.within:
            return {}
        like = self._like(ticket, sight)
        over = self._related.alike(like, is_open=False, limit=MOST_WITNESSES, explained=0)
        return spoken_for(over, self._searcher.catalogue, self._feedback, sight=sight)

    def _suggestions(self, ticket: Ticket, evidence: dict[str, Evidence], sight: Sight) -> tuple[Hit, ...]:
        prefer = {"service": ticket.service} if ticket.service else {}
        asked = Query(ticket.text, sight=sight, limit=MOST_SUGGESTIONS, prefer=prefer, evidence=evidence)
        hits = self._searcher.search(asked).hits
        fair = [hit for hit in hits if hit.confidence != "weak"]
        near = [hit for hit in hits if hit.confidence == "weak" and hit.probability >= _NEAR_MISS]
        # What resolved incidents like it is no mere near miss, even where its own words say little
        near.sort(key=lambda hit: not any(why.lane in {"evidence", "attached"} and why.score for why in hit.reasons))
        return tuple(fair + near[: max(0, _MOST_NEAR_MISSES - len(fair))])

    def _like(self, ticket: Ticket, sight: Sight) -> Like:
        if ticket.incident is not None:
            return Like.incident(ticket.incident, self._incidents, sight)
        return Like(ticket.text, ticket.service, ticket.cmdb_ci, sight=sight)

    def _outcome(
        self,
        text: str,
        suggestions: Sequence[Hit],
        related: RelatedIncidents,
        major: MajorCandidate | None,
        problem: ProblemCandidate | None,
    ) -> tuple[Outcome, str]:
        """Known where there is a sure answer, likely where there is a fair one.

        What explains a term or gives a text to send answers no ticket, and of one that says next to nothing only
        what is all but certain is known.
        """
        if problem and problem.problem and problem.problem.known_error and problem.problem.is_open:
            return "known", problem.reason
        if major and major.parent and (major.linked or not self._says_little(text)):
            return "known", f"one of {major.parent.number}: {major.parent.short_description}"
        answers = [
            (hit.probability, f"'{hit.title}' is the answer with a probability of {in_percent(hit.probability)}")
            for hit in suggestions
            if hit.type not in _NO_ANSWERS
        ]
        answers += [
            (
                one.probability,
                f"{one.incident.number}, resolved, is the same with a probability of {in_percent(one.probability)}",
            )
            for one in related.resolved
            if one.incident.close_notes
        ]
        best, reason = max(answers, default=(0.0, ""))
        if best >= self._strong and best < SURE and self._says_little(text):
            return "likely", f"{reason}, but the ticket says next to nothing"
        if best >= self._strong:
            return "known", reason
        if best >= MEDIUM:
            return "likely", reason
        return "new", "no article and no resolved incident is likely the same"

    def _says_little(self, text: str) -> bool:
        return len(query_terms(text, self._searcher.index.language)) < _LEAST_TERMS
