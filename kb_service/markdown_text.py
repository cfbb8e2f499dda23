"""Plain text, as people and programs write it into tickets, as Markdown that shows the same text."""

import re

_STARTS = re.compile(r"^(?P<indent>\s*)(?=#{1,6}(?:\s|$)|=+\s*$|-+\s*$|`{3}|~{3}|:{3}|!{3}|>|\[|\|)", re.MULTILINE)
# The parser reads each as a space, and four of those begin a block of code
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BLANK_LINES = re.compile(r"\n\s*\n\s*")


def as_markdown(text: str) -> str:
    """The text as paragraphs: no line of it begins a heading, a fence, a quote, a table or a definition of links.

    Lists and numbered steps stay what they are.
    """
    text = _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = (line.rstrip() for line in text.split("\n"))
    plain = "\n".join(re.sub(r"^\s{4,}|^\t+", "   ", line) for line in lines).strip()
    return _BLANK_LINES.sub("\n\n", _STARTS.sub(r"\g<indent>\\", plain))
