"""What somebody sees who has not asked anything yet: what is new, what is used most, what must be looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from indexer.catalogue import Catalogue, in_force
from indexer.knowledge import KnowledgeObject
from kb_service.access import Sight
from kb_service.desk import Desk
from kb_service.query import may_read
from kb_service.usage import most_used

MOST = 6
USED_WITHIN = timedelta(days=7)
ENDS_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Overview:
    """Articles, the first of each list first."""

    new: tuple[KnowledgeObject, ...]
    used: tuple[KnowledgeObject, ...]
    ending: tuple[KnowledgeObject, ...]


def overview(catalogue: Catalogue, desk: Desk, sight: Sight) -> Overview:
    """As far as one may see it. What ends soon or is due for review concerns those who answer, not those who ask."""
    now = datetime.now(UTC)
    used = (catalogue.get(article) for article in most_used(desk, now - USED_WITHIN, sight))
    return Overview(
        new=_first(catalogue.latest(), sight),
        used=_first(used, sight),
        ending=_first(catalogue.ending(now, now + ENDS_WITHIN), sight) if sight.within else (),
    )


def _first(articles: Iterable[KnowledgeObject | None], sight: Sight) -> tuple[KnowledgeObject, ...]:
    """An article is used by the ids it had before, too, but is listed once."""
    seen: dict[str, KnowledgeObject] = {}
    now = datetime.now(UTC)
    readable = (one for one in articles if one and in_force(one, now) and may_read(one, sight))
    different = (seen.setdefault(one.id, one) for one in readable if one.id not in seen)
    return tuple(islice(different, MOST))
