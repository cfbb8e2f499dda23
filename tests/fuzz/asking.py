"""What is asked of an index: identifiers and terms of a text, queries, and what they are narrowed by."""

import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from html import unescape
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, get_args

from indexer.frontmatter import AUDIENCES
from indexer.identifiers import identifiers, is_code
from indexer.knowledge import KnowledgeObject
from indexer.language import LANGUAGES, Language
from indexer.names import add_names, create_tables, names_beginning
from indexer.terms import common_share, name_terms, query_terms, terms, terms_said
from kb_service import Query, Searcher
from kb_service.access import EVERYTHING, INTERNAL, PUBLIC
from kb_service.completing import complete
from kb_service.query import State, may_read
from kb_service.results import as_json
from kb_service.snippets import matched_words, snippet
from tests.conftest import CONTENT, Desk
from tests.fuzz.mutations import stretched

_LANGUAGES = tuple(LANGUAGES.values())
_SIGHTS = (PUBLIC, INTERNAL, EVERYTHING)
_STATES: tuple[State, ...] = get_args(State)
_WORDS = "vpn password locked server port restart certificate mail 0x80070005 ORA-01017 MTTR incident disk".split()
_FACETS = ("type", "service", "tier", "tag", "nothing")


def found_identifiers(data: bytes) -> None:
    """They stand in the text whatever its case, and an assigned code is found in itself; in time however long."""
    text = stretched(data).decode("utf-8", "replace")
    found, folded = identifiers(text), text.casefold()
    for one in found:
        assert one and one in folded, f"{one!r} does not stand in {folded!r}"
        if one.isascii() and is_code(one):
            assert one in identifiers(one), one
    identifiers.cache_clear()
    assert identifiers(text) == found


def found_terms(data: bytes) -> None:
    """Terms have letters and no spaces, a text says all its own, a name is found by itself, a snippet is safe."""
    said, _, shown = stretched(data).decode("utf-8", "replace").partition("\x1f")
    language = _LANGUAGES[len(data) % len(_LANGUAGES)]
    found = terms(said, language)
    for one in found:
        assert one and not any(letter.isspace() for letter in one), repr(one)
    held = frozenset(found)
    assert terms_said(said, held, language) == held
    asked = query_terms(said, language)
    assert asked.keys() <= held and bool(asked) == bool(found) and 0 <= common_share(said, language) <= 1
    assert set(name_terms(said, language)) <= held
    assert set(matched_words(said, held, language)) <= {*re.findall(r"[^\W_]+(?:[-_.][^\W_]+)*", said)}
    for text in (said, shown):
        _is_safe(snippet(text, frozenset(asked), language), text)
    _name_is_found(said, language)


def _is_safe(shown: str, text: str) -> None:
    """Escaped HTML of a piece of the text, whose only tag is ``<mark>``."""
    pieces = re.split(r"<(/?)mark>", shown)
    assert pieces[1::2] == ["", "/"] * (len(pieces) // 4), shown
    bare = "".join(pieces[::2])
    assert not re.search(r"[<>\"']|&(?!(amp|lt|gt|quot|#x27);)", bare), shown
    words = "".join(unescape(bare).removeprefix("… ").removesuffix(" …").split())
    assert words in "".join(text.split()), (shown, text)


def _name_is_found(name: str, language: Language) -> None:
    connection = _names()
    try:
        add_names(connection, 1, [(1, name)], language)
        add_names(connection, 12, [(2, name)], language)
        found = names_beginning(connection, [1], [name], language)
    finally:
        connection.rollback()
    words = re.findall(r"[^\W_]+", name)
    assert found == ([1] if words else []), (name, found)


@cache
def _names() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    create_tables(connection)
    connection.commit()
    return connection


def queries(data: bytes) -> None:
    """Any text is a query: hits in order, each visible, their snippets safe, all of it JSON; names are completed."""
    # Bytes that are no text come as halves of surrogate pairs, as a shell gives them
    sight, text = _SIGHTS[data[0] % 3] if data else PUBLIC, data[1:].decode("utf-8", "surrogateescape")
    searcher, articles = _desk()
    query = Query(text, sight=sight, with_facets=bool(data) and data[0] > 127)
    results = searcher.search(query)
    scores = [hit.score for hit in results.hits]
    assert scores == sorted(scores, reverse=True)
    assert len({hit.id for hit in results.hits}) == len(results.hits) <= results.total
    for hit in results.hits:
        assert may_read(articles[hit.id], sight) and 0 <= hit.probability <= 1, hit
        _is_safe(hit.snippet, hit.passage.text if hit.passage else articles[hit.id].summary)
        assert hit.passage is None or hit.passage.owner_id == hit.id
        assert all(why.text for why in hit.reasons)
    assert json.dumps(as_json(results), ensure_ascii=False, allow_nan=False).encode()
    completed = complete(searcher.index, query)
    assert len(completed.names) <= query.limit and completed.note.encode() is not None
    assert all(may_read(articles[owner], sight) for _, owner in completed.names)


def filters(data: bytes) -> None:
    """Hits meet what they were narrowed by, a page is a piece of the whole, a facet counts those hits that have it."""
    searcher, articles = _desk()
    query = _narrowed(data)
    page = searcher.search(query)
    whole = searcher.search(replace(query, offset=0, limit=1000, with_facets=True))
    assert [hit.id for hit in page.hits] == [hit.id for hit in whole.hits[query.offset :][: query.limit]]
    assert page.total == whole.total == len(whole.hits)
    for hit in whole.hits:
        one = articles[hit.id]
        assert hit.id not in query.exclude and may_read(one, query.sight), hit.id
        for name, values in query.facets.items():
            assert _folded(values) & _folded(_facets_of(one)[name]), (hit.id, name)
    for facet in whole.facets:
        chosen = _folded(query.facets.get(facet.name, frozenset()))
        assert _folded(value.name for value in facet.values if value.is_chosen) == chosen
        said = [_folded(_facets_of(articles[hit.id])[facet.name]) for hit in whole.hits]
        for value in facet.values if not chosen else ():
            assert value.count == sum(value.name.casefold() in one for one in said), (facet.name, value)


def _folded(values: Iterable[str]) -> set[str]:
    return {value.casefold() for value in values}


def _facets_of(one: KnowledgeObject) -> Mapping[str, tuple[str, ...]]:
    tier = (one.tier,) if one.tier else ()
    return {"type": (one.type,), "service": one.services, "tier": tier, "tag": one.tags, "nothing": ()}


def _narrowed(data: bytes) -> Query:
    """A query from bytes: who asks, in which state, what page, some words, then pairs of a facet and a value of it."""
    numbers = iter(data.ljust(12, b"\0"))
    _, articles = _desk()
    ids = [*articles]

    def one_of(choices: Any) -> Any:
        return choices[next(numbers, 0) % len(choices)]

    sight, state, limit, offset = one_of(_SIGHTS), one_of(_STATES), next(numbers) % 20, next(numbers) % 40
    text = " ".join(one_of(_WORDS) for _ in range(next(numbers) % 4))
    facets: dict[str, frozenset[str]] = {}
    for _ in range(next(numbers, 0) % 4):
        name = one_of(_FACETS)
        values = _facets_of(articles[one_of(ids)])[name] or ("none of them",)
        facets[name] = facets.get(name, frozenset()) | {one_of(values)}
    exclude = frozenset(one_of(ids) for _ in range(next(numbers, 0) % 3))
    return Query(text, facets, state, sight, limit, offset, exclude, words_only=bool(next(numbers, 0) % 2))


@cache
def _desk() -> tuple[Searcher, Mapping[str, KnowledgeObject]]:
    """An index of some of our articles, and such as are drafts, restricted, expired, or full of signs."""
    desk = Desk(Path(mkdtemp()) / "desk")
    for path in sorted(CONTENT.rglob("*.md"))[::5]:
        desk.write(str(path.relative_to(CONTENT)), path.read_text("utf-8"))
    signs = "<b onclick=x>&amp; <mark>mark</mark> \"server\" 'port' ORA-01017 İstanbul Straße ½ ﬁle 雪 e\u0301"
    for audience in AUDIENCES:
        for state in ("published", "draft", "retired"):
            front = f"title: {state} VPN <i>{audience}\naudience: {audience}\nworkflow_state: {state}\ntags: [<b>, Ä]"
            desk.write(f"odd/{audience}-{state}.md", f"---\n{front}\ntier: L2\nservices: [VPN]\n---\n# A\n\n{signs}\n")
    for number, dates in enumerate(("valid_to: 2020-01-01", "valid_from: 2900-01-01", "valid_to: 2900-01-01")):
        desk.write(f"odd/dated-{number}.md", f"---\ntitle: VPN window\naudience: public\n{dates}\n---\nserver port\n")
    desk.update()
    searcher = Searcher(desk.index, desk.encoder)
    catalogue = searcher.catalogue
    return searcher, {one.id: one for one in catalogue.objects()}


@cache
def _pieces() -> tuple[bytes, ...]:
    texts = [path.read_bytes() for path in sorted(CONTENT.rglob("*.md"))[::4]]
    return tuple(text[start : start + 90] for text in texts for start in range(0, min(len(text), 900), 90))


def identifiers_seeds() -> Iterator[bytes]:
    """Pieces of our articles, and identifiers of all kinds."""
    yield from _pieces()
    yield from WORDS


def terms_seeds() -> Iterator[bytes]:
    """The same; what stands behind the unit separator is a text that a snippet is made of."""
    yield from identifiers_seeds()
    for one in _pieces()[::4]:
        yield one[:20] + b"\x1f" + one * 4


def queries_seeds() -> Iterator[bytes]:
    """The beginnings of such pieces, for each who may ask."""
    for number, one in enumerate((*(piece[:40] for piece in _pieces()[::2]), *WORDS)):
        yield bytes([number % 256]) + one


def filters_seeds() -> Iterator[bytes]:
    for number in range(64):
        yield bytes((number * step + step) % 256 for step in range(1, 17))


_NAMES = "\u037a \ufdfa İstanbul ſharp Straße ﬁle ½ ² ٣٤٥ 雪崩 K1000 e\u0301cole ǅ \u200d 👩\u200d💻 \ud7ff 𝒳𝟘".split()
WORDS = (
    b"0x80070005", b"ORA-01017", b"CVE-2021-44228", b"KB00023583", b"192.0.2.7:443", b"10.0.0.0/8",
    b"mail.example.com", b"ERR_CONNECTION_REFUSED", b"KubePodCrashLooping", b"port 443", b"error code 0x1", b"1017",
    b"2024", b"MTTR", b"major incident response", b"what does SLA mean", b"pasword locekd", b"AND OR NOT NEAR(a b)",
    b'"', b"*", b"(", b")", b"^a", b"a:b", b"{a b}: c", b"-", b"'; DROP TABLE names; --", b"<mark>", b"&lt;",
    b"\xed\xa0\x80", b"\xff", b"\0", b"\n", b"\x1f",
    *(unicodedata.normalize(form, name).encode() for name in _NAMES for form in ("NFC", "NFKD")),
)  # fmt: skip
