"""Texts that a parser may take long over, as large as a file may be; and what a plain one of that size looks like."""

from collections.abc import Mapping

from indexer.knowledge import MAX_FILE_BYTES, MAX_LINES

_WORDS = (
    "The user cannot sign in after a password change because an old device still sends the former one. Ask which phone"
    " or tablet reads the mail, sign it out, wait ten minutes, then unlock the account and try once more. Error"
    " 0x80070005 or KB00023583 in the log of mail01.example.com means that the policy was not applied yet."
).split()
_LINE = MAX_FILE_BYTES // MAX_LINES

# Repeated without a break, in lines, and in paragraphs
_INLINE: Mapping[str, str] = {
    "stars": "*", "stars and words": "*a **a ", "emphasis inside out": "**a *b **c* ", "underscores": "_a_ ",
    "words in stars": "a**b", "stars and underscores": "*_", "struck": "~~a ", "tildes": "~",
    "brackets": "[", "brackets closed": "[a]", "pictures": "![", "pictures closed": "![a]", "links begun": "[a](",
    "links": "[a](b) ",
    "links with titles": '[a](b "c") ', "links with titles begun": '[a](b "', "links in angles": "[a](<",
    "links by reference": "[a][b]", "closing brackets": "]", "brackets and stars": "[*a", "addresses": "<http://a>",
    "addresses begun": "<http://", "mails": "<a@b.c>", "angles": "<", "tags": "<a ", "comments": "<!-- ",
    "instructions": "<?", "sections": "<![CDATA[", "entities": "&amp;", "entities by number": "&#60;",
    "entities begun": "&a", "ampersands": "&", "backslashes": "\\", "escapes": "\\*", "ticks": "`a",
    "ticks of two": "``a",
    "code": "`a` ", "templates": "{{<", "links to templates": "[a]({{", "videos": "![a](b.mp4)", "bars": "|",
    "colons": ":",
    "exclamations": "!", "dollars": "$", "hyphens": "-", "plus": "+", "equals": "=", "hashes": "#", "braces": "{a}",
    "quotation marks": "\"'", "spaces": " ", "tabs": "\t", "no-break spaces": "\u00a0", "line separators": "\u2028",
    "invisible": "\u200b\u202e", "accents": "e\u0301", "accents alone": "\u0301", "right to left": "שלום مرحبا ",
    "Chinese": "漢字", "Hangul": "한글 ", "one letter for many": "\ufdfa", "faces": "👩\u200d💻", "letters": "x",
    "words": "word ",
    "capitals": "aB", "shouted": "ABC ", "digits": "1", "numbers": "1234 ", "dots": "a.",
    "hosts": "a-b.c.example.com ",
    "hosts that are none": "a.b.c.d.e.f.g.h.1 ", "dashes": "a-", "snakes": "a_b_c ", "codes": "ORA-01017 ",
    "codes in hexadecimal": "0x80070005 ", "addresses of machines": "192.0.2.7:443 ",
    "dated codes": "CVE-2021-44228 ",
    "alerts": "KubePodCrashLooping ", "ports": "port 443 ", "ports begun": "port ", "years": "2027-05-31 ",
    "secrets": "password: hunter2hunter2 ", "keys": "AKIAIOSFODNN7EXAMPLE ",
}  # fmt: skip

# Repeated as they are, as often as size and lines allow
_BLOCKS: Mapping[str, str] = {
    "quotes in quotes": "> " * 25 + "a\n", "quotes that go on": "> a\nb\n", "lists in lists": "- " * 25 + "a\n",
    "numbers in numbers": "1. " * 18 + "a\n", "quotes in lists": "> - " * 13 + "a\n", "tasks": "- [ ] a\n",
    "items": "- a\n", "items apart": "- a\n\n", "items of two kinds": "- a\n+ b\n", "numbers": "1. a\n",
    "lines": "a\n",
    "items going on": "- a\n\n  b\n",
    "lists up and down": "".join("  " * d + "- x\n" for d in (*range(18), *range(18, 0, -1))),
    "references": "[a]: b\n", "references apart": "[a]: b\n\n", "references with titles begun": '[a]: b "\n',
    "labels begun": "[a\n", "references without address": "[a]:\n", "rows": "| a | b |\n",
    "tables": "|a|b|\n|-|-|\n\n",
    "rules of tables": "|-|-|\n", "headings": "# Same\n", "headings apart": "## Same\n\na\n\n",
    "underlined": "a\n-\n",
    "ever deeper headings": "".join(f"{'#' * d} {'Some long heading ' * 4}{d}\n\na\n\n" for d in range(1, 7)),
    "fences": "```\n", "fences closed": "```\na\n```\n", "fences in lists": "- ```\n", "waves": "~~~ a\n",
    "rules": "***\n",
    "containers": "::: note\n", "containers closed": "::: note\n:::\n", "containers in lists": "- ::: note\n",
    "colons": ":::\n",
    "boxes": "!!! note\n    a\n", "boxes begun": "!!! note\n", "boxes in lists": "- !!! note\n",
    "folded": "??? note\n",
    "definitions": "a\n: b\n", "definitions apart": "a\n\n: b\n\n",
    "definitions in definitions": "a\n: b\n  : c\n    : d\n",
    "definitions begun": ": a\n", "code": "    a\n", "code in lists": "-     a\n", "hard breaks": "a  \n",
    "blank": "\n",
    "paragraphs": "a\n\n", "questions": "## Why?\n\nBecause.\n\n",
    "steps": "1. Do `this`\n\n   ```sh\n   that\n   ```\n\n",
    "commands": "Open **Settings** > `sudo ls` and [read](b.md) it.\n\n", "comments": "<!-- a\n",
    "anchors": "# a {#b}\n",
}  # fmt: skip


# Repeated as front matter, as long as that may be
_FRONT: Mapping[str, str] = {
    "items": "- ", "items in lines": "- a\n", "keys asked for": "? ", "lists": "[", "lists closed": "[a], ",
    "maps": "{",
    "maps in maps": "{a: ", "keys": "a: ", "keys in lines": "a: b\n",
    "quotes": '"', "quoted": '"a" ', "single quotes": "'",
    "escapes": "\\u0041", "blocks": "a: |\n  b\n", "folded": "a: >\n  b\n", "comments": "# a\n", "anchors": "&a ",
    "aliases": "*a ", "tags": "!a ", "tags of YAML": "!!a ", "directives": "%a\n", "ends": "...\n", "tabs": "\t",
    "spaces": " ",
    "blank": "\n", "words": "a ", "words in lines": "a\n  ", "colons": ":", "bars": "|", "commas": ",", "digits": "1",
    "digits in hexadecimal": "0xf", "underscores": "1_", "sixties": "1:1", "dates": "2027-05-31 ", "unseen": "\u200b",
    "steps": "a:\n" + " " * 60, "merges": "<<: ", "sets": "!!set {a}, ", "letters": "x",
}  # fmt: skip


def plain_text(size: int = MAX_FILE_BYTES) -> bytes:
    """Paragraphs below headings, as anybody writes them."""
    pieces: list[str] = []
    length = number = 0
    while length < size:
        number += 1
        start = number * 7 % len(_WORDS)
        words = (_WORDS * 3)[start : start + 90]
        pieces.append(f"## Section {number}\n" if number % 10 == 1 else " ".join(words) + f" Case {number}.\n")
        length += len(pieces[-1]) + 1
    return "\n".join(pieces).encode()[:size]


def slow_texts(size: int = MAX_FILE_BYTES, lines: int = MAX_LINES) -> dict[str, bytes]:
    """Texts of at most ``size`` bytes and ``lines`` lines, by what there is much of."""
    found: dict[str, bytes] = {}
    for name, piece in _INLINE.items():
        line, cell = _times(piece, size // lines), _times(piece, size // lines - 3)
        found[f"{name}, one line"] = _times(piece, size)
        found[f"{name}, in lines"] = (line + b"\n") * (size // (len(line) + 1))
        found[f"{name}, in rows"] = b"|a|\n|-|\n" + (b"|" + cell + b"|\n") * ((size - 9) // (len(cell) + 3))
        if "fence" not in name:
            found[f"{name}, as code"] = b"```sh\n" + _times(piece, size - 10) + b"\n```"
    for name, piece in _BLOCKS.items():
        found[f"{name}, lines"] = piece.encode() * min(size // len(piece.encode()), lines // piece.count("\n"))
    for name, piece in _FRONT.items():
        for key in ("", "title: ", "tags: ["):
            found[f"front matter of {name} in '{key}'"] = b"---\n%s%s\n---\na" % (key.encode(), _times(piece, 16_000))
    found["front matter in steps"] = b"---\n" + b"".join(b" " * d + b"a:\n" for d in range(170)) + b"---\na"
    found |= _numbered(size, lines)
    return {name: text for name, text in found.items() if len(text) <= size and text.count(b"\n") <= lines}


def _times(piece: str, size: int) -> bytes:
    return piece.encode() * (size // len(piece.encode()))


def _numbered(size: int, lines: int) -> dict[str, bytes]:
    """Texts whose pieces differ, or are of several kinds."""
    half = size // 2

    def each(piece: str, count: int) -> bytes:
        return "".join(piece.format(n=number) for number in range(count)).encode()[:size]

    def cells(count: int) -> bytes:
        return b"|" + b"a|" * count + b"\n"

    def head(count: int) -> bytes:
        return cells(count) + b"|" + b"-|" * count + b"\n"

    opened = b"".join(b":" * (30 - depth) + b" note\n" for depth in range(18))
    closed = b"".join(b":" * (13 + depth) + b"\n" for depth in range(18))
    commands = b"```sh\n" + b'ls -la $(pwd) | grep "a b" && echo ${x:-y}\n' * 80 + b"```\n\n"
    return {
        "brackets, half of them closed": b"[" * half + b"]" * half,
        "links in links": b"[" * (size // 6) + b"a" + b"](b)" * (size // 6),
        "pictures in pictures": b"![" * (size // 7) + b"a" + b"](b)" * (size // 7),
        "stars opened, then closed": b"*a " * (size // 8) + b"b* " * (size // 8),
        "a run of stars": b"a" + b"*" * (size - 1),
        "an address of half the page, used often": b"[a]: " + b"b" * half + b"\n\n" + b"[a] " * (size // 10),
        "definitions and uses": each("[a{n}]: b{n}\n", lines - 10)[:half] + b"\n\n" + each("[a{n}] ", half // 9),
        "ticks ever longer": b" ".join(b"`" * count for count in range(1, int((size * 2) ** 0.5))),
        "columns": head(size // 5),
        "columns and short rows": head(size // 5) + b"|\n" * (lines // 2),
        "rows of twenty cells": head(20) + cells(20) * (size // 43),
        "links all different": each("[a](b{n}.md) ", size // 13),
        "links as many as are read": each("[a](b{n}.md) ", 15_000),
        "pictures all different": each("![a](b{n}.png) ", size // 15),
        "a picture's text of half the page": b"![" + b"\xc2\xa0" * (half // 2) + b"](b.png)",
        "a link's title of half the page": b'[a](b "' + b"\xc2\xa0" * (half // 2) + b'")',
        "an address of half the page": b"[a](b?" + b"&" * half + b")",
        "an address in angles of half the page": b"<http://" + b"&" * half + b">",
        "pictures' texts as long as is read": (b"![" + b"\xc2\xa0" * 5_000 + b"](b.png)\n\n") * (size // 10_012),
        "headings all different": each("# Heading {n}\n", lines),
        "headings with numbers of twins": each("# a\n# a-{n}\n", lines // 2),
        "sections all different": each("## Heading {n}\n\nText {n} of it.\n\n", lines // 4),
        "words all different": each("word{n:x} ", size // 9),
        "codes all different": each("ORA-{n} ", size // 10),
        "names all different": each("Kube{n}PodCrash ", size // 16),
        "terms": b"# Glossary\n\n" + head(2) + each("| Term {n} | What it means {n} |\n", lines - 10),
        "terms below a long heading": b"# Glossary\n\n## "
        + b"long heading " * 40
        + b"\n\n"
        + head(2)
        + each("|t{n}|d|\n", lines - 20),
        "a heading of half the page": b"# " + b"heading " * (half // 8) + b"\n\n" + b"words " * (half // 7),
        "a heading of half the page, and many below": b"# a\n\n## "
        + b"heading " * (half // 8)
        + b"\n\n"
        + b"### a\n\nb\n\n" * (lines // 5),
        "spaces in a heading": b"# a" + b" " * (size - 10) + b"b {#c",
        "questions, each with a table": each("## Why {n}?\n\n|a|b|\n|-|-|\n|{n}|c|\n\n", lines // 7),
        "boxes in boxes": b"".join(b"    " * depth + b"!!! note\n" for depth in range(19)) * (lines // 19 - 1),
        "containers in containers": (opened + b"a\n" + closed) * (lines // 40),
        "front matter of one line": b"---\ntitle: " + b"x" * (size - 20) + b"\n---\n",
        "front matter never closed": b"---\na: b\n" + b"--- c\n" * (lines // 2),
        "front matter of keys": b"---\n" + each("k{n}: v\n", 1_500) + b"---\na",
        "front matter of related": b"---\nrelated: [" + b"a, " * 5_000 + b"]\n---\na",
        "commands": commands * (size // len(commands)),
    }
