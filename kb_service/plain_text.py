"""What a text says that came in as HTML or JSON: tickets are written in mail programs, alerts are sent by programs."""

import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

# What closes, or ends a line: a tag alone may be what a text is about
_HTML = re.compile(
    r"</(?:p|div|span|body|html|table|td|li|ul|ol|b|strong|em|i|a|font|h[1-6]|pre)\s*>|<br\b", re.IGNORECASE
)
_TAG = re.compile(r"<(/?)([a-z!][a-z0-9:-]*+)[^<>]*+>", re.IGNORECASE)
_BLOCKS = frozenset(
    "br p div li tr table ul ol h1 h2 h3 h4 h5 h6 pre blockquote hr section article header footer".split()
)
_CELLS = frozenset({"td", "th"})
_OTHERS = frozenset(
    "html body a abbr b big center cite code col colgroup dd del dt em font i img ins kbd label link mark meta o:p s"
    " samp small span strike strong sub sup tbody tfoot thead tt u var !doctype".split()
)
_UNSEEN = frozenset({"style", "script", "head", "xml"})
_KNOWN = _BLOCKS | _CELLS | _OTHERS | _UNSEEN
# Of an object what people read comes first; of the rest addresses, times and hashes say nothing
_TELLING = ("alertname", "title", "subject", "summary", "short_description", "message", "description", "text", "reason")
_TELLS_NOTHING = re.compile(r"\w+://\S*|\d{4}-\d\d-\d\dT\S*|[0-9a-f-]{8,}", re.IGNORECASE)


def plain_text(text: str) -> str:
    """The text without markup; any other as it is."""
    begun = text.lstrip()[:1]
    if begun in {"{", "["} and (said := _of_json(text)):
        return said
    return _of_html(text) if "<" in text and _HTML.search(text) else text


def _of_html(text: str) -> str:
    parts: list[str] = []
    at, unseen, as_it_stands = 0, "", False
    for tag in _TAG.finditer(text):
        closes, name = bool(tag[1]), tag[2].lower()
        if name not in _KNOWN:
            # A placeholder, a type of a programming language, a setting in XML
            continue
        if not unseen:
            said = unescape(text[at : tag.start()])
            parts.append(said if as_it_stands else said.replace("\n", " "))
            parts.append("\n" if name in _BLOCKS else " " if name in _CELLS else "")
            unseen = name if name in _UNSEEN and not closes else ""
            as_it_stands = not closes if name == "pre" else as_it_stands
        elif closes and name == unseen:
            unseen = ""
        at = tag.end()
    if not unseen:
        parts.append(unescape(text[at:]))
    lines = [" ".join(line.split()) for line in "".join(parts).split("\n")]
    kept = (line for place, line in enumerate(lines) if line or (place and lines[place - 1]))
    return "\n".join(kept).strip()


def _of_json(text: str) -> str:
    try:
        strings = [*_strings(json.loads(text), "")]
    except (ValueError, RecursionError):
        return ""
    said = dict.fromkeys(one for one in strings if not _TELLS_NOTHING.fullmatch(one[1]))
    rank = {name: place for place, name in enumerate(_TELLING)}
    ordered = sorted(said, key=lambda one: rank.get(one[0].lower(), len(rank)))
    # JSON can name halves of letters
    return "\n".join(dict.fromkeys(value for _, value in ordered)).encode("utf-8", "replace").decode()


def _strings(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Every text of an object with the name that it stands under, in order."""
    if isinstance(value, str) and value.strip():
        yield name, value.strip()
    elif isinstance(value, Mapping):
        for key, inside in value.items():
            yield from _strings(inside, key)
    elif isinstance(value, list):
        for inside in value:
            yield from _strings(inside, name)
