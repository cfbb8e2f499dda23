"""Plain text, as people and programs write it into tickets, as Markdown that shows the same text."""

import re

_STARTS = re.compile(r"^(?P<indent>\s*)(?=#{1,6}(?:\s|$)|=+\s*$|-+\s*$|`{3}|~{3}|:{3}|!{3}|>|\[|\|)", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n\s*\n\s*")


def as_markdown(text: str) -> str:
    """The text as paragraphs: no line of it begins a heading, a fence, a quote, a table or a definition of links.

    Lists and numbered steps stay what they are.
    """
    lines = (line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n"))
    plain = "\n".join(re.sub(r"^\s{4,}|^\t+", "   ", line) for line in lines).strip()
    return _BLANK_LINES.sub("\n\n", _STARTS.sub(r"\g<indent>\\", plain))
