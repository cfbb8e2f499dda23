"""The index of a manual becomes queries, and the pages that it leads to what is right for them."""

from collections.abc import Iterable
from pathlib import Path

from kb_service.labelled import LabelledSet, read_set
from tests.relevance.manuals import write

FILLER = "It is told here at some length, so that the page is long enough to count as one."


def made(tmp_path: Path) -> tuple[dict[str, set[str]], LabelledSet]:
    """By the text of each query the titles that are right for it, and the whole set."""
    count = write(tmp_path / "manual", tmp_path / "set")
    labelled = read_set(tmp_path / "set")
    assert len(labelled.queries) == count
    titles = {one.id: one.title for one in labelled.documents}
    right = {one.text: {titles[document] for document in labelled.relevant[one.id]} for one in labelled.queries}
    return right, labelled


def page(folder: Path, name: str, inside: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"<html><head><title>No</title></head><body>{inside}</body></html>", "utf-8")


def term(text: str, *pages: str) -> str:
    links = "".join(f', <a class="indexterm" href="{one}">See there</a>' for one in pages)
    return f"<dt>{text}{links}</dt>"


def below(terms: Iterable[str]) -> str:
    return f"<dd><dl>{''.join(terms)}</dl></dd>"


def test_of_a_book_narrower_terms_stand_below_wider_ones(tmp_path: Path) -> None:
    book = tmp_path / "manual" / "html"
    text = f"<h2>13.3. Row Locks</h2><p>{FILLER}</p>"
    around = ('<div class="navheader">Up</div>', '<div class="navfooter">Next</div>')
    page(book, "locks.html", f'{around[0]}<div class="sect1" id="l">{text}{around[1]}</div>')
    page(book, "dump.html", f'<div class="refentry" id="d"><h1>pg_dump</h1><p>{FILLER}</p></div>')
    page(book, "short.html", '<div class="sect1" id="s"><h2>1.1. Short</h2></div>')
    narrower = [term("of a row", "locks.html", "dump.html"), term("advisory", "short.html")]
    wider = [term("lock", "locks.html#x"), below(narrower), term("backup of all (see pg_dump)", "dump.html")]
    page(book, "bookindex.html", f"<dl>{''.join(wider)}</dl>")
    found, labelled = made(tmp_path)
    assert found == {"lock of a row": {"Row Locks", "pg_dump"}, "backup of all": {"pg_dump"}}
    texts = {one.title: one.text for one in labelled.documents}
    assert texts.keys() == {"Row Locks", "pg_dump"}
    assert texts["Row Locks"] == f"## 13.3. Row Locks\n\n{FILLER}"


def test_of_help_pages_bookmarks_lead_to_them(tmp_path: Path) -> None:
    root = tmp_path / "manual" / "help"
    page(root, "text/a.html", f'<p>Menu</p><div id="DisplayArea"><h1>Page Styles</h1><p>{FILLER}</p></div>')
    bookmarks = [("a", "page styles -- editing &amp; creating"), ("a", "styles"), ("gone", "not there")]
    lines = [f'{{url:"en-US/text/{name}.html?&DbPAR=WRITER#b", app:"W", text:"{said}"}},' for name, said in bookmarks]
    (root / "bookmarks.js").write_text("\n".join(["var bookmarks=[", *lines, "]"]), "utf-8")
    found, labelled = made(tmp_path)
    assert found == {"page styles editing & creating": {"Page Styles"}}
    assert "Menu" not in labelled.documents[0].text
