"""The files that an article shows: pictures, and videos with their captions and their words."""

import posixpath
from collections.abc import Callable, Iterator
from functools import cache
from html import escape
from urllib.parse import unquote, urlsplit

from markdown_it.token import Token

from indexer.knowledge import MAX_FILE_BYTES, KnowledgeObject
from indexer.markdown import Document
from indexer.media import PICTURE_TYPES, VIDEO_TYPES
from indexer.passages import spoken
from indexer.source import TRANSCRIPT_ENDINGS

_TYPES = {**PICTURE_TYPES, **VIDEO_TYPES, ".vtt": "text/vtt"}
# A player shows the first as captions; the other can only be read
_CAPTIONS, _TRANSCRIPT = TRANSCRIPT_ENDINGS
# To look for a file takes as long as so many letters of one
_LEAST_LETTERS = 2_000


def kind_of(path: str) -> str | None:
    """The media type of a file that may be shown, by its name."""
    return _TYPES.get(posixpath.splitext(path)[1].lower())


def path_of(knowledge: KnowledgeObject, target: str) -> str | None:
    """The path in the content that a relative target of an article means; None for what leads out of it."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not parts.path:
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(knowledge.path), unquote(parts.path)))
    return None if path.startswith(("../", "/")) or path == ".." else path


def is_video(path: str) -> bool:
    return posixpath.splitext(path)[1].lower() in VIDEO_TYPES


def shows(knowledge: KnowledgeObject, path: str) -> bool:
    """Whether an article shows, or links to, the file at a path of the content; captions go with their video."""
    return path in _shown(knowledge)


def _shown(knowledge: KnowledgeObject) -> Iterator[str]:
    for token in knowledge.document.tokens:
        for child in token.children or []:
            name = {"image": "src", "link_open": "href"}.get(child.type)
            path = path_of(knowledge, str(child.attrGet(name) or "")) if name else None
            if path and is_video(path):
                yield f"{posixpath.splitext(path)[0]}{_CAPTIONS}"
            if path:
                yield path


def with_videos(
    document: Document,
    knowledge: KnowledgeObject,
    address: Callable[[str], str],
    text_of: Callable[[str], str | None],
) -> Document:
    """The document with a player, captions and the words in the place of each picture that is a video.

    ``address`` gives a path of the content as one to load it from, ``text_of`` the text of a file, None where it is
    not there. Where all that is said comes to more than a file may have, further videos are without it.
    """

    left = MAX_FILE_BYTES
    text_once = cache(text_of)

    def said(path: str) -> str | None:
        """The text of a file beside a video; none where that would be too much for one page."""
        nonlocal left
        text = text_once(path) if left > 0 else None
        left -= len(text) if text else _LEAST_LETTERS
        return text

    def played(child: Token) -> Token:
        path = path_of(knowledge, str(child.attrGet("src") or "")) if child.type == "image" else None
        if path is None or not is_video(path):
            return child
        return Token("html_inline", "", 0, content=_player(path, child.content, address, said))

    return Document([
        token.copy(children=[played(child) for child in token.children]) if token.children else token
        for token in document.tokens
    ])  # fmt: skip


def _player(path: str, name: str, address: Callable[[str], str], text_of: Callable[[str], str | None]) -> str:
    stem = posixpath.splitext(path)[0]
    captions = text_of(f"{stem}{_CAPTIONS}")
    words = spoken(captions or text_of(f"{stem}{_TRANSCRIPT}") or "")
    track = f'<track kind="captions" src="{escape(address(f"{stem}{_CAPTIONS}"))}" default>' if captions else ""
    said = (
        f'<details class="transcript"><summary>What is said</summary><p>{escape(words)}</p></details>' if words else ""
    )
    source = f'aria-label="{escape(name)}" src="{escape(address(path))}"'
    return f'<video controls preload="metadata" {source}>{track}</video>{said}'
