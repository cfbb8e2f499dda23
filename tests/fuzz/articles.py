"""What authors push: a file's bytes as an article, and its text as passages and HTML."""

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from json import dumps
from zlib import crc32

from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from indexer import frontmatter, plain_yaml, yaml_values
from indexer.catalogue import object_from_json, object_to_json
from indexer.encoder import HashingEncoder
from indexer.html import render_html
from indexer.knowledge import KnowledgeObject, front_matter_of, parse
from indexer.markdown import parse_markdown
from indexer.passages import Passage, cut
from tests import hostile
from tests.conftest import CONTENT, REPOSITORY
from tests.fuzz.mutations import stretched

PATH = "notes/vpn.md"
# What the first byte of a text chooses from
PATHS = ("faq/vpn.md", "runbooks/vpn.md", "glossary/vpn.md", "notes/vpn.md")
_WINDOW = 64
_EXECUTED = {"script", "style", "iframe", "object", "embed", "svg", "math", "form", "base", "meta", "link", "template"}
_ADDRESSES = {"href", "src", "action", "formaction", "srcdoc", "srcset", "xlink:href", "poster", "data"}
_SCHEME = re.compile(r"[\x00-\x20]*([a-z][a-z0-9+.\s-]*):", re.IGNORECASE)
_LONG_WORD = 20


def front_matter(data: bytes) -> None:
    """An article, or problems at lines that the file has, in one printable line each; what is taken reads back."""
    data = stretched(data)
    found = parse(PATH, data)
    if isinstance(found, list):
        assert found, "refused without a reason"
        lines = len(re.split(rb"\r\n|\r|\n", data))
        for one in found:
            assert 1 <= one.line <= lines, f"line {one.line} of {lines}"
            assert one.problem and one.remedy and str(one).isprintable(), repr(str(one))
        return
    assert found.title and found.title == " ".join(found.title.split())
    assert found.id.isprintable() and not {"", ".", ".."}.intersection(found.id.split("/"))
    # The rest reads the YAML three times more, so it is done for some
    if crc32(data) % 4 == 0:
        _comes_back(found, data)


def _comes_back(found: KnowledgeObject, data: bytes) -> None:
    stored = object_to_json(found)
    assert stored.encode() and object_from_json(stored) == found
    matter = front_matter_of(PATH, data)
    assert matter is not None and (matter.audience, tuple(matter.groups)) == (found.audience, found.groups)
    front = frontmatter.split(data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n"))[0] or ""
    as_the_whole_of_yaml_reads_it(front)
    if len(found.title) <= 300:
        quoted = [dumps(text, ensure_ascii=False) for text in (found.id, found.title)]
        again = parse(PATH, "---\nid: {}\ntitle: {}\n---\n".format(*quoted).encode() + found.body.encode())
        assert isinstance(again, KnowledgeObject), again
        assert (again.id, again.title, again.body) == (found.id, found.title, found.body)


def as_the_whole_of_yaml_reads_it(front: str) -> None:
    """What libyaml composes is what YAML 1.2 makes of it."""
    if (plain := plain_yaml.compose(front)) is not None:
        whole = yaml_values._Yaml(typ="safe", pure=True)
        assert not [*yaml_values._yaml_problems(PATH, whole, front)]
        assert _told(plain) == _told(whole.compose(front))


def _told(node: Node) -> object:
    """What of a node counts: the lines of keys, and of texts what they say and stand for."""
    if isinstance(node, ScalarNode):
        return str(node.tag), node.value
    if isinstance(node, SequenceNode):
        return [_told(one) for one in node.value]
    return [(key.start_mark.line, _told(key), _told(value)) for key, value in node.value]


def passages(data: bytes) -> None:
    """Passages fit the window, say every word, and lead to places of the HTML, which nothing runs; all of it twice."""
    known = parse(PATHS[data[0] % len(PATHS)] if data else PATH, stretched(data[1:]))
    if isinstance(known, list):
        return
    found = cut(known, HashingEncoder().count_tokens, _WINDOW)
    html = render_html(known.document, lambda target: target)
    assert all(_count(one) <= _WINDOW for one in found), [one.encoded_text for one in found if _count(one) > _WINDOW]
    seen = _Seen(html)
    assert len(seen.ids) == len(set(seen.ids)), f"an anchor twice: {seen.ids}"
    assert {one.anchor for one in found} <= {"", *seen.ids}, f"{ {one.anchor for one in found} } in {seen.ids}"
    said = " ".join(one.text for one in found)
    for block in (block for section in known.document.sections for block in section.blocks if not block.cells):
        assert all(word in said for word in block.text.split() if len(word) < _LONG_WORD), block.text
    parse_markdown.cache_clear()
    assert cut(known, HashingEncoder().count_tokens, _WINDOW) == found, "read again it has other passages"
    assert render_html(known.document, lambda target: target) == html, "rendered again it is other HTML"


def _count(passage: Passage) -> int:
    return HashingEncoder().count_tokens(passage.encoded_text)


class _Seen(HTMLParser):
    """The ids of an HTML text. Refuses what could run."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in _EXECUTED, f"<{tag}>"
        for name, value in attrs:
            assert not name.startswith("on") and name != "style", f"{tag} {name}={value!r}"
            scheme = _SCHEME.match(value or "") if name in _ADDRESSES else None
            if scheme:
                said = "".join(scheme[1].split()).lower()
                assert said in {"http", "https", "mailto", "tel"}, f"{tag} {name}={value!r}"
            if name == "id":
                self.ids.append(value or "")


@cache
def _texts() -> tuple[bytes, ...]:
    own = [path.read_bytes() for path in sorted(CONTENT.rglob("*.md"))]
    cases = (REPOSITORY / "tests" / "cases" / "passages.md").read_bytes().split(b"\n.\n")
    return (*own[::3], *cases, *hostile.texts(300).values())


def front_matter_seeds() -> Iterator[bytes]:
    """Front matter with the beginning of its text, of our articles and of hostile files."""
    for text in _texts():
        end = text.find(b"\n---", 4)
        yield text[: end + 80] if end >= 0 else text[:200]


def passages_seeds() -> Iterator[bytes]:
    """Pieces of the same without their front matter, some for each kind of article."""
    for number, text in enumerate(_texts()):
        body = text[max(0, text.find(b"\n---", 4) + 5) :]
        for start in range(0, min(len(body), 1200), 400):
            yield bytes([number % len(PATHS)]) + body[start : start + 500]


FRONT_MATTER_WORDS = (
    b"---\n", b"\n---\n", b"title: ", b"id: ", b"type: runbook", b"audience: restricted", b"groups: [a]", b"tier: L1",
    b"valid_from: 2026-01-01", b"valid_to: 2026-01-01T00:00:00Z", b"review_by: ", b"aliases:\n  - ", b"related: [",
    b"]", b"? ", b"<<: ", b"&a ", b"*a", b"!!str ", b"| \n  ", b"> \n  ", b"'", b'"\\u0085"', b"# ",
    b"%YAML 1.1\n--- {x: ", b"+_}", b"...\n", b"{a: b}", b"0o7", b"1e400", b".nan", b"0001-01-01",
    b"9999-12-31T23:59:59-14:00", b"\xef\xbb\xbf", b"\r\n", b"\t", b"workflow_state: ", b"null", b"~", b"12:30:45",
    b"\xc2\x85", b"\xe2\x80\xa8", b"\xf0\x9f\x99\x82", b"\xcc\x81",
)  # fmt: skip
PASSAGES_WORDS = (
    b"# ", b"\n## ", b"\n\n", b"\n- ", b"\n1. ", b"    ", b"```", b"\n~~~\n", b"> ", b"|a|b|\n|-|-|\n", b"[a](b)",
    b"![", b"](", b"<script>", b"javascript:", b"&#106;avascript:", b"&colon;", b"<!--", b"-->", b"{{<", b">}}",
    b"{#a}", b"\n: ", b"!!! note\n    ", b"\n:::note\n", b"- [ ] ", b"**", b"__", b"~~", b"`", b"[a]: b\n",
    b"<http://a>", b'"onclick=x', b"\n===\n", b"\n---\n", b"\\", b"&amp;", b"&#x85;", b"&Tab;", b".mp4)",
    b"data:text/html,", b"  \n", b"\xc2\xa0", b"\xe2\x80\xa8", b"section", b"-1", b"<a href=x>", b"' title",
    b"```python\n", b"\xf0\x9f\x99\x82",
)  # fmt: skip
