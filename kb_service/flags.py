"""What readers flagged, told to those who may read what it is about."""

from collections.abc import Iterator
from typing import Any

from indexer.knowledge import KnowledgeObject
from kb_service.access import Sight
from kb_service.bodies import sees_article
from kb_service.feedback import Fact
from kb_service.hits import article_url
from kb_service.knowledge_base import KnowledgeBase


def flags(base: KnowledgeBase, sight: Sight, article: str | None = None) -> Iterator[dict[str, Any]]:
    """The latest first; of one article, also by an id that it had before, or of all."""
    catalogue = base.searcher.catalogue
    now = catalogue.get(article) if article else None
    for fact in base.feedback.flags(catalogue.names_of(now.id if now else article) if article else None):
        # Of an article that one may not read nothing is told, nor of an incident of another's service
        of_article = sees_article(catalogue, fact.article, sight)
        if of_article and (fact.number is None or base.incidents.get(fact.number, sight) is not None):
            yield fact_json(fact, catalogue.get(fact.article))


def fact_json(fact: Fact, now: KnowledgeObject | None) -> dict[str, Any]:
    """A fact, with the article that it is of as it is ``now``."""
    return {
        "article": now.id if now else fact.article,
        "title": now.title if now else fact.article,
        "owner": now.owner if now else None,
        "url": article_url(now.id, fact.anchor) if now else None,
        "revision": fact.revision,
        "changed_since": now.revision != fact.revision if now else None,
        "verdict": fact.verdict,
        "comment": fact.comment,
        "anchor": fact.anchor,
        "number": fact.number,
        "at": fact.at.isoformat(),
    }
