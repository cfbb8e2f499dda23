"""GNOME's help in many languages as labelled sets: the summary of each page is a query, and the page answers it.

Pages are Mallard (projectmallard.org, 1.0): a title, a summary (``desc``) that tables of contents show, and sections.
The summary is left out of what is indexed.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from indexer.language import Code
from tests.multilingual import packages

_MALLARD = "{http://projectmallard.org/1.0/}"
# A shorter page only leads to others
_SHORTEST_PAGE, _FEWEST_WORDS = 200, 3


def write(code: Code, out: Path) -> int:
    """Write the set of a language into a folder; gives how many queries it has."""
    found = list(_read(packages.folder() / "usr/share/help" / ("C" if code == "en" else code) / "gnome-help"))
    lines = {
        "corpus.jsonl": ({"_id": name, "title": title, "text": text} for name, title, _, text in found),
        "queries.jsonl": ({"_id": name, "text": summary} for name, _, summary, _ in found),
    }
    for file, rows in lines.items():
        (out / file).write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    judged = "".join(f"{name}\t{name}\t1\n" for name, *_ in found)
    (out / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", "utf-8")
    return len(found)


def _read(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Of each page its name, title, summary and text."""
    for file in sorted(folder.glob("*.page")):
        try:
            page = ElementTree.parse(file).getroot()  # noqa: S314 (of Debian)
        except ElementTree.ParseError:
            # Some name entities that are declared elsewhere
            continue
        info, title = page.find(f"{_MALLARD}info"), page.find(f"{_MALLARD}title")
        summary = None if info is None else info.find(f"{_MALLARD}desc")
        if info is None or title is None or summary is None:
            continue
        page.remove(info)
        page.remove(title)
        heads = {f"{_MALLARD}p": "", f"{_MALLARD}title": "## "}
        parts = ((heads[part.tag], _said(part)) for part in page.iter() if part.tag in heads)
        text = "\n\n".join(f"{head}{said}" for head, said in parts if said)
        if len(text) >= _SHORTEST_PAGE and len(_said(summary).split()) >= _FEWEST_WORDS:
            yield file.stem, _said(title), _said(summary), text


def _said(part: ElementTree.Element) -> str:
    return " ".join("".join(part.itertext()).split())
