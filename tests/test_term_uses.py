"""Where each term of the glossary is used: by any of its names, as far as one may see it."""

import pytest

from kb_service import glossary
from kb_service.access import EVERYTHING, INTERNAL, PUBLIC, Sight
from kb_service.glossary import Term
from kb_service.query import Query, filter_of
from kb_service.term_uses import uses
from tests.conftest import Desk


def write(desk: Desk, path: str, title: str, body: str, *front: str) -> None:
    desk.write(path, "\n".join(["---", f"title: {title}", *front, "---", body, ""]))


def used(desk: Desk, sight: Sight = INTERNAL) -> dict[str, tuple[str, ...]]:
    """The uses of every term that one sees, by its first name."""
    desk.update()
    wanted = filter_of(Query("", sight=sight))
    terms = glossary.terms(desk.index, wanted)
    return dict(zip((term.term for term in terms), uses(desk.index, wanted, terms), strict=True))


@pytest.fixture
def sla(desk: Desk) -> Desk:
    """A desk with one term of three names."""
    write(desk, "glossary/sla.md", "SLA (service level agreement)", "An SLA is agreed.", "aliases: [promised level]")
    return desk


@pytest.mark.parametrize(
    "said",
    [
        "Keep the SLA.",
        "By service level agreement.",
        "SERVICE LEVEL Agreement first",
        "Is it the promised\nlevel?",
        "**SLA**: so",
        "# SLA\n\nWhat is it?",
        "| a |\n|---|\n| SLA |",
    ],
)
def test_an_article_that_says_any_of_the_names_uses_the_term(sla: Desk, said: str) -> None:
    write(sla, "faq/a.md", "Something", said)
    assert used(sla) == {"SLA": ("faq/a",)}


@pytest.mark.parametrize(
    "said",
    [
        "A sla in small letters.",
        "The level of service by agreement.",
        "A promised land on another level.",
        "SLAB and TESLA",
        "Nothing of it.",
    ],
)
def test_an_article_that_has_only_the_words_does_not(sla: Desk, said: str) -> None:
    write(sla, "faq/a.md", "Something", said)
    assert used(sla) == {"SLA": ()}


def test_a_title_is_a_use_and_the_term_s_own_article_is_none(sla: Desk) -> None:
    write(sla, "faq/z.md", "What is an SLA?", "Ask.")
    write(sla, "faq/a.md", "Something", "SLA, SLA, and the service level agreement.\n\n## Again\n\nSLA.")
    assert used(sla) == {"SLA": ("faq/a", "faq/z")}


def test_terms_use_one_another_and_each_has_its_own_uses_in_the_order_asked(desk: Desk) -> None:
    write(desk, "glossary/sla.md", "SLA", "Agreed with customers, as an OLA is between teams.")
    write(desk, "glossary/ola.md", "OLA", "Supports the SLA.")
    write(desk, "glossary/rfp.md", "RFP", "Unused.")
    assert used(desk) == {"OLA": ("glossary/sla",), "RFP": (), "SLA": ("glossary/ola",)}


def test_nothing_is_told_of_articles_that_one_may_not_see(desk: Desk) -> None:
    write(desk, "glossary/sla.md", "SLA", "Agreed.", "audience: public")
    write(desk, "faq/public.md", "A", "SLA", "audience: public")
    write(desk, "faq/internal.md", "B", "SLA", "services: [mail]")
    write(desk, "faq/restricted.md", "C", "SLA", "audience: restricted", "groups: [HR]")
    write(desk, "faq/draft.md", "D", "SLA", "audience: public", "workflow_state: draft")
    write(desk, "faq/over.md", "E", "SLA", "audience: public", "valid_to: 2020-01-01")
    assert used(desk, PUBLIC) == {"SLA": ("faq/public",)}
    assert used(desk) == {"SLA": ("faq/internal", "faq/public")}
    assert used(desk, Sight(services=frozenset({"printing"}))) == {"SLA": ("faq/public",)}
    assert used(desk, Sight("restricted", frozenset({"hr"}))) == {
        "SLA": ("faq/internal", "faq/public", "faq/restricted")
    }
    assert used(desk, EVERYTHING) == used(desk, Sight("restricted", frozenset({"hr"})))


def test_terms_that_one_may_not_see_are_not_asked_for(desk: Desk) -> None:
    write(desk, "glossary/sla.md", "SLA", "Agreed.")
    write(desk, "faq/public.md", "A", "SLA", "audience: public")
    assert used(desk, PUBLIC) == {}


def test_an_article_that_is_changed_or_deleted_uses_it_no_more(sla: Desk) -> None:
    write(sla, "faq/a.md", "A", "SLA")
    file = sla.write("faq/b.md", "---\ntitle: B\n---\nSLA\n")
    assert used(sla) == {"SLA": ("faq/a", "faq/b")}
    write(sla, "faq/a.md", "A", "Not any more.")
    file.unlink()
    assert used(sla) == {"SLA": ()}


@pytest.mark.parametrize("name", ["", "the", "?!", "'); DROP TABLE passages; --", 'NEAR("a" "b")', "印刷", "*"])
def test_a_name_of_any_letters_may_be_asked(sla: Desk, name: str) -> None:
    write(sla, "faq/a.md", "A", f"It says {name} here.")
    sla.update()
    wanted = filter_of(Query("", sight=INTERNAL))
    (found,) = uses(sla.index, wanted, [Term(name, (name,), "x", "glossary/x", "")])
    assert set(found) <= {"faq/a"}
    assert uses(sla.index, wanted, []) == []
