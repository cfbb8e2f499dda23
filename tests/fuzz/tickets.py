"""What a ticket says, be it a letter, HTML or JSON."""

import json
from collections.abc import Iterator
from html import escape

from kb_service.letters import matter_of
from kb_service.plain_text import plain_text
from tests.fuzz.mutations import stretched

_LETTER = (
    "From: Jane\nSubject: RE: Printer\n\nHi team,\nhope you are well. It is dark.\nThanks!\n\nKind regards\nJane\n+49"
)
_HTML = "<html><head><style>p {}</style></head><body>{}<br><table><tr><td>a</td></tr></table></body></html>"
_TEXTS = (
    _LETTER,
    _LETTER.replace("\n", "\r\n"),
    _HTML.replace("{}", escape(_LETTER)),
    json.dumps({"alerts": [{"labels": {"alertname": "DiskFull"}, "annotations": {"summary": _LETTER}}], "version": 4}),
    "It is dark &amp; cold &lt;here&gt; &#8364; &nbsp;<p>since</p> <!-- never --> List<String>",
)
WORDS = (
    b"Hi all,", b"Dear ", b"hope you ", b"thanks", b"Kind regards\n", b"--\n", b"From: ", b"Subject: ", b"RE: ",
    b"PS: ", b"confidential", b"Sent from my phone", b"<p>", b"</p>", b"<br>", b"<style>", b"</style>", b"<pre>",
    b"<td>", b"<!--", b"<", b">", b"&", b"&#", b"&nbsp;", b"&#x110000;", b"{", b"}", b"[", b"]", b'"a":', b'"', b",",
    b"\\ud800", b"1e999", b"\n", b"\r\n", b" ", b".", b"\xc2\xa0", b"\xff", b"\0",
)  # fmt: skip


def said(data: bytes) -> None:
    """Something is left of whatever says anything, nothing is longer than it was, and what is plain is so at once."""
    text = stretched(data).decode("utf-8", "replace")
    plain = plain_text(text)
    assert len(plain.encode()) <= len(text.encode())
    for one in {text, plain}:
        matter = matter_of(one)
        assert bool(matter.split()) == bool(one.split()), repr(matter)
        assert len(matter) <= len(one)


def said_seeds() -> Iterator[bytes]:
    yield from (text.encode() for text in _TEXTS)
    yield from WORDS
