"""Links, anchors, pictures and related ids that lead nowhere, as the reading page resolves them."""

import posixpath
from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, unquote, urlsplit

from rapidfuzz import fuzz, process

from indexer.check_options import Options
from indexer.findings import Example, Fault, Rule, current
from indexer.knowledge import id_of_path
from indexer.library import Article, Library, Link
from indexer.media import PICTURE_TYPES, VIDEO_TYPES

_OPENED = PICTURE_TYPES.keys() | VIDEO_TYPES.keys()
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})


def split_target(link: Link) -> SplitResult | None:
    """The parts of a link's target; None for what is no address at all, as ``http://[::1``."""
    try:
        return urlsplit(link.target)
    except ValueError:
        return None


def _broken_link(article: Article, library: Library, _options: Options) -> Iterator[Fault]:
    for link in article.links:
        if link.kind == "reference":
            what = f"the link's reference [{link.target}] is defined nowhere"
            yield _fault(article, link, what, f"Define it, as in [{link.target}]: other-article.md")
        elif link.kind == "link":
            problem = _leads_nowhere(article, library, link)
            if problem:
                yield _fault(article, link, *problem)


def _leads_nowhere(article: Article, library: Library, link: Link) -> tuple[str, str] | None:
    """What is wrong with a link's file, and what to do; None where there is a file, or none is named."""
    parts = split_target(link)
    if parts is None or (parts.scheme and parts.scheme not in _SCHEMES) or (parts.netloc and not parts.scheme):
        return (
            f"'{link.target}' is not shown as a link",
            "Link by https, http, mailto or tel, or to a file of the content",
        )
    if parts.scheme or not parts.path:
        return None
    inside = _inside(article, parts)
    if inside is None:
        meant = unquote(parts.path).strip("/")
        remedy = (
            f"Link to {_relative(article, meant)}" if meant in library.articles else "Link to a file of the content"
        )
        return f"'{link.target}' leads out of the content", f"{remedy}, relative to this one"
    ending = posixpath.splitext(inside)[1].lower()
    if inside in library.articles or inside in library.by_id or (inside in library.files and ending in _OPENED):
        return None
    if id_of_path(inside) in library.by_former_id:
        return None
    if inside in library.files:
        return (
            f"'{link.target}' is not an article, so that readers get no link",
            "Link to an article, or to its https address",
        )
    if inside in library.paths:
        return f"'{link.target}' is refused, so that readers get no link", "Mend that file"
    return f"there is no '{inside}'", _meant(article, library, inside)


def _meant(article: Article, library: Library, inside: str) -> str:
    """The path to link to, as far as it can be told."""
    there = library.by_file_name.get(posixpath.basename(inside))
    near = [there] if there else _nearest(inside, [*library.articles])
    return f"'{_relative(article, near[0])}' was meant?" if near else "Mend the path, or write the article"


def _broken_anchor(article: Article, library: Library, _options: Options) -> Iterator[Fault]:
    for link in article.links:
        parts = split_target(link)
        if parts is None or link.kind != "link" or not parts.fragment or parts.scheme or parts.netloc:
            continue
        inside = _inside(article, parts) if parts.path else article.path
        target = library.articles.get(inside or "") or library.by_id.get(inside or "")
        anchor = unquote(parts.fragment)
        if target is not None and anchor not in target.anchors:
            near = _nearest(anchor, [*target.anchors], 60)
            meant = f"'#{near[0]}' was meant?" if near else "Link to one of its headings, or to the article"
            yield _fault(article, link, f"{target.path} has no heading '#{anchor}'", meant)


def _broken_picture(article: Article, library: Library, _options: Options) -> Iterator[Fault]:
    for link in article.links:
        if link.kind == "picture" and (problem := _not_shown(article, library, link)):
            yield _fault(article, link, *problem)


def _not_shown(article: Article, library: Library, link: Link) -> tuple[str, str] | None:
    """What is wrong with a picture, or with a video in the place of one: that is found, and read, by its transcript."""
    parts = split_target(link)
    if parts is None or (parts.scheme and parts.scheme not in {"http", "https"}):
        return (
            f"the picture '{article.shown(link.target)[:60]}' is not shown",
            "Put it beside the article as PNG, JPEG, GIF or WebP",
        )
    if parts.scheme:
        return "a picture of another site is not shown, so that none learns who reads", "Put it beside the article"
    inside = None if parts.netloc else _inside(article, parts)
    if inside is None:
        return f"the picture '{link.target}' leads out of the content", "Put it beside the article"
    ending = posixpath.splitext(inside)[1].lower()
    stem = posixpath.splitext(inside)[0]
    if inside not in library.files:
        return _missing(library, inside)
    kind = ending.removeprefix(".").upper() or "a file without an ending"
    if ending in VIDEO_TYPES:
        said = {f"{stem}.vtt", f"{stem}.srt"} & library.files
        return None if said else ("a video is without its words", "Put its transcript beside it as .vtt")
    return None if ending in PICTURE_TYPES else (f"{kind} is not shown", "Save it as PNG, JPEG, GIF or WebP")


def _missing(library: Library, inside: str) -> tuple[str, str]:
    twin = next((path for path in library.files if path.casefold() == inside.casefold()), None)
    near = [twin] if twin else _nearest(inside, sorted(library.files))
    return f"there is no picture '{inside}'", f"'{near[0]}' was meant?" if near else "Put it there, or mend the path"


def _broken_related(article: Article, library: Library, _options: Options) -> Iterator[Fault]:
    for object_id in article.knowledge.related:
        if object_id not in library.by_id and object_id not in library.by_former_id:
            near = _nearest(object_id, [*library.by_id], 70)
            meant = f"'{near[0]}' was meant?" if near else "Name the id of an article, or take it out"
            line = article.line_of("related", object_id)
            yield Fault(article.path, line, f"related: there is no article '{object_id}'", meant)


def _renamed_link(article: Article, library: Library, _options: Options) -> Iterator[Fault]:
    for object_id in article.knowledge.related:
        now = None if object_id in library.by_id else library.by_former_id.get(object_id)
        if now is not None:
            line = article.line_of("related", object_id)
            yield Fault(article.path, line, f"related: '{object_id}' was renamed", f"Name it '{now.knowledge.id}'")
    for link in article.links:
        parts = split_target(link)
        if link.kind != "link" or parts is None or parts.scheme or parts.netloc or not parts.path:
            continue
        inside = _inside(article, parts)
        if inside is None or inside in library.paths or inside in library.by_id:
            continue
        now = library.by_former_id.get(id_of_path(inside))
        if now is not None:
            what = f"'{link.target}' works only because {now.path} once had that name"
            yield _fault(article, link, what, f"Link to {_relative(article, now.path)}")


def _inside(article: Article, parts: SplitResult) -> str | None:
    """The path within the content that a relative target names; None where it leads out."""
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(article.path), unquote(parts.path)))
    return None if inside == ".." or inside.startswith(("../", "/")) else inside


def _nearest(name: str, names: Sequence[str], least: int = 80) -> list[str]:
    """The path, anchor or id that was meant, if one is near enough, in percent; of thousands at once."""
    found = process.extractOne(name, names, scorer=fuzz.ratio, score_cutoff=least)
    return [found[0]] if found else []


def _relative(article: Article, path: str) -> str:
    return posixpath.relpath(path, posixpath.dirname(article.path) or ".")


def _fault(article: Article, link: Link, problem: str, remedy: str) -> Fault:
    return Fault(article.path, link.line, problem, remedy)


RULES = (
    Rule(
        "broken-link",
        "error",
        "A link to a file that is not there, is no article, or leads out of the content.",
        Example("See [the handover](hand-over-shift.md).", "See [the handover](hand-over-a-shift.md)."),
        current(_broken_link),
    ),
    Rule(
        "broken-anchor",
        "error",
        "A link to a heading that the article does not have.",
        Example(
            "See [whom to tell](hand-over-a-shift.md#tell).", "See [whom to tell](hand-over-a-shift.md#whom-to-tell)."
        ),
        current(_broken_anchor),
    ),
    Rule(
        "broken-picture",
        "error",
        "A picture that is not there, leads out of the content, or is of a kind that is not shown, such as SVG.",
        Example("![The board](board.svg)", "![The board](board.png)"),
        current(_broken_picture),
    ),
    Rule(
        "broken-related",
        "error",
        "An id under `related` that no article has.",
        Example("related: [howto/hand-over-shift]", "related: [howto/hand-over-a-shift]"),
        current(_broken_related),
    ),
    Rule(
        "renamed-link",
        "warning",
        "A link that works only because a renamed article keeps its old id.",
        Example("related: [howto/shift-change]", "related: [howto/hand-over-a-shift]"),
        current(_renamed_link),
    ),
)
