"""Pure functions: an order."""

import pytest

from indexer.candidates import Candidate, Candidates
from indexer.language import Code, language_of
from indexer.retrieval import Found
from kb_service.ranking import STEADY_MARGIN, Lane, in_steady_order, rank, words_trust


def found(*candidates: Candidate, holders: dict[str, int] | None = None, terms: int = 4) -> Found:
    return Found(Candidates.of(candidates), visible=100, holders=holders or {}, asked=terms, words_ceiling=10.0)


def order(
    *candidates: Candidate, holders: dict[str, int] | None = None, terms: int = 4, lanes: tuple[Lane, ...] | None = None
) -> list[str]:
    what = found(*candidates, holders=holders, terms=terms)
    return (rank(what, lanes=lanes) if lanes else rank(what)).ids


BOTH = Candidate("both", article_words=8, passage_meaning=0.7)
WORDS = Candidate("words", article_words=9, passage_meaning=0.3)
MEANING = Candidate("meaning", article_words=0, passage_meaning=0.72)


def test_agreement_of_the_lanes_wins() -> None:
    assert order(WORDS, MEANING, BOTH)[0] == "both"


def test_a_lane_alone_is_asked_of_that_lane_alone() -> None:
    assert order(WORDS, MEANING, BOTH, lanes=("words",)) == ["words", "both"]
    assert order(WORDS, MEANING, BOTH, lanes=("meaning",)) == ["meaning", "both", "words"]


def test_a_rare_identifier_outweighs_the_rest_and_a_common_one_does_not() -> None:
    holder = Candidate("holder", article_words=1, passage_meaning=0.1, exact=("0x80070005",))
    other = Candidate("other", article_words=30, title_words=30, title_share=1, passage_meaning=0.9, title_meaning=0.9)
    assert order(other, holder, holders={"0x80070005": 1})[0] == "holder"
    assert order(other, holder, holders={"0x80070005": 60})[0] == "other"


def test_more_of_the_identifiers_that_are_asked_for_come_first() -> None:
    one = Candidate("one", article_words=30, passage_meaning=0.9, exact=("ora-01017",))
    two = Candidate("two", exact=("ora-01017", "0x80070005"))
    assert order(one, two, holders={"ora-01017": 2, "0x80070005": 1}) == ["two", "one"]


def test_what_is_called_by_an_identifier_goes_before_what_mentions_it() -> None:
    mentions = Candidate("mentions", article_words=9, passage_meaning=0.8, exact=("etcdnoleader",))
    called = Candidate("called", article_words=4, passage_meaning=0.5, exact=("etcdnoleader",), named=("etcdnoleader",))
    assert order(mentions, called, holders={"etcdnoleader": 2}) == ["called", "mentions"]


def test_in_a_long_text_only_assigned_codes_and_an_article_s_very_name_go_first() -> None:
    best = Candidate("best", article_words=9, passage_meaning=0.8)
    for code, named, first in (
        ("ora-01017", (), "holder"),
        ("etcdnoleader", (), "best"),
        ("etcdnoleader", ("etcdnoleader",), "holder"),
    ):
        holder = Candidate("holder", passage_meaning=0.3, exact=(code,), named=named)
        assert order(best, holder, holders={code: 2}, terms=60)[0] == first


def test_ties_are_always_in_the_same_order() -> None:
    twins = [Candidate(name, article_words=3, passage_meaning=0.5) for name in ("b", "a", "c")]
    assert order(*twins) == order(*reversed(twins)) == ["a", "b", "c"]


def test_words_alone_make_an_order_while_vectors_are_missing() -> None:
    assert order(Candidate("less", article_words=2), Candidate("more", article_words=6)) == ["more", "less"]


def test_what_is_not_encoded_yet_has_its_place_by_its_words_among_what_is() -> None:
    says_all, says_little = Candidate("all", article_words=9, title_share=1), Candidate("little", article_words=1)
    assert order(BOTH, says_all, MEANING, says_little) == ["all", "both", "meaning", "little"]
    assert order(BOTH, says_all, MEANING, lanes=("meaning",)) == ["meaning", "both"]
    (first, *_) = rank(found(BOTH, says_all, MEANING))
    assert first.parts["awaited_meaning"] > 0
    assert first.likeness == pytest.approx(first.score)
    assert "awaited_meaning" not in rank(found(BOTH, MEANING))[0].parts


def test_nothing_is_nothing() -> None:
    assert order() == []


@pytest.mark.parametrize(
    ("terms", "common", "code", "trust"),
    [
        (1, 0.0, "en", 1.0), (3, 0.0, "en", 1.0), (7, 0.5, "en", 0.2), (35, 0.3, "en", 1.0), (100, 0.5, "en", 1.0),
        (5, 0.1, "en", 0.5), (7, 0.5, "de", 0.5), (3, 0.0, "de", 1.0), (28, 0.5, "fr", 0.8),
    ],
)  # fmt: skip
def test_words_tell_much_as_keywords_and_in_long_texts_and_little_in_a_question(
    terms: int, common: float, code: Code, trust: float
) -> None:
    assert words_trust(terms, common, language_of(code)) == pytest.approx(trust)


def test_what_is_shown_keeps_its_place_while_typing_unless_another_is_better_by_a_margin() -> None:
    def steady(*shown: str, **scores: float) -> list[str]:
        ids = sorted(scores, key=lambda name: -scores[name])
        return [ids[place] for place in in_steady_order(ids, [scores[name] for name in ids], shown)]

    a_little, much = STEADY_MARGIN / 2, STEADY_MARGIN * 2
    assert steady(a=1.0, b=1.0 + a_little) == ["b", "a"]
    assert steady("a", "b", a=1.0, b=1.0 + a_little) == ["a", "b"]
    assert steady("a", "b", a=1.0, b=1.0 + much) == ["b", "a"]
    assert steady("a", "gone", a=1.0, new=1.0 + a_little) == ["a", "new"]
    assert steady("a", a=1.0, new=1.0 + much) == ["new", "a"]
    assert steady("b", "a", a=1.0, b=1.0 - a_little, c=0.2) == ["b", "a", "c"]


def test_a_hit_says_what_its_score_is_the_sum_of() -> None:
    hits = rank(found(BOTH, MEANING), bonuses={"both": {"evidence": 0.1}})
    assert sum(hits[0].parts.values()) == pytest.approx(hits[0].score)
    assert (hits[0].candidate, hits[0].parts["evidence"]) == (BOTH, 0.1)
    assert hits[0].likeness == pytest.approx(hits.likeness[0])
    assert "evidence" not in hits[1].parts
    assert [hit.candidate for hit in hits[:5]] == [BOTH, MEANING]


def test_what_became_known_since_puts_hits_in_another_order() -> None:
    hits = rank(found(WORDS, BOTH))
    again = hits.with_bonuses({"words": {"recency": 5.0}})
    assert (hits.ids, again.ids) == (["both", "words"], ["words", "both"])
    assert again[0].parts == {**hits[1].parts, "recency": 5.0}
    assert again[0].score == pytest.approx(hits[1].score + 5.0)


def test_columns_give_back_what_was_put_in() -> None:
    every = (
        BOTH,
        Candidate("c", 1, 2, 3, 0.5, 2, None, 0.25, None, 7, None, 9, ("ora-01017",), ("ora-01017",), True),
        Candidate("nothing"),
    )
    assert tuple(Candidates.of(every)) == every
