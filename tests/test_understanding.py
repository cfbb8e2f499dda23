"""How a query is read, over a real index with a glossary."""

import pytest

from indexer.frontmatter import Audience
from kb_service import Query, Searcher
from kb_service.access import sight_up_to
from kb_service.understanding import BESIDE_WEIGHT, Understood
from tests.conftest import Desk

GLOSSARY = {
    "mttr": "title: MTTR (mean time to resolve)\naliases: [mean time to repair, what does MTTR mean]",
    "mir": "title: MIR (major incident response)\naliases: [major incident process]",
    "third-line": "title: Third-line support\naliases: [L3 support, 3rd line]",
    "it": "title: IT (information technology)\naudience: public",
    "sla": "title: SLA (service level agreement)\naudience: public",
    "ola": "title: OLA (operational level agreement)\naudience: public\nworkflow_state: draft",
}


@pytest.fixture
def searcher(desk: Desk) -> Searcher:
    for name, front in GLOSSARY.items():
        desk.write(f"glossary/{name}.md", f"---\n{front}\n---\nA term.\n")
    desk.write("a.md", "---\ntitle: Account locked out\naudience: public\n---\nThe password of the account is wrong.\n")
    desk.write("b.md", "---\ntitle: Printers\naudience: public\n---\nRestart the printer; ask employees. KB00023583\n")
    desk.update()
    return Searcher(desk.index, desk.encoder)


def read(searcher: Searcher, text: str, audience: Audience = "internal") -> Understood:
    return searcher.rank(Query(text, sight=sight_up_to(audience))).understood


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("pasword acount lokced ", "password account locked "),
        ("Pasword, acount!", "Password, account!"),
        ("restart the prin", "restart the printer"),
        ("restart the prin ", "restart the prin "),  # the word is finished
        ("ask Prnter", "ask Prnter"),  # a name, with its capital
        ("KB0023583 PRNTER prnter-7 pr1nter", "KB0023583 PRNTER prnter-7 pr1nter"),
        ("pasword " * 30, "pasword " * 30),  # pasted, not typed
    ],
)
def test_slips_are_mended_and_names_numbers_and_pasted_text_left_alone(
    searcher: Searcher, text: str, meant: str
) -> None:
    assert read(searcher, text).meant.casefold() == meant.casefold()


def test_what_was_changed_is_said(searcher: Searcher) -> None:
    assert [change.text for change in read(searcher, "acount acount prin").changes] == [
        "'acount' read as 'account'",
        "'prin' completed to 'printer'",
    ]


def test_an_abbreviation_is_spelled_out_beside_the_literal_word(searcher: Searcher) -> None:
    understood = read(searcher, "what does mir mean")
    assert [one.text for one in understood.expansions] == ["MIR = major incident response"]
    assert "mir" in understood.terms
    assert understood.beside.keys() == {"major", "incid", "respons"}
    assert max(understood.beside.values()) <= BESIDE_WEIGHT < 1
    assert understood.encoded_text == "what does mir mean (major incident response)"


def test_a_spelled_out_term_has_its_abbreviation_beside_it(searcher: Searcher) -> None:
    understood = read(searcher, "Service Level Agreements of printers")
    assert [one.text for one in understood.expansions] == ["service level agreement = SLA"]
    assert understood.beside.keys() == {"sla"}
    assert understood.encoded_text == "Service Level Agreements of printers"


def test_an_ambiguous_abbreviation_has_all_its_meanings_and_says_so(searcher: Searcher) -> None:
    understood = read(searcher, "MTTR")
    assert [one.text for one in understood.expansions] == ["MTTR may be mean time to resolve or mean time to repair"]
    assert {"resolv", "repair"} <= understood.beside.keys()
    assert understood.beside["resolv"] < BESIDE_WEIGHT


def test_other_names_of_a_term_are_beside_it(searcher: Searcher) -> None:
    (expansion,) = read(searcher, "who does l3 support").expansions
    assert (expansion.said, expansion.names) == ("L3 support", ("Third-line support", "3rd line"))


@pytest.mark.parametrize(
    ("text", "spelled_out"),
    [("mir", True), ("what is a mir", True), ("MIR of last week", True), ("the space station mir", False)],
)
def test_a_word_that_only_looks_like_an_abbreviation_is_left_alone(
    searcher: Searcher, text: str, spelled_out: bool
) -> None:
    assert ("(major incident response)" in read(searcher, text).encoded_text) is spelled_out
    assert bool(read(searcher, text).beside) is spelled_out


def test_a_word_of_two_letters_is_an_abbreviation_only_in_capitals(searcher: Searcher) -> None:
    assert [one.said for one in read(searcher, "the IT desk").expansions] == ["IT"]
    assert read(searcher, "is it broken").expansions == ()


def test_terms_that_one_may_not_see_expand_nothing(searcher: Searcher) -> None:
    assert read(searcher, "MIR", "public").expansions == ()
    assert [one.said for one in read(searcher, "SLA", "public").expansions] == ["SLA"]


def test_terms_that_are_not_published_expand_nothing(searcher: Searcher) -> None:
    for audience in ("public", "internal"):
        assert read(searcher, "OLA", audience).expansions == ()
    asked = Query("SLA", state="draft")
    assert [one.said for one in searcher.rank(asked).understood.expansions] == ["SLA"]


def test_a_filter_by_type_leaves_the_glossary_at_work(searcher: Searcher) -> None:
    asked = Query("MIR", {"type": frozenset({"howto"})})
    assert [one.said for one in searcher.rank(asked).understood.expansions] == ["MIR"]


def test_a_report_has_a_headline_and_a_sentence_has_none(searcher: Searcher) -> None:
    assert read(searcher, "Mail is down\n\nSince nine o'clock nobody can send.").headline == "Mail is down"
    assert read(searcher, "Mail is down\n\n").headline == read(searcher, "Mail is down").headline == ""


@pytest.mark.parametrize("text", ["", "  ", "?!", "\x00", "a\ud7ffb", "(" * 50, "'" * 9, "\\", ".*", "a" * 60_000])
def test_any_text_can_be_read(searcher: Searcher, text: str) -> None:
    read(searcher, text)
