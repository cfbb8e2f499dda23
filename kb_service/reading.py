"""An article as it is read: safe HTML with its links resolved, contents list, related articles."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from indexer.html import render_html
from indexer.knowledge import KnowledgeObject, id_of_path
from kb_service.access import Sight
from kb_service.hits import article_url
from kb_service.placeholders import with_texts_filled
from kb_service.query import may_read
from kb_service.search import Searcher

PICTURE_TYPES = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
_RELATED = 5


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of the contents list."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Related:
    """An article to read next, and whether its author named it or it is only similar."""

    id: str
    title: str
    url: str
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """An article ready to be shown."""

    knowledge: KnowledgeObject
    html: str
    contents: tuple[Heading, ...]
    related: tuple[Related, ...]


def read(
    searcher: Searcher,
    knowledge: KnowledgeObject,
    sight: Sight,
    commit: str | None = None,
    values: Mapping[str, str] | None = None,
) -> Reading:
    """The article with everything one who sees so much sees beside it; pictures as of a commit, or as they are.

    ``values`` fill in what a template leaves open.
    """
    document = knowledge.document.without_title_heading()
    if values:
        document = with_texts_filled(document, values)
    html = render_html(document, lambda target: resolve(searcher, knowledge, target, sight, commit))
    contents = tuple(
        Heading(section.level, section.title, section.anchor) for section in document.sections if section.level
    )
    return Reading(knowledge, html, contents, _related(searcher, knowledge, sight))


def shows(knowledge: KnowledgeObject, path: str) -> bool:
    """Whether an article shows the picture at a path of the content."""
    return any(
        child.type == "image" and _inside(knowledge, str(child.attrGet("src") or "")) == path
        for token in knowledge.document.tokens
        for child in token.children or []
    )


def _inside(knowledge: KnowledgeObject, target: str) -> str:
    """The path that a relative target of an article means."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(knowledge.path), unquote(urlsplit(target).path)))


def resolve(
    searcher: Searcher, knowledge: KnowledgeObject, target: str, sight: Sight, commit: str | None = None
) -> str | None:
    """A link or picture target of an article as an address, or None where it leads nowhere.

    What the reader may not read is not there. A picture is shown as part of an article only.
    """
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return target if parts.scheme in {"http", "https", "mailto", "tel"} else None
    if not parts.path:
        return target
    inside = _inside(knowledge, target)
    if inside.startswith(("../", "/")) or inside == "..":
        return None
    if posixpath.splitext(inside)[1].lower() in PICTURE_TYPES:
        return f"/media/{quote(inside)}?of={quote(knowledge.id, safe='')}" + (f"&at={commit}" if commit else "")
    catalogue = searcher.catalogue
    # By its path, its id, or the id that a renamed file had
    at_path = catalogue.at_path(inside)
    meant = (*([at_path] if at_path else []), *catalogue.named(inside), *catalogue.named(id_of_path(inside)))
    linked = next((one for one in meant if may_read(one, sight)), None)
    return article_url(linked.id, unquote(parts.fragment)) if linked else None


def _related(searcher: Searcher, knowledge: KnowledgeObject, sight: Sight) -> tuple[Related, ...]:
    named = [searcher.article(other, sight) for other in knowledge.related]
    found = [Related(one.id, one.title, article_url(one.id), "named") for one in named if one]
    known = {knowledge.id, *(one.id for one in found)}
    for hit in searcher.similar(knowledge, sight, _RELATED * 2):
        if hit.id not in known and len(found) < max(_RELATED, len(named)):
            found.append(Related(hit.id, hit.title, article_url(hit.id), "similar"))
    return tuple(found)
