"""Safe HTML of an article's body: what a page or a program may show as it stands.

The parser lets no raw HTML through; the result is cleaned again (nh3), so that neither alone has to be right.
"""

import re
from collections.abc import Callable
from copy import deepcopy

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from indexer.markdown import ADMONITIONS, Document, parser

# Some lexers look at all of a piece of code again at each of its letters: so long a piece takes a quarter of a second
# at worst, and all pieces of a text together half a second
_MOST_CODE = 4_000
_MOST_LOOKED_AT = 40_000_000
# What desks write; code in other languages is shown as it stands, since of most lexers nobody knows how long they take
HIGHLIGHTED = frozenset(
    "Awk|Bash|Bash Session|Batchfile|C|C++|CMake|CSS|Diff|Docker|Go|HTML|INI|JSON|JavaScript|Kotlin|Lua|Markdown|"
    "MSDOS Session|MySQL|Nginx configuration file|Perl|PHP|PostgreSQL SQL dialect|PowerShell|PowerShell Session|"
    "PromQL|Properties|Python|Python console session|reg|Ruby|Rust|SQL|Systemd|TOML|TypeScript|VB.net|XML|"
    "YAML".split("|")
)
# The cleaner looks at all of a text again at each ampersand and no-break space in it: in pieces of so many letters that
# takes no time
_LONG_TEXT = re.compile(r"(?<=>)[^<>]{4000,}")
_PIECE = re.compile(r"(?:[^&]|&[#\w]+;){1,1000}")
_TAGS = set(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img input li "
    "ol p pre s section span strong sub summary sup table tbody td th thead tr track ul video".split()
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "input": {"type", "checked", "disabled", "class", "aria-label"},
    "ol": {"start"},
    "video": {"aria-label", "controls", "preload", "src"},
    "track": {"default", "kind", "src"},
    "td": {"align"},
    "th": {"align"},
    **{tag: {"class"} for tag in ("code", "li", "pre", "span")},
    **{f"h{level}": {"id"} for level in range(1, 7)},
}
# Of a block's classes those that the parser gives: an admonition's name is its author's, and might be one of the page's
_CLASSES = {
    "details": {"transcript"},
    "div": {"admonition", *ADMONITIONS},
    "p": {"admonition-title"},
    "ul": {"contains-task-list"},
}
# What is loaded with a page is a file of the content, and from nowhere else
MEDIA = "/media/"
_FORMATTER = HtmlFormatter(nowrap=True)


def render_html(document: Document, resolve: Callable[[str], str | None]) -> str:
    """The document as HTML without script, style or frame.

    ``resolve`` turns a link's or a picture's target into an address, or None where there is nothing to show: then the
    link's text stays and the target goes. A picture or a video is shown only from below ``MEDIA``.
    """
    tokens = [_resolved(token, resolve) for token in document.tokens]
    markdown: MarkdownIt = parser()
    html: str = markdown.renderer.render(tokens, _options(markdown), {})
    return nh3.clean(
        _LONG_TEXT.sub(lambda found: _in_pieces(found[0]), html),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        attribute_filter=_only_files_of_ours,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer",
    )


def _only_files_of_ours(_tag: str, name: str, value: str) -> str | None:
    return None if name == "src" and not value.startswith(MEDIA) else value


def _in_pieces(text: str) -> str:
    """The same text with comments in it, which the cleaner takes out again."""
    return _PIECE.sub(r"\g<0><!---->", text)


def _options(markdown: MarkdownIt) -> OptionsDict:
    options = deepcopy(markdown.options)
    looked_at = 0

    def highlighted(code: str, language: str, _attributes: str) -> str:
        """The code in colours, while what that takes lets it; empty: as it stands."""
        nonlocal looked_at
        looked_at += len(code) ** 2 if language else 0
        return _coloured(code, language) if looked_at <= _MOST_LOOKED_AT else ""

    options["highlight"] = highlighted
    return options


def _resolved(token: Token, resolve: Callable[[str], str | None]) -> Token:
    if not token.children:
        return token
    return token.copy(children=[_resolved_child(child, resolve) for child in token.children])


def _resolved_child(child: Token, resolve: Callable[[str], str | None]) -> Token:
    name = {"link_open": "href", "image": "src"}.get(child.type)
    if name is None:
        return child
    target = resolve(str(child.attrGet(name) or ""))
    attributes = {key: value for key, value in child.attrs.items() if key != name}
    return child.copy(attrs=attributes if target is None else {**attributes, name: target})


def _coloured(code: str, language: str) -> str:
    if not language or len(code) > _MOST_CODE:
        return ""
    try:
        # No code within the code: that may be in any language
        lexer = get_lexer_by_name(language, handlecodeblocks=False)
    except ClassNotFound:
        return ""
    return str(highlight(code, lexer, _FORMATTER)) if lexer.name in HIGHLIGHTED else ""
