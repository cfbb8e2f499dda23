"""Who is responsible, accountable, consulted and informed for each article, from its front matter.

Accountable is the one team in ``owner``, responsible are those who keep it true (``responsible``, else the owner),
consulted are the ``reviewers``, informed those under ``informed``.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from indexer.knowledge import KnowledgeObject


@dataclass(frozen=True, slots=True)
class Raci:
    """The teams of one article. ``path`` is relative to the content."""

    id: str
    path: str
    title: str
    responsible: tuple[str, ...]
    accountable: str | None
    consulted: tuple[str, ...]
    informed: tuple[str, ...]


def raci_of(objects: Iterable[KnowledgeObject]) -> list[Raci]:
    """One row an article, by path."""
    return [
        Raci(
            id=one.id,
            path=one.path,
            title=one.title,
            responsible=one.responsible or ((one.owner,) if one.owner else ()),
            accountable=one.owner,
            consulted=one.reviewers,
            informed=one.informed,
        )
        for one in sorted(objects, key=lambda one: one.path)
    ]
