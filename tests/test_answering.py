"""Answers to the same questions, before and after: what an article answers now, and no longer."""

import pytest

from kb_service.answering import Answer, Asked, Effect, Place, Question, effects, verdict
from kb_service.confidence import Confidence
from kb_service.golden import GoldenQuery

QUESTION = Question("search", "tunnel")


def answer(*found: tuple[str, Confidence]) -> Answer:
    return Answer(tuple(one for one, _ in found), tuple(confidence for _, confidence in found))


def test_only_the_first_three_answer_and_not_weakly() -> None:
    found = answer(("a", "strong"), ("b", "weak"), ("c", "medium"), ("d", "strong"))
    assert found.answering() == {"a", "c"}
    assert (found.place("d"), found.place("e")) == (Place(4, "strong"), None)


def test_moves_and_what_stays() -> None:
    before = answer(("a", "strong"), ("b", "medium"), ("c", "medium"))
    after = answer(("b", "strong"), ("a", "medium"), ("c", "weak"), ("d", "weak"))
    found = effects([Asked(QUESTION, before, after)])
    assert (found["a"].kept, found["a"].higher, found["a"].lower) == (1, 0, 1)
    assert (found["b"].kept, found["b"].higher, found["b"].lower) == (1, 1, 0)
    (lost,) = found["c"].lost
    assert (lost.before, lost.after, lost.instead) == (Place(3, "medium"), Place(3, "weak"), "b")
    assert not lost.is_of_rank
    assert "d" not in found


def test_what_is_less_sure_but_still_first_has_nothing_in_its_place() -> None:
    found = effects([Asked(QUESTION, answer(("a", "strong")), answer(("a", "weak")))])
    assert [move.instead for move in found["a"].lost] == [""]
    found = effects([Asked(QUESTION, answer(("a", "strong")), answer())])
    assert [move.instead for move in found["a"].lost] == [""]


def test_golden_queries_come_first_then_incidents_then_what_is_searched_most() -> None:
    questions = [
        Question("search", "seldom"),
        Question("search", "often", times=9),
        Question("incident", "text", "INC1"),
        Question("golden", "wanted"),
    ]
    found = effects([Asked(one, answer(), answer(("a", "strong"))) for one in questions])
    assert [move.question.text for move in found["a"].gained] == ["wanted", "text", "often", "seldom"]
    assert found["a"] == Effect(found["a"].gained)


@pytest.mark.parametrize(
    ("before", "after", "is_new", "outcome"),
    [
        (4, 3, False, "held"),
        (None, 1, True, "held"),
        (3, 4, False, "broken"),
        (1, None, False, "broken"),
        (None, 4, True, "broken"),
        (4, 5, False, "failed before, too"),
        (None, None, False, "failed before, too"),
    ],
)
def test_the_verdict(before: int | None, after: int | None, is_new: bool, outcome: str) -> None:
    def at(rank: int | None) -> Answer:
        others: list[tuple[str, Confidence]] = [(f"other{number}", "weak") for number in range((rank or 1) - 1)]
        return answer(*others, ("a", "weak")) if rank else answer()

    asked = Asked(Question("golden", "x"), at(before), at(after))
    found = verdict(GoldenQuery("x", "a"), "a", asked, is_new=is_new)
    assert found.outcome == outcome
    assert (found.before and found.before.rank, found.after and found.after.rank) == (before, after)
