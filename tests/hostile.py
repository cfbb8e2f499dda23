"""A repository written object by object, so that it can hold what git would not make; and what to put into it."""

import hashlib
import subprocess
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hypothesis import strategies as st

Kind = Literal["blob", "tree", "commit"]

MODES = {"file": b"100644", "executable": b"100755", "group-writable": b"100664", "link": b"120000"}
ODD = ("submodule", "file as submodule", "tree as file", "deep", "long")
UNREADABLE = ("missing", "missing tree", "file as tree", "no mode", "no name")

# What lies under a name: its kind, and the bytes, the name of a text, or the lines of a folder
Node = tuple[str, Any]
Lines = Sequence[tuple[bytes, Node]]


class Commit(NamedTuple):
    """What one push holds: names with what lies there, how often, in git's order or not, and who made it."""

    lines: Lines
    times: int
    ordered: bool
    who: bytes | None


class Entry(NamedTuple):
    """A line of a tree: ``name`` as it stands, and the object's name in hexadecimal."""

    mode: bytes
    name: bytes
    object: str


class Store:
    """A bare repository whose ``main`` is moved by ``publish``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)

    def put(self, kind: Kind, data: bytes) -> str:
        """Write a loose object as it is given; gives its name."""
        whole = b"%s %d\0" % (kind.encode(), len(data)) + data
        name = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        file = self.folder / "objects" / name[:2] / name[2:]
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(zlib.compress(whole, 1))
        return name

    def tree(self, entries: Sequence[Entry], *, ordered: bool = True) -> str:
        """A tree of these entries, in git's order unless told otherwise."""

        def place(entry: Entry) -> bytes:
            return entry.name + (b"/" if entry.mode == b"40000" else b"")

        lines = sorted(entries, key=place) if ordered else entries
        return self.put("tree", b"".join(b"%s %s\0%s" % (e.mode, e.name, bytes.fromhex(e.object)) for e in lines))

    def commit(self, tree: str, parents: Sequence[str], who: bytes = b"a <a@example.com> 1767225600 +0000") -> str:
        lines = [b"tree " + tree.encode(), *(b"parent " + parent.encode() for parent in parents)]
        lines += [b"author " + who, b"committer " + who, b"", b"change"]
        return self.put("commit", b"\n".join(lines))

    def publish(self, tree: str, who: bytes | None = None) -> str:
        """Commit a tree on top of main; gives the commit."""
        head = self.folder / "refs" / "heads" / "main"
        parents = [head.read_text().strip()] if head.exists() else []
        commit = self.commit(tree, parents, *([who] if who else []))
        head.write_text(f"{commit}\n")
        return commit


FILES = (b"a.md", b"b.md", b"vpn.md", b"README.md", b"c.md", b"d.md", b"e.md", b"f.md", b"g.md")
NAMES = (
    *FILES, b"..", b".", b".git", b".GIT", b"..md", b"...md", b".md", b" .md", b"a/b.md", b"../outside.md",
    b"/etc/passwd", b"a\\b.md", b"..\\x.md", b"a\nb.md", b"a\tb.md", b"\x1b[2Jx.md", b"\xff\xfe.md", b"caf\xe9.md",
    b"A.md", b"a.MD", b"a.markdown", "é.md".encode(), "e\u0301.md".encode(), "\u202egnp.md".encode(),
    "\u200b.md".encode(), "👩\u200d💻.md".encode(), b"CON.md", b"nul", b"aux.md", b"a.md.", b"a.md ", b"-a.md",
    b"--output=x.md", b":(exclude)x.md", b":!a.md", b":/", b"*.md", b"[a-z].md", b"?.md", b"a?b#c%2e%2e.md", b"a%.md",
    b"'\"`$(id);&|.md", b"<script>.md", b"x" * 4000 + b".md", b"x" * 250 + b".md", b"HEAD", b"HEAD:a.md", b"index.md",
    b"a.mp4", b"a.vtt", b"a.srt", b"b.png", b"node_modules", b".gitattributes", b".gitmodules", b".mailmap", b"faq",
    b"runbooks", b"glossary.md",
)  # fmt: skip
LINKS = (
    b"/etc/passwd", b"../../outside.md", b"../outside.md", b"..", b".", b"/", b"a.md", b"b.md", b"faq", b"faq/",
    b"gone.md", b"", b"a\0b", b"\xff", b"x" * 300, b"x" * 5000, b"a.md\n", b".git/config", b"../bare.git/config",
)  # fmt: skip
DATES = (
    b"a <a@example.com> 1767225600 +0000", b"a <a@example.com> 0 -0000", b"a <a@example.com> 99999999999 +1400",
    b"a <a@example.com> 9223372036854775807 +0000", b"a <a@example.com> 99999999999999999999999 +9999", b"a <> x y",
    b"", b"<", b"\xff\x01 <\x1b[2J> 1767225600 -2400", b"a <a@example.com> -1 +0000", b"a <a@example.com>",
    b"a <a@example.com> 253402300799 +0000", b"a <a@example.com> 253402300799 -2359",
)  # fmt: skip

_FRONT: Mapping[str, str] = {
    "a plain one": "title: Plain\naudience: public",
    "an id of another": "id: a",
    "an id that climbs": "id: ../../etc/passwd",
    "an id that is a folder": "id: faq/..",
    "an id in control characters": 'id: "a\\e[2J\\0"',
    "an id with a mark": 'id: "a\\u202eb"',
    "a title in control characters": 'title: "\\e]0;x\\a\\0"',
    "a title of spaces": 'title: "  \\t "',
    "half a character": 'title: x\naliases: ["\\ud800"]\nfoo: "\\udfff"',
    "half a character as a key": '"\\ud800": x',
    "a wrong value in control characters": 'tier: "\\e[31m\\n"',
    "a wrong value that is long": f"tier: {'x' * 15_000}",
    "a key twice, in control characters": '"a\\e": 1\n"a\\e": 2',
    "a raw control character": "title: a\x07b",
    "a date before all": "valid_from: 0001-01-01T00:00:00+14:00",
    "a date after all": "valid_to: 9999-12-31T23:59:59-12:00",
    "the first and the last day": "valid_from: 0001-01-01\nvalid_to: 9999-12-31",
    "a date that is no number": "review_by: .nan\nvalid_from: 1e400",
    "a number too long": f"weight: 1{'0' * 400}\nn: .nan\ni: .inf",
    "a number of 19,000 digits": f"n: 0x{'f' * 15_000}",
    "a number of 5,000 digits": f"n: {'9' * 5_000}",
    "keys of all kinds": "true: 1\nnull: 2\n3: 4\n[a, b]: 5\n{c: d}: 6\nx: {[a]: 1, ? [b, [c]] : 2}",
    "merge keys": "<<: {title: x}\nx: {<<: [{a: 1}, 2]}",
    "a billion laughs": "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]",
    "an alias to itself": "a: &a [*a]",
    "nested deep": f"x: {'[' * 3000}",
    "nested deep, closed": f"x: {'[' * 3000}{']' * 3000}",
    "maps nested deep": f"x: {'{a: ' * 2000}",
    "a python object": "x: !!python/object/apply:os.system ['touch pwned']\ntitle: !!python/name:os.system x",
    "wrong tags": "x: !!bool foo",
    "other tags": "x: !!binary '%%%'\ny: !!set foo\nz: !foo {a: b}",
    "a huge key": f"? {'k' * 15_000}\n: v",
    "many keys": "\n".join(f"k{number}: 1" for number in range(1400)),
    "keys that are ours inside": "model_config: 1\n__class__: 2\npath: ../x\nbody: 3\nrevision: 4\nextra: 5\nself: 6",
    "a directive": "%TAG ! tag:x,2000:\n---\na: !x b",
    "many related": f"related: [{'a,' * 7000}]",
    "front matter too long": "x: y\n" * 5000,
}


def texts(size: int) -> dict[str, bytes]:
    """Files by what is wrong with them; the long ones have about ``size`` bytes."""
    files: dict[str, bytes] = {name: f"---\n{front}\n---\n# Text\n\nwords\n".encode() for name, front in _FRONT.items()}
    files |= {
        "front matter never closed": b"---\ntitle: x\n",
        "nothing": b"",
        "line ends of Windows": b"---\r\ntitle: Windows\r\n---\r\n# A\r\n\r\ntext\r\n",
        "line ends of old": b"---\rtitle: Old\r---\r# A\r\rtext\r",
        "a byte order mark": b"\xef\xbb\xbf---\ntitle: Mark\n---\ntext",
        "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf---\ntitle: Mark\n---\ntext",
        "NUL": b"# A\n\nte\0xt",
        "latin-1": "# Köln\n".encode("latin-1"),
        "UTF-16": "# Köln\n".encode("utf-16"),
        "UTF-7": b"+ADw-script+AD4-",
        "one byte too many": b"x" * (1024 * 1024 + 1),
        "20 MB": b"x " * (10 * 1024 * 1024),
        "links that are no addresses": b"[a](//[x) [b](http://[::1) ![d](%00.png) [e](http://a:b/) [f](\\\\x\\y)",
        "pictures outside": b"![a](../../../../etc/passwd.png) ![b](/etc/x.mp4) ![c](.mp4) ![d](../outside.mp4)",
        "script": b"<script>alert(1)</script><img src=x onerror=alert(1)> [a](javascript:alert(1))",
        "a video": b"![v](a.mp4) ![w](../../a.mp4)",
        "half a character by number": b"&#xD800; &#0; &#x110000; ![a](&#xD800;.mp4) [b](&#xDFFF;)",
        "terminal commands": b"# \x1b[2J\x1b]0;x\x07\n\n\x9b31m\x08\x08",
    }
    files |= {name: (piece * (size // len(piece.encode()))).encode() for name, piece in _MARKDOWN.items()}
    files |= {
        "brackets, one closed": b"[" * size + b"]",
        "brackets, all closed": b"[" * (size // 2) + b"]" * (size // 2),
        "links in links": b"[" * (size // 8) + b"a" + b"](b)" * (size // 8),
        "pictures in pictures": b"![" * (size // 8) + b"a" + b"](b)" * (size // 8),
        "a long address used often": b"[a]: " + b"b" * (size // 10) + b"\n\n" + b"[a] " * (size // 5),
        "a long transcript": b"WEBVTT\n\n" + b"<" * size,
        "spaces in a heading": b"# a" + b" " * size + b"b {#c",
        "nothing but cells": b"|" + b"a|" * (size // 8) + b"\n|" + b"-|" * (size // 8) + b"\n" + b"|\n" * 99,
        "lists ever deeper": "\n".join("  " * depth + "- x" for depth in range(int(size**0.5))).encode(),
        "code never closed": b"```" + b"a" * size,
        "ticks ever longer": " ".join("`" * count for count in range(1, int((size * 2) ** 0.5))).encode(),
    }  # fmt: skip
    return files


_MARKDOWN = {
    "one long line": "word ", "one long word": "x", "quotes": "> ", "lists in lists": "- ", "numbers in numbers": "1. ",
    "brackets": "[", "pictures never closed": "![", "links never closed": "[a](", "links in angles": "[a](<",
    "stars": "*", "emphasis": "*a **a ", "emphasis by underscores": "_a", "struck": "~~a ", "ticks": "`a",
    "addresses": "<http://a>", "angles": "<", "tags never closed": "<a ", "comments never closed": "<!-- ",
    "templates never closed": "{{<", "links to templates": "[a]({{", "other templates": "<%", "alike": "# Same\n",
    "headings": "###### a\n\nb\n\n", "table rows": "|a|b|\n|-|-|\n", "references": "[a]: b\n", "entities": "&amp;",
    "ampersands": "&", "backslashes": "\\", "paragraphs": "x\n\n", "definitions": "a\n: b\n\n", "tasks": "- [ ] a\n",
    "boxes": "!!! note\n    a\n", "containers": "::: note\n", "fences": "```\n", "rules": "***\n", "tabs": "\t",
    "spaces": " ", "no-break spaces": "\u00a0", "marks": "\u200b\u202e", "accents": "e\u0301", "digits": "1",
    "dots": "a.", "hyphens": "a-", "underscores": "a_", "humps": "aB", "colons": "1:", "videos": "![a](b.mp4)\n\n",
    "numbers by name": "&#0;", "ports": "port ", "mails": "a@",
}  # fmt: skip


def names() -> st.SearchStrategy[bytes]:
    made = st.binary(min_size=1, max_size=9).filter(lambda name: b"\0" not in name)
    return st.one_of(
        st.sampled_from(FILES), st.sampled_from(FILES), st.sampled_from(NAMES), st.sampled_from(NAMES), made
    )


def nodes(known: Sequence[str]) -> st.SearchStrategy[Node]:
    """Mostly files, by the names of their texts."""
    front = st.text(max_size=100).map(lambda text: f"---\n{text}\n---\n".encode("utf-8", "replace"))
    files = st.tuples(st.sampled_from([*["file"] * 6, "executable", "group-writable"]), st.sampled_from(known))
    made = st.tuples(st.just("file"), st.binary(max_size=300) | front)
    links = st.tuples(st.just("link"), st.sampled_from(LINKS))
    odd = st.tuples(st.sampled_from((*ODD * 3, *UNREADABLE)), st.none())
    leaf = st.one_of(files, files, files, files, files, made, links, odd)
    inside = st.lists(st.tuples(names(), leaf), max_size=4)
    folder = st.tuples(st.just("tree"), inside)
    return st.one_of(
        leaf, leaf, leaf, folder, st.tuples(st.just("tree"), st.lists(st.tuples(names(), folder), max_size=3))
    )


def pushes(known: Sequence[str]) -> st.SearchStrategy[list[Commit]]:
    """A few trees of few names and nodes, so that what one holds comes back changed, renamed or gone in the next."""

    def of(some: tuple[list[bytes], list[Node]]) -> st.SearchStrategy[list[Commit]]:
        line = st.tuples(st.sampled_from(some[0]), st.sampled_from(some[1]))
        lines = st.lists(line, min_size=2, max_size=10, unique_by=lambda one: one[0])
        rarely = st.integers(0, 9).map(lambda one: one == 7)
        who = st.one_of(st.none(), st.none(), st.sampled_from(DATES))
        commit = st.builds(Commit, lines, rarely.map(lambda one: 1 + one), rarely.map(lambda one: not one), who)
        return st.lists(commit, min_size=1, max_size=3)

    lists = (st.lists(names(), min_size=6, max_size=12, unique=True), st.lists(nodes(known), min_size=4, max_size=12))
    return st.tuples(*lists).flatmap(of)
