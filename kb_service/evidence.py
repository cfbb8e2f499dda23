"""Which articles resolved incidents like one at hand, and what readers say of them: one more lane for the ranking.

Each similar incident speaks for the articles that resolved it, as much as it is alike. What one incident can add is
bounded, so that a wrong attachment is; what readers say counts only from several of them on, and against a prior.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from indexer.catalogue import Catalogue
from kb_service.access import EVERYTHING, Sight
from kb_service.attachments import Relation
from kb_service.feedback import Feedback, Votes
from kb_service.query import Evidence
from kb_service.related import ALIKE, Related

# An incident is heard from here on, and named in the reason; it adds to the score only where it is more likely the same
# fault than not. Alerts of the same make look alike and have runbooks of their own: without this cut they mislead
LEAST_HEARD = 0.3
# How much an incident of the very same fault speaks for what resolved it, and for what was only attached
SPEAKS: Mapping[Relation, float] = {"resolved_by": 0.5, "attached": 0.3}
# That a report of a flood is of its fault
SAME_FLOOD = 0.8
# So many of the most alike are heard
MOST_WITNESSES = 30
# Fewer votes move nothing; then they count beside as many of a middling article
LEAST_VOTES = 3
PRIOR_HELPED, PRIOR_NOT_HELPED = 6.0, 2.0


@dataclass(frozen=True, slots=True)
class Witness:
    """An incident that had an article: how likely it is the same fault, and what the article was to it."""

    number: str
    probability: float
    article: str
    relation: Relation


def evidence_of(
    witnesses: Iterable[Witness], useful: Callable[[str], float] = lambda _article: 1.0
) -> dict[str, Evidence]:
    """What incidents say, by article id: how much (0..1) and which incidents it resolved.

    Independent witnesses: the chance that at least one of them is right. ``useful`` multiplies it by what readers say.
    """
    doubt: dict[str, float] = {}
    heard: dict[tuple[str, Relation], list[str]] = {}
    for one in witnesses:
        sure = max(0.0, (one.probability - ALIKE) / (1 - ALIKE))
        doubt[one.article] = doubt.get(one.article, 1.0) * (1 - SPEAKS[one.relation] * sure)
        if one.probability >= LEAST_HEARD:
            heard.setdefault((one.article, one.relation), []).append(one.number)
    weights = {article: min(1.0, (1 - left) * useful(article)) for article, left in doubt.items()}
    found = {}
    for article, weight in weights.items():
        resolved, attached = (tuple(heard.get((article, relation), ())) for relation in ("resolved_by", "attached"))
        found[article] = Evidence(round(weight, 4), resolved, attached)
    return {article: one for article, one in found.items() if one.weight > 0 or one.resolved or one.attached}


def witnesses(related: Sequence[Related], catalogue: Catalogue, flood: Collection[str] = ()) -> Iterator[Witness]:
    """Those among incidents like it; an article that was renamed keeps its own, one no longer published has none.

    Reports of one ``flood`` are of one fault, however little alike they are by themselves.
    """
    chances = {
        one.incident.number: max(one.probability, SAME_FLOOD if one.incident.number in flood else 0.0)
        for one in related
    }
    for one in sorted(related, key=lambda one: -chances[one.incident.number])[:MOST_WITNESSES]:
        for attachment in one.articles:
            knowledge = catalogue.get(attachment.article)
            if knowledge is not None:
                yield Witness(one.incident.number, chances[one.incident.number], knowledge.id, attachment.relation)


def usefulness(votes: Votes) -> float:
    """What readers' votes multiply evidence by: 1 where they say what one expects, at most 1.33, at least 0.

    The mean of a beta distribution over its prior's.
    """
    if votes.helped + votes.not_helped < LEAST_VOTES:
        return 1.0
    helped = votes.helped + PRIOR_HELPED
    share = helped / (helped + votes.not_helped + PRIOR_NOT_HELPED)
    return share / (PRIOR_HELPED / (PRIOR_HELPED + PRIOR_NOT_HELPED))


def spoken_for(
    related: Sequence[Related],
    catalogue: Catalogue,
    feedback: Feedback,
    flood: Collection[str] = (),
    sight: Sight = EVERYTHING,
) -> dict[str, Evidence]:
    """The evidence of incidents like one at hand, with what readers say of the articles."""
    return evidence_of(
        witnesses(related, catalogue, flood),
        lambda article: usefulness(feedback.votes(catalogue.names_of(article), sight)),
    )
