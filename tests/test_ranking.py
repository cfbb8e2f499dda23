"""Pure functions: an order and a band."""

from indexer.snapshot import Candidate, Found
from kb_service.ranking import rank


def order(*candidates: Candidate, holders: dict[str, int] | None = None, terms: int = 4) -> list[str]:
    found = Found(candidates, visible=100, holders=holders or {}, words_ceiling=10.0)
    return [hit.candidate.owner_id for hit in rank(found, terms)]


def test_agreement_of_the_lanes_wins() -> None:
    both = Candidate("both", article_words=8, passage_meaning=0.7)
    words = Candidate("words", article_words=9, passage_meaning=0.3)
    meaning = Candidate("meaning", article_words=0, passage_meaning=0.72)
    assert order(words, meaning, both)[0] == "both"


def test_a_rare_identifier_outweighs_the_rest_and_a_common_one_does_not() -> None:
    holder = Candidate("holder", article_words=1, passage_meaning=0.1, exact=("0x80070005",))
    other = Candidate("other", article_words=9, passage_meaning=0.8)
    assert order(other, holder, holders={"0x80070005": 1})[0] == "holder"
    assert order(other, holder, holders={"0x80070005": 60})[0] == "other"
    assert order(other, holder, holders={"0x80070005": 1}, terms=60)[0] == "other"


def test_ties_are_always_in_the_same_order() -> None:
    twins = [Candidate(name, article_words=3, passage_meaning=0.5) for name in ("b", "a", "c")]
    assert order(*twins) == order(*reversed(twins)) == ["a", "b", "c"]


def test_words_alone_make_an_order_while_vectors_are_missing() -> None:
    assert order(Candidate("less", article_words=2), Candidate("more", article_words=6)) == ["more", "less"]


def test_nothing_is_nothing() -> None:
    assert order() == []


def test_bands_follow_likeness_and_not_the_place() -> None:
    def band(candidate: Candidate) -> str:
        return rank(Found((candidate,), 100, {"x": 1}, 10.0), 4)[0].confidence

    assert band(Candidate("a", article_words=9, passage_meaning=0.8)) == "strong"
    assert band(Candidate("a", article_words=4, passage_meaning=0.5)) == "medium"
    assert band(Candidate("a", article_words=0.5, passage_meaning=0.2)) == "weak"
    assert band(Candidate("a", passage_meaning=0.1, exact=("x",))) == "strong"
