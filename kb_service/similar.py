"""Which articles there are already, before another one is written: published, in review, or still a draft."""

from dataclasses import dataclass, replace

from indexer.knowledge import KnowledgeObject
from kb_service.hits import Hit
from kb_service.query import Query
from kb_service.search import Searcher

MOST_SHOWN = 3
# Less likely ones are no help to who is about to write
LEAST_PROBABILITY = 0.1


@dataclass(frozen=True, slots=True)
class Similar:
    """An article about the same: how likely it answers, and the object as it is indexed."""

    hit: Hit
    knowledge: KnowledgeObject

    @property
    def line(self) -> str:
        """Its type, how sure it is, and its state where that is not published."""
        state = () if self.knowledge.workflow_state == "published" else (self.knowledge.workflow_state,)
        return " · ".join((self.hit.type, self.hit.confidence, *state))


def similar(searcher: Searcher, asked: Query) -> tuple[Similar, ...]:
    """Articles that a query finds in whatever state, the surest first; none that are retired.

    Raises IndexMissingError.
    """
    hits = searcher.search(replace(asked, state="any", limit=MOST_SHOWN * 2)).hits
    objects = ((hit, searcher.catalogue.get(hit.id)) for hit in hits if hit.probability >= LEAST_PROBABILITY)
    found = [Similar(hit, one) for hit, one in objects if one is not None and one.workflow_state != "retired"]
    return tuple(found[:MOST_SHOWN])
