"""An article as it is read: safe HTML with its links resolved, contents list, related articles."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, unquote, urlsplit

from indexer.html import MEDIA, render_html
from indexer.knowledge import KnowledgeObject, id_of_path
from indexer.markdown import Document
from kb_service.access import Sight
from kb_service.hits import article_url
from kb_service.media import kind_of, path_of, with_videos
from kb_service.placeholders import with_texts_filled
from kb_service.query import may_read
from kb_service.search import Searcher

_RELATED = 5
TextOf = Callable[[str, str | None], str | None]


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
    text_of: TextOf,
    commit: str | None = None,
    values: Mapping[str, str] | None = None,
) -> Reading:
    """The article with everything one who sees so much sees beside it; files as of a commit, or as they are.

    ``text_of`` gives the text of a file of the content, for the words of a video; ``values`` fill in what a template
    leaves open.
    """
    document = knowledge.document.without_title_heading()
    if values:
        document = with_texts_filled(document, values)
    html = html_of(document, searcher, knowledge, sight, text_of, commit)
    contents = tuple(
        Heading(section.level, section.title, section.anchor) for section in document.sections if section.level
    )
    return Reading(knowledge, html, contents, _related(searcher, knowledge, sight))


def html_of(
    document: Document,
    searcher: Searcher,
    knowledge: KnowledgeObject,
    sight: Sight,
    text_of: TextOf,
    commit: str | None = None,
) -> str:
    """Safe HTML of an article's document, with what it links to and shows as far as one may see it."""

    def address(path: str) -> str:
        return f"{MEDIA}{quote(path)}?of={quote(knowledge.id, safe='')}" + (f"&at={commit}" if commit else "")

    played = with_videos(document, knowledge, address, lambda path: text_of(path, commit))
    # To look up an address takes several questions; a long page has few that differ
    return render_html(played, cache(lambda target: _resolved(searcher, knowledge, target, sight, address)))


def _resolved(
    searcher: Searcher, knowledge: KnowledgeObject, target: str, sight: Sight, address: Callable[[str], str]
) -> str | None:
    """A link or picture target of an article as an address, or None where it leads nowhere.

    What the reader may not read is not there. A picture or a video is shown as part of an article only.
    """
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return target if parts.scheme in {"http", "https", "mailto", "tel"} else None
    if not parts.path:
        return target
    inside = path_of(knowledge, target)
    if inside is None:
        return None
    if kind_of(inside):
        return address(inside)
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
