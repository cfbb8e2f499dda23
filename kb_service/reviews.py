"""Which articles are due for review, and whose they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from indexer.knowledge import KnowledgeObject


@dataclass(frozen=True, slots=True)
class Due:
    """An article to look at again. ``days_overdue`` is below 0 for one that is due later; None without a date."""

    article: KnowledgeObject
    days_overdue: int | None

    @property
    def when(self) -> str:
        """When it was, is or will be due, in words."""
        days = self.days_overdue
        if days is None:
            return "no review date"
        if days == 0:
            return "due today"
        many = f"{abs(days)} day{'s' if abs(days) > 1 else ''}"
        return f"overdue by {many}" if days > 0 else f"due in {many}"


@dataclass(frozen=True, slots=True)
class OwnerDue:
    """What of one owner is due, the longest overdue first, what has no date last; None owns what nobody owns."""

    owner: str | None
    due: tuple[Due, ...]


def due_reviews(objects: Iterable[KnowledgeObject], today: date, within_days: int = 0) -> list[OwnerDue]:
    """What is due by then or has no date, by owner: first what nobody owns, then by name.

    Retired articles need no review, and neither do those whose time is over.
    """
    last = today + timedelta(days=within_days)
    by_owner: dict[str | None, list[Due]] = {}
    for one in objects:
        over = one.valid_to is not None and one.valid_to.astimezone(UTC).date() < today
        if one.workflow_state != "retired" and not over and (one.review_by is None or one.review_by <= last):
            days = None if one.review_by is None else (today - one.review_by).days
            by_owner.setdefault(one.owner, []).append(Due(one, days))
    return [OwnerDue(owner, tuple(sorted(by_owner[owner], key=_order))) for owner in sorted(by_owner, key=_owner_order)]


def _order(due: Due) -> tuple[bool, int, str]:
    return due.days_overdue is None, -(due.days_overdue or 0), due.article.path


def _owner_order(owner: str | None) -> tuple[bool, str, str]:
    return owner is not None, (owner or "").casefold(), owner or ""
