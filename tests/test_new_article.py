"""A new article's file: any title gives a valid one, at a fitting place, and never over another."""

import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexer import KnowledgeObject, WorkingTree, parse
from indexer.skeletons import body_of
from kb_service.articles import read_articles
from kb_service.front_matter_lines import front_matter
from kb_service.new_article import (
    NotPlacedError,
    Particulars,
    clean_title,
    folder_of,
    owner_of_service,
    place,
    slug_of,
    text_of,
    write,
)
from tests.conftest import Desk

PRINTED = st.characters(exclude_categories=["Cc", "Cs"])
WINDOWS = {"con", "prn", "aux", "nul", *(f"{name}{digit}" for name in ("com", "lpt") for digit in range(10))}


def parsed_of(text: str) -> KnowledgeObject:
    parsed = parse("runbooks/x.md", text.encode())
    assert isinstance(parsed, KnowledgeObject), parsed
    return parsed


@given(st.text(PRINTED, min_size=1, max_size=150).filter(lambda text: text.strip()))
@example('He said: "it\'s #1 - {broken}"')
@example("null")
@example("~")
@example("--- no end")
@example("Drücker 🖨️ / Schließfach: [defekt]")
@example("👩‍👩‍👧 \ufeff\ufffe x")
@example("a" * 300)
@example("no: yes")
def test_any_title_is_read_back_as_it_was(title: str) -> None:
    kept = parsed_of(text_of(Particulars("runbook", clean_title(title)), body_of("runbook")))
    assert kept.title == " ".join(title.split())
    assert (kept.type, kept.workflow_state) == ("runbook", "draft")


@given(st.text(max_size=400), st.sampled_from(["runbook", "faq"]))
@example("CON", "faq")
@example("Nul?", "faq")
@example("../../etc/passwd", "faq")
@example("COM¹", "faq")
@example("日本語" * 100, "faq")
def test_any_title_gives_a_name_that_every_system_takes(title: str, kind: str) -> None:
    slug = slug_of(title, kind)  # type: ignore[arg-type]
    assert slug
    assert len(f"{slug}.md".encode()) <= 180
    assert slug not in WINDOWS
    assert not set(slug) & set('/\\:*?"<>|. _')
    assert slug == slug.strip("-")
    assert all(unicodedata.category(letter)[0] in "LNM" or letter == "-" for letter in slug)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Account locked out", "account-locked-out"),
        ("Drücker: Größe & Łódź", "druecker-groesse-lodz"),
        ("Can't print: 0x0000011b!", "cant-print-0x0000011b"),
        ("🔥🔥", "runbook"),
        ("con", "con-runbook"),
        ("résumé naïve", "resume-naive"),
        ("हिन्दी में", "हिन्दी-में"),
        (" ".join(["word"] * 40), "-".join(["word"] * 16)),
    ],
)
def test_names_are_what_one_would_type(title: str, slug: str) -> None:
    assert slug_of(title, "runbook") == slug


@pytest.mark.parametrize(
    ("title", "says"), [("", "empty"), (" \n ", "empty"), ("\0\x1b", "empty"), ("x" * 301, "301 letters")]
)
def test_a_title_that_no_article_can_have_is_refused(title: str, says: str) -> None:
    with pytest.raises(NotPlacedError, match=says):
        clean_title(title)


def test_what_cannot_be_printed_is_left_out_of_a_title() -> None:
    assert clean_title("VPN\0 \x1b[31m does\n not  connect \udcff") == "VPN [31m does not connect"


@given(
    st.lists(st.text(PRINTED, min_size=1, max_size=20).filter(lambda text: text.strip()), max_size=4),
    st.text(PRINTED, max_size=30),
)
@example(["null", "a, b", "?x", "[y]", "true"], "a: b # c")
def test_any_value_is_read_back_from_the_lines(values: list[str], owner: str) -> None:
    kept = parsed_of(front_matter({"title": "T", "tags": values, "owner": owner, "review_by": date(2027, 1, 2)}))
    assert kept.tags == tuple(values)
    assert kept.owner == (owner or None)
    assert kept.review_by == date(2027, 1, 2)


def test_a_key_without_a_value_is_blank_with_its_hint() -> None:
    text = front_matter({"title": "T", "owner": None, "tags": (), "summary": ""}, {"owner": "the team"})
    assert text == "---\ntitle: T\nowner:  # the team\ntags:\nsummary:\n---\n"
    assert parsed_of(text).owner is None


def test_the_review_date_is_by_type_and_within_what_the_policy_allows() -> None:
    today = date(2026, 2, 28)
    assert parsed_of(text_of(Particulars("faq", "T"), "", today)).review_by == date(2027, 2, 28)
    assert parsed_of(text_of(Particulars("known-error", "T"), "", today)).review_by == date(2026, 8, 29)


def tree_with(desk: Desk, **files: str) -> tuple[WorkingTree, tuple[KnowledgeObject, ...]]:
    for path, text in files.items():
        desk.write(path, text)
    tree = WorkingTree(desk.content)
    return tree, read_articles(tree).objects


def test_it_goes_where_most_of_its_type_are(desk: Desk) -> None:
    article = "---\ntitle: T\ntype: runbook\nservices: [vpn]\nowner: {owner}\n---\n"
    files = {
        "ops/a.md": article.format(owner="net"),
        "ops/b.md": article.format(owner="net"),
        "runbooks/c.md": article.format(owner="desk"),
        "faq/d.md": "# Why?",
    }
    tree, objects = tree_with(desk, **files)
    assert folder_of("runbook", objects) == "ops"
    assert folder_of("known-error", objects) == "known-errors"
    assert place(tree, objects, "runbook", "VPN drops") == "ops/vpn-drops.md"
    assert owner_of_service(["vpn"], objects) == "net"
    assert owner_of_service(["mail"], objects) is None


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("net/x.md", "net/x.md"),
        ("net", "net/vpn-drops.md"),
        ("content/net/y.md", "net/y.md"),
        ("{root}/z.md", "z.md"),
        ("./net/../w.md", "w.md"),
    ],
)
def test_a_path_may_be_said_from_where_one_stands_or_from_the_content(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, wanted: str, path: str
) -> None:
    monkeypatch.chdir(desk.content.parent)
    tree, objects = tree_with(desk)
    assert place(tree, objects, "runbook", "VPN drops", Path(wanted.format(root=desk.content))) == path


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("../out.md", "outside of the content"),
        ("/tmp/out.md", "outside of the content"),  # noqa: S108
        ("link/out.md", "outside of the content"),
        ("a.txt", r"Let its name end in .md"),
        (".git/a.md", "never read as content"),
        ("Runbooks/A.MD", r"runbooks/a.md \('Old'\) is there already"),
        ("runbooks/taken.md", r"other/file.md \('Named'\) is there already"),
        ("broken.md", "broken.md is there already"),
    ],
)
def test_it_is_not_put_where_it_must_not_be(desk: Desk, wanted: str, says: str, tmp_path: Path) -> None:
    files = {
        "runbooks/a.md": "# Old",
        "other/file.md": "---\ntitle: Named\nid: runbooks/taken\n---\n",
        "broken.md": "---\ntype: nonsense\n---\n",
    }
    tree, objects = tree_with(desk, **files)
    (desk.content / "link").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(NotPlacedError, match=says):
        place(tree, objects, "runbook", "VPN drops", Path(wanted))


def test_nothing_is_written_over_and_nothing_that_would_be_refused(desk: Desk) -> None:
    tree, _ = tree_with(desk)
    file = write(tree, "deep/er/a.md", "---\ntitle: First\n---\nText\n")
    with pytest.raises(NotPlacedError, match="is there already"):
        write(tree, "deep/er/a.md", "---\ntitle: Second\n---\n")
    assert file.read_text("utf-8") == "---\ntitle: First\n---\nText\n"
    huge = text_of(replace(Particulars("faq", "T"), services=("x" * 20_000,)), "")
    with pytest.raises(NotPlacedError, match="would be refused: the front matter is over"):
        write(tree, "b.md", huge)
    assert not (desk.content / "b.md").exists()
