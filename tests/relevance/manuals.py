"""``python -m tests.relevance.manuals FOLDER OUT``: the index of a manual as a labelled set, for ``kb eval OUT``.

Whoever writes a manual's index says by hand which pages a term leads to. FOLDER is what a package of Debian's unpacks
(``apt-get download`` and ``dpkg-deb -x``): libreoffice-help-en-us, 2,500 short pages about programs, or
postgresql-doc-15, 1,150 long ones. An index points away from titles, where nobody needs it: such a set tells what
keywords find in the text, and says too little of titles to be tuned on alone.
"""

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

MOST_QUERIES = 900
_MOST_PAGES = 4
_SHORTEST_PAGE = 80
Index = Mapping[str, set[str]]
"""By term the pages, by their paths."""


class _Page(HTMLParser):
    """What a page says from an element on that ``begins`` with, a heading or paragraph each."""

    def __init__(self, begins: re.Pattern[str]) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._begins, self._is_in, self._unread, self._heading, self._said = begins, False, 0, "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._is_in = self._is_in or bool(self._begins.fullmatch(f"{given.get('id') or ''}.{given.get('class') or ''}"))
        if given.get("class") == "navfooter":
            self._end()
            self._is_in = False
        self._unread += tag in {"script", "style"}
        if tag in {"p", "li", "tr", "td", "pre", "div"} or re.fullmatch("h[1-6]", tag):
            self._end()
        if re.fullmatch("h[1-6]", tag):
            self._heading = f"{'#' * int(tag[1])} "

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in {"script", "style"} and self._unread > 0
        if tag in {"p", "li", "tr", "td", "pre"} or re.fullmatch("h[1-6]", tag):
            self._end()

    def handle_data(self, data: str) -> None:
        if self._is_in and not self._unread:
            self._said += data

    def _end(self) -> None:
        if said := " ".join(self._said.split()):
            self.parts.append(f"{self._heading}{said}")
            self._heading = ""
        self._said = ""


class _BookIndex(HTMLParser):
    """DocBook's index: terms, the narrower ones in lists below them, each with its pages."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, set[str]] = defaultdict(set)
        self._above: list[str] = []
        self._term: str | None = None
        self._pages: set[str] = set()
        self._depth, self._in_link = 0, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._depth += tag == "dl"
        if tag == "dt":
            self._term, self._pages = "", set()
        if tag == "a" and self._term is not None and given.get("class") == "indexterm":
            self._pages.add(str(given["href"]).partition("#")[0])
            self._in_link = True

    def handle_endtag(self, tag: str) -> None:
        self._in_link = self._in_link and tag != "a"
        if tag == "dt" and self._term is not None:
            said = " ".join(re.sub(r"\(see .*?\)|,\s*see (also )?.*|,", " ", self._term).split())
            self._above = [*self._above[: self._depth - 1], said]
            self.found[" ".join(filter(None, self._above))] |= self._pages
            self._term = None
        self._depth -= tag == "dl"

    def handle_data(self, data: str) -> None:
        if self._term is not None and not self._in_link:
            self._term += data


def _libreoffice(root: Path) -> tuple[re.Pattern[str], Index]:
    found: dict[str, set[str]] = defaultdict(set)
    for line in (root / "bookmarks.js").read_text("utf-8").splitlines():
        if entry := re.match(r'\{url:"en-US/(.*?)\?.*?text:"(.*)"\}', line):
            found[" ".join(re.sub(r"\s--\s|\\", " ", unescape(entry[2])).split())].add(entry[1])
    return re.compile(r"DisplayArea\..*"), found


def _postgresql(root: Path) -> tuple[re.Pattern[str], Index]:
    index = _BookIndex()
    index.feed((root / "bookindex.html").read_text("utf-8"))
    return re.compile(r".*\.(chapter|sect1|sect2|refentry|appendix|section|part|preface)"), index.found


def _pages(root: Path, begins: re.Pattern[str]) -> Iterator[tuple[str, str, str]]:
    """Path, title and text in Markdown of each page."""
    for file in sorted(root.rglob("*.html")):
        page = _Page(begins)
        page.feed(file.read_text("utf-8", "replace"))
        title = next((part.lstrip("# ") for part in page.parts if part.startswith("#")), "")
        text = "\n\n".join(page.parts)
        if title and len(text) >= _SHORTEST_PAGE and file.name != "bookindex.html":
            yield str(file.relative_to(root)), re.sub(r"^(Chapter |Appendix )?[\dA-Z]+(\.\d+)*\.\s+", "", title), text


def write(folder: Path, out: Path) -> int:
    """Make the set; gives how many queries it has."""
    (mark,) = [*folder.rglob("bookmarks.js"), *folder.rglob("bookindex.html")]
    root = mark.parent
    begins, index = _libreoffice(root) if mark.name == "bookmarks.js" else _postgresql(root)
    out.mkdir(parents=True, exist_ok=True)
    there: dict[str, str] = {}
    with (out / "corpus.jsonl").open("w", encoding="utf-8") as corpus:
        for number, (path, title, text) in enumerate(_pages(root, begins)):
            there[path] = f"d{number}"
            row = {"_id": f"d{number}", "title": title, "text": text, "path": f"corpus/d{number}.md"}
            corpus.write(json.dumps(row) + "\n")
    asked = [(term, sorted(pages & there.keys())) for term, pages in sorted(index.items()) if " " in term]
    asked = [(term, pages) for term, pages in asked if 1 <= len(pages) <= _MOST_PAGES]
    random.Random(5).shuffle(asked)  # noqa: S311 (the same ones each time)
    asked = asked[:MOST_QUERIES]
    with (
        (out / "queries.jsonl").open("w", encoding="utf-8") as queries,
        (out / "qrels.tsv").open("w", encoding="utf-8") as qrels,
    ):
        qrels.write("query-id\tcorpus-id\tscore\n")
        for number, (term, pages) in enumerate(asked):
            queries.write(json.dumps({"_id": f"q{number}", "text": term}) + "\n")
            qrels.writelines(f"q{number}\t{there[page]}\t1\n" for page in pages)
    return len(asked)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("out", type=Path)
    given = options.parse_args()
    print(f"{write(given.folder, given.out)} queries in {given.out}")
