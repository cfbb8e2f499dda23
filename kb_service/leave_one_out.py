"""A labelled set whose other queries are past incidents, each with the articles that answer it: what does that add?

Every query is asked with the evidence of all others; those that share its value of a field (variants of one text) are
left out with it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kb_service.evidence import MOST_WITNESSES, Witness, evidence_of
from kb_service.labelled import LabelledDocument, LabelledQuery, LabelledSet
from kb_service.query import Evidence, Query
from kb_service.search import Searcher

_NONE_WRONG: Mapping[str, str] = {}


def past_incidents(labelled: LabelledSet, leave_out: str | None = None) -> LabelledSet:
    """The set's queries as reports, each to be asked for the others that have an article in common with it."""
    groups: dict[str, set[str]] = defaultdict(set)
    for query in labelled.queries:
        groups[_group(query, leave_out)].add(query.id)
    sharing: dict[str, set[str]] = defaultdict(set)
    for query in labelled.queries:
        for article in labelled.relevant[query.id]:
            sharing[article].add(query.id)
    asked, relevant = [], {}
    for query in labelled.queries:
        exclude = frozenset(groups[_group(query, leave_out)])
        others = set().union(*(sharing[article] for article in labelled.relevant[query.id])) - exclude
        asked.append(replace(query, exclude=exclude))
        relevant[query.id] = dict.fromkeys(sorted(others), 1)
    documents = tuple(_report(query) for query in labelled.queries)
    return LabelledSet(f"{labelled.name}: its queries", documents, tuple(asked), relevant)


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """Evidence for the queries of a set from all others, found by ``searcher``, which is over the past incidents."""

    labelled: LabelledSet
    past: Mapping[str, LabelledQuery]
    searcher: Searcher

    @classmethod
    def over(cls, labelled: LabelledSet, past: LabelledSet, searcher: Searcher) -> "LeaveOneOut":
        return cls(labelled, {query.id: query for query in past.queries}, searcher)

    def evidence(self, query: LabelledQuery, wrong: Mapping[str, str] = _NONE_WRONG) -> dict[str, Evidence]:
        """What the others say for the articles; ``wrong`` gives some of them another article than their own."""
        own = self.past[query.id]
        ranking = self.searcher.rank(Query(own.text, state="any", exclude=own.exclude))
        heard = zip(ranking.ranked[:MOST_WITNESSES], ranking.probabilities, strict=False)
        said = []
        for hit, chance in heard:
            number = hit.candidate.owner_id
            articles: Sequence[str] = [wrong[number]] if number in wrong else list(self.labelled.relevant[number])
            said += [Witness(number, chance, article, "resolved_by") for article in articles]
        return evidence_of(said)


def _report(query: LabelledQuery) -> LabelledDocument:
    """A query as somebody reported it: its first line, then the rest."""
    first, _, rest = query.text.strip().partition("\n")
    return LabelledDocument(query.id, first, rest.strip())


def _group(query: LabelledQuery, field: str | None) -> str:
    return str(query.fields.get(field, query.id)) if field else query.id
