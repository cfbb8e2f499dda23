"""Which articles differ between two states of the content, and in what, in one line each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from indexer.knowledge import KnowledgeObject
from indexer.markdown import Section

ChangeKind = Literal["added", "changed", "renamed", "deleted"]

# What is no reader's: where a file lies, when it changed, and git's name of its bytes
_NOT_READ = frozenset({"id", "path", "revision", "created", "updated", "body", "body_line"})
# What readers see of these keys is their value
_TOLD = frozenset({"type", "workflow_state", "audience", "tier"})
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """One article that differs. ``id`` and ``title`` are what it has now, or had; ``what`` says the difference."""

    kind: ChangeKind
    id: str
    title: str
    path: str
    what: str
    before_id: str


def article_changes(
    before: Mapping[str, KnowledgeObject], after: Mapping[str, KnowledgeObject], names: Mapping[str, str]
) -> list[ArticleChange]:
    """What differs, by id. ``names`` leads from an id of before to what its article is called now, if it is there."""
    changes = []
    for old_id, old in before.items():
        new = after.get(names.get(old_id, ""))
        if new is None:
            changes.append(ArticleChange("deleted", old.id, old.title, old.path, "", old.id))
            continue
        what = _difference(old, new)
        if (old.id, old.path) != (new.id, new.path):
            was = f"was {old.id if old.id != new.id else old.path}"
            what = "; ".join(filter(None, (was, what)))
            changes.append(ArticleChange("renamed", new.id, new.title, new.path, what, old.id))
        elif what:
            changes.append(ArticleChange("changed", new.id, new.title, new.path, what, old.id))
    known = set(names.values())
    for new in after.values():
        if new.id not in known:
            what = f"{new.type}; sections: {_named(_names(new))}" if _names(new) else new.type
            changes.append(ArticleChange("added", new.id, new.title, new.path, what, ""))
    return sorted(changes, key=lambda change: change.id)


def _difference(old: KnowledgeObject, new: KnowledgeObject) -> str:
    """In one line; empty where readers see no difference."""
    parts = []
    if old.body != new.body:
        parts += list(_sections(old, new)) or ["formatting, links or pictures"]
    parts += [_told(name, getattr(old, name), getattr(new, name)) for name in _differing(old, new)]
    return "; ".join(parts)


def _differing(old: KnowledgeObject, new: KnowledgeObject) -> Iterator[str]:
    names = (one.name for one in fields(KnowledgeObject) if one.name not in _NOT_READ)
    return (name for name in names if getattr(old, name) != getattr(new, name))


def _told(name: str, old: object, new: object) -> str:
    if name == "extra":
        return "keys of other programs"
    return f"{name}: {old or 'none'} → {new or 'none'}" if name in _TOLD else name


def _sections(old: KnowledgeObject, new: KnowledgeObject) -> Iterator[str]:
    before, after = _by_anchor(old), _by_anchor(new)
    told = (
        ("changed", [name for name in after if name in before and not _alike(before[name], after[name])]),
        ("added", [name for name in after if name not in before]),
        ("removed", [name for name in before if name not in after]),
    )
    for how, names in told:
        if names:
            yield f"{how}: {_named([(after.get(name) or before[name]).title or 'the beginning' for name in names])}"


def _alike(old: Section, new: Section) -> bool:
    return (old.title, old.blocks, old.videos) == (new.title, new.blocks, new.videos)


def _by_anchor(knowledge: KnowledgeObject) -> dict[str, Section]:
    return {one.anchor: one for one in knowledge.document.sections if one.title or one.blocks}


def _names(knowledge: KnowledgeObject) -> list[str]:
    return [one.title for one in knowledge.document.sections if one.title]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
