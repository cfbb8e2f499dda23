"""Texts that do something in a page that lets them: ``tests/cases/xss.txt``, one a line.

What they do names them. ``№`` is a payload's number: it calls ``hit(№)``, opens a dialog that says it, or asks
evil.example or 198.51.100.7 for it. ``[U+000A]`` stands for a character, ``BASE64[…]`` for a text as data addresses
have it.
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

CASES = Path(__file__).parent / "cases" / "xss.txt"
_CHARACTER = re.compile(r"\[U\+([0-9A-F]{4,6})\]")
_BASE64 = re.compile(r"BASE64\[(.*?)\](?=[)\"']|$)")


@dataclass(frozen=True, slots=True)
class Payload:
    """One hostile text, by its number and its family."""

    number: int
    family: str
    text: str

    @property
    def line(self) -> str:
        """As it can stand in one line."""
        return " ".join(self.text.split())


@cache
def payloads() -> tuple[Payload, ...]:
    """All of them, in order."""
    found: list[Payload] = []
    family = ""
    for line in CASES.read_text("utf-8").split("\n"):
        if line.startswith("== "):
            family = line.removeprefix("== ")
        elif line:
            found.append(Payload(len(found) + 1, family, _read(line, len(found) + 1)))
    return tuple(found)


def _read(line: str, number: int) -> str:
    said = _CHARACTER.sub(lambda one: chr(int(one[1], 16)), line.replace("№", str(number)))
    return _BASE64.sub(lambda one: b64encode(one[1].encode()).decode(), said)


def _any_address(url: str) -> bool:
    return bool(url)


def let_through(payload: Payload) -> str:
    """What a program makes of it that escapes nothing: as it is, as an attribute and an address, and as Markdown."""
    trusting = MarkdownIt("commonmark", {"html": True}).enable("table")
    trusting.validateLink = _any_address  # type: ignore[method-assign]
    text = payload.text
    quoted = escape(text, quote=False).replace('"', "&quot;")
    return "\n".join((
        f"<div>{text}</div>", trusting.render(text), f'<a href="{quoted}">x</a><img src="{quoted}">',
        f"<p title='{text}'>x</p>", f'<p title="{text}">x</p>', f"<p title={text}>x</p>",
        f"<script>var said = '{text}'</script>", f'<script>var said = "{text}"</script>',
        f"<script>var said = `{text}`</script>",
    ))  # fmt: skip
