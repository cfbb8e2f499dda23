"""Which questions an article answers, before a change and after it: pure functions over both answers to each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kb_service.confidence import Confidence
from kb_service.golden import GoldenQuery

QuestionKind = Literal["golden", "incident", "search"]
Outcome = Literal["held", "broken", "failed before, too"]

# A reader looks at so many hits; a golden query must find its article among them
FIRST = 3
_KINDS: tuple[QuestionKind, ...] = ("golden", "incident", "search")


@dataclass(frozen=True, slots=True)
class Question:
    """What was, or is to be, asked: a golden query, an incident by its ``number``, a search asked so many ``times``."""

    kind: QuestionKind
    text: str
    number: str = ""
    times: int = 1
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an article stands in an answer: its rank from 1, and how sure it is."""

    rank: int
    confidence: Confidence

    @property
    def answers(self) -> bool:
        """Whether a reader is helped by it: among the first, and not only weakly."""
        return self.rank <= FIRST and self.confidence != "weak"

    def __str__(self) -> str:
        return f"{self.rank} {self.confidence}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The articles found for a question, best first, and how sure each is."""

    ids: tuple[str, ...]
    confidences: tuple[Confidence, ...]

    def place(self, article: str) -> Place | None:
        """Where an article is; None where it is not found."""
        if article not in self.ids:
            return None
        at = self.ids.index(article)
        return Place(at + 1, self.confidences[at])

    def answering(self) -> frozenset[str]:
        """The articles that answer."""
        return frozenset(article for article in self.ids[:FIRST] if (at := self.place(article)) and at.answers)

    def renamed(self, names: Mapping[str, str]) -> "Answer":
        """The same under the names that the articles have now."""
        return Answer(tuple(names.get(one, one) for one in self.ids), self.confidences)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answer before and after, both under the names of after."""

    question: Question
    before: Answer
    after: Answer


@dataclass(frozen=True, slots=True)
class Move:
    """How one article's place in one answer changes.

    ``instead`` is the article that is first now, where another is and this one answers no longer.
    """

    question: Question
    before: Place | None
    after: Place | None
    instead: str = ""

    @property
    def is_of_rank(self) -> bool:
        """Whether it is another rank, and not only less or more sure."""
        return self.before is None or self.after is None or self.before.rank != self.after.rank


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does to one article: questions that it would answer now, and no longer.

    ``kept`` counts those that it answers as before, ``higher`` and ``lower`` those of them at another rank.
    """

    gained: tuple[Move, ...] = ()
    lost: tuple[Move, ...] = ()
    kept: int = 0
    higher: int = 0
    lower: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a golden query. ``article`` is its article's id now; ``first`` are the ids found first now.

    ``hidden`` says why no search finds it, if it is not to be found at all.
    """

    golden: GoldenQuery
    article: str
    outcome: Outcome
    before: Place | None
    after: Place | None
    first: tuple[str, ...]
    hidden: str = ""


def effects(asked: Iterable[Asked]) -> dict[str, Effect]:
    """Of each article that answers any of the questions, before or after."""
    gained: dict[str, list[Move]] = {}
    lost: dict[str, list[Move]] = {}
    kept: dict[str, list[int]] = {}
    for one in asked:
        before, after = one.before.answering(), one.after.answering()
        first = one.after.ids[:1]
        for article in before | after:
            was, now = one.before.place(article), one.after.place(article)
            if article in before and article in after and was and now:
                kept.setdefault(article, []).append(was.rank - now.rank)
            elif article in after:
                gained.setdefault(article, []).append(Move(one.question, was, now))
            else:
                instead = "" if first == (article,) else "".join(first)
                lost.setdefault(article, []).append(Move(one.question, was, now, instead))
    return {
        article: Effect(
            gained=_telling_first(gained.get(article, [])),
            lost=_telling_first(lost.get(article, [])),
            kept=len(ranks := kept.get(article, [])),
            higher=sum(rank > 0 for rank in ranks),
            lower=sum(rank < 0 for rank in ranks),
        )
        for article in {*gained, *lost, *kept}
    }


def verdict(golden: GoldenQuery, article: str, asked: Asked, *, is_new: bool, hidden: str = "") -> Verdict:
    """Whether a golden query still finds its article among the first.

    It is broken where it did so before, or is new. One that did not is said, and nobody's fault who changes another
    article.
    """
    was, now = asked.before.place(article), asked.after.place(article)
    if now and now.rank <= FIRST:
        outcome: Outcome = "held"
    else:
        outcome = "broken" if is_new or (was and was.rank <= FIRST) else "failed before, too"
    return Verdict(golden, article, outcome, was, now, asked.after.ids[:FIRST], hidden)


def _telling_first(moves: Sequence[Move]) -> tuple[Move, ...]:
    """Golden queries, then incidents, then searches by how often they were asked; each from the best rank on."""

    def key(move: Move) -> tuple[int, int, int, str]:
        ranks = [place.rank for place in (move.before, move.after) if place]
        return _KINDS.index(move.question.kind), min(ranks), -move.question.times, move.question.text

    return tuple(sorted(moves, key=key))
