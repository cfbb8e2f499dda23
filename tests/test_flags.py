"""What readers flagged, told to those who may read what it is about, and to nobody else."""

from collections.abc import Iterable

import pytest

from kb_service import KnowledgeBase, Settings
from kb_service.access import EVERYTHING, INTERNAL, PUBLIC, Sight
from kb_service.flags import flags
from tests.conftest import Desk

MAIL = Sight(services=frozenset({"MAIL"}))
HR = Sight("restricted", frozenset({"hr"}))


@pytest.fixture
def base(desk: Desk) -> KnowledgeBase:
    articles = {
        "public": "audience: public\nowner: network",
        "internal": "audience: internal",
        "secret": "audience: restricted\ngroups: [HR]",
        "payroll": "services: [payroll]",
        "draft": "audience: public\nworkflow_state: draft",
    }
    for name, front in articles.items():
        desk.write(f"faq/{name}.md", f"---\ntitle: About {name}\n{front}\n---\n## Why\n\nText of {name}.\n")
    made = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    made.update()
    return made


def flag(base: KnowledgeBase, article: str, comment: str = "wrong", number: str | None = None, anchor: str = "") -> str:
    """Flag an article as it is now; gives its revision."""
    knowledge = base.searcher.catalogue.get(article)
    revision = knowledge.revision if knowledge else "r"
    base.feedback.add(article, revision, "flag", comment=comment, number=number, anchor=anchor)
    return revision


def articles(found: Iterable[dict[str, object]]) -> list[object]:
    return [one["article"] for one in found]


def test_a_flag_says_what_was_flagged_where_and_whose_it_is(base: KnowledgeBase) -> None:
    revision = flag(base, "faq/public", "ß <b>wrong</b>", anchor="why")
    (found,) = flags(base, INTERNAL)
    assert found.pop("at")
    assert found == {
        "article": "faq/public",
        "title": "About public",
        "owner": "network",
        "url": "/a/faq/public#why",
        "revision": revision,
        "changed_since": False,
        "verdict": "flag",
        "comment": "ß <b>wrong</b>",
        "anchor": "why",
        "number": None,
    }


def test_the_latest_come_first_and_votes_are_no_flags(base: KnowledgeBase) -> None:
    for comment in ("first", "second", "third"):
        flag(base, "faq/public", comment)
    base.feedback.add("faq/public", "r", "helped")
    base.feedback.add("faq/public", "r", "not_helped")
    assert [one["comment"] for one in flags(base, INTERNAL)] == ["third", "second", "first"]


@pytest.mark.parametrize(
    ("sight", "seen"),
    [
        (PUBLIC, ["public"]),
        (INTERNAL, ["draft", "payroll", "internal", "public"]),
        (MAIL, ["draft", "internal", "public"]),
        (HR, ["draft", "payroll", "secret", "internal", "public"]),
        (EVERYTHING, ["draft", "payroll", "secret", "internal", "public"]),
    ],
)
def test_nothing_is_told_of_an_article_that_one_may_not_read(
    base: KnowledgeBase, sight: Sight, seen: list[str]
) -> None:
    names = ["public", "internal", "secret", "payroll", "draft"]
    for name in names:
        flag(base, f"faq/{name}")
    assert articles(flags(base, sight)) == [f"faq/{name}" for name in seen]
    for name in names:
        assert articles(flags(base, sight, f"faq/{name}")) == [f"faq/{name}"] * (name in seen)


def test_nothing_is_told_of_an_incident_of_another_s_service(base: KnowledgeBase) -> None:
    for number, service in (("INC1", "payroll"), ("INC2", "mail"), ("INC3", None)):
        base.incidents.put({"number": number, "short_description": "x", "service": service})
        flag(base, "faq/public", number=number)
    flag(base, "faq/public")
    assert [one["number"] for one in flags(base, INTERNAL)] == [None, "INC3", "INC2", "INC1"]
    assert [one["number"] for one in flags(base, MAIL)] == [None, "INC3", "INC2"]


def test_an_edit_shows_that_the_flag_was_of_the_text_before(base: KnowledgeBase, desk: Desk) -> None:
    revision = flag(base, "faq/public")
    desk.write("faq/public.md", "---\ntitle: Now public\naudience: public\n---\nBetter.\n")
    base.update()
    (found,) = flags(base, PUBLIC)
    assert (found["title"], found["changed_since"], found["revision"]) == ("Now public", True, revision)


def test_a_flag_stays_with_an_article_that_was_renamed(base: KnowledgeBase, desk: Desk) -> None:
    flag(base, "faq/public", "before")
    (desk.content / "faq/public.md").rename(desk.content / "faq/renamed.md")
    base.update()
    flag(base, "faq/renamed", "after")
    told = [(one["article"], one["url"], one["comment"]) for one in flags(base, PUBLIC, "faq/renamed")]
    assert told == [("faq/renamed", "/a/faq/renamed", "after"), ("faq/renamed", "/a/faq/renamed", "before")]


def test_of_a_deleted_article_it_is_told_to_those_whom_it_was_for(base: KnowledgeBase, desk: Desk) -> None:
    for name in ("public", "internal", "secret"):
        flag(base, f"faq/{name}")
        (desk.content / f"faq/{name}.md").unlink()
    base.update()
    assert articles(flags(base, PUBLIC)) == ["faq/public"]
    assert articles(flags(base, INTERNAL)) == ["faq/internal", "faq/public"]
    (found,) = flags(base, PUBLIC)
    assert (found["title"], found["url"], found["changed_since"]) == ("faq/public", None, None)


def test_of_an_article_that_nobody_knows_it_is_told_only_to_who_sees_all(base: KnowledgeBase) -> None:
    flag(base, "faq/never")
    assert articles(flags(base, EVERYTHING)) == ["faq/never"]
    assert list(flags(base, INTERNAL)) == list(flags(base, HR)) == list(flags(base, INTERNAL, "faq/never")) == []


def test_an_article_is_asked_for_by_any_id_that_it_had(desk: Desk) -> None:
    text = "---\ntitle: VPN\naudience: public\n---\n## Why\n\nThe lease is renewed by the client at each start.\n"
    desk.write("faq/a.md", text)
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    flag(base, "faq/a", "before")
    (desk.content / "faq" / "a.md").rename(desk.content / "faq" / "b.md")
    base.update()
    flag(base, "faq/b", "after")
    for asked in ("faq/a", "faq/b"):
        assert [one["comment"] for one in flags(base, EVERYTHING, asked)] == ["after", "before"]
