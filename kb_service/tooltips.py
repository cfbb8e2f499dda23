"""The glossary's terms explained where an article says them, once each, in its HTML as it is shown."""

import re
from collections.abc import Iterator
from html import escape, unescape

from kb_service.glossary import Lexicon, Term
from kb_service.hits import article_url

_PIECE = re.compile(r"""<(?:"[^"]*"|'[^']*'|[^>"'])*>|[^<]+|<""")
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)")
# What is code, a link or a heading is meant as it stands
_LEFT_ALONE = frozenset({"a", "code", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "video"})
_VOID = frozenset({"br", "hr", "img", "input", "col"})
_MOST_TERMS = 40
_MOST_LETTERS = 300


def with_tooltips(html: str, lexicon: Lexicon, article_id: str) -> str:
    """Clean HTML with each term that it says as a link to where the term is defined, described by its definition.

    Terms of the article itself are left out: a reader of it is there already.
    """
    done: set[str] = set()
    return "".join(_pieces(html, lexicon, article_id, done))


def _pieces(html: str, lexicon: Lexicon, article_id: str, done: set[str]) -> Iterator[str]:
    within = 0
    for piece in _PIECE.findall(html):
        tag = _TAG.match(piece)
        if tag and tag[2] in _LEFT_ALONE and tag[2] not in _VOID:
            within += -1 if tag[1] else 1
        yield piece if tag or within or len(done) >= _MOST_TERMS else _explained(piece, lexicon, article_id, done)


def _explained(escaped: str, lexicon: Lexicon, article_id: str, done: set[str]) -> str:
    text = unescape(escaped)
    parts, at = [], 0
    for start, end, terms in lexicon.said(text):
        said = text[start:end]
        key = terms[0].term.casefold()
        if key in done or any(term.article_id == article_id for term in terms):
            continue
        done.add(key)
        # No heading's anchor has a colon
        parts += [escape(text[at:start], quote=False), _term(said, terms, f"term:{len(done)}")]
        at = end
    return "".join([*parts, escape(text[at:], quote=False)]) if parts else escaped


def _term(said: str, terms: tuple[Term, ...], name: str) -> str:
    definitions = " / ".join(_brief(term) for term in terms)
    url = article_url(terms[0].article_id, terms[0].anchor)
    return (
        f'<a class="term" href="{escape(url)}" aria-describedby="{name}">{escape(said)}</a>'
        f'<span class="tip" role="tooltip" id="{name}">{escape(definitions)}</span>'
    )


def _brief(term: Term) -> str:
    whole = f"{', '.join(term.names)}: {' '.join(term.definition.split())}"
    return whole if len(whole) <= _MOST_LETTERS else f"{whole[:_MOST_LETTERS].rsplit(' ', 1)[0]} …"
