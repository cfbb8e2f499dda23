"""What the bands of confidence are worth on a labelled set: how often they are right, and how often they speak."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from kb_service.confidence import Confidence, band
from kb_service.evaluation import FUSED, Answer, Evaluation

PAGE = 10
BANDS: tuple[Confidence, ...] = get_args(Confidence)


@dataclass(frozen=True, slots=True)
class BandReport:
    """Shares 0..1, None where there is nothing to take a share of.

    ``hits`` and ``precision`` count the hits of the first page of the answerable queries, by band;
    ``answerable_strong`` and ``unanswerable_strong`` are the shares of queries that get at least one strong hit.
    """

    hits: Mapping[Confidence, int]
    precision: Mapping[Confidence, float | None]
    answerable: int
    answerable_strong: float | None
    unanswerable: int
    unanswerable_strong: float | None


def report(evaluation: Evaluation, unanswerable: Sequence[Answer], strong: float) -> BandReport:
    """Judge the bands by a set's answers and by those to queries that have none in it."""
    right = dict.fromkeys(BANDS, 0)
    hits = dict.fromkeys(BANDS, 0)
    for answer, judged in zip(evaluation.answers, evaluation.labelled.judged, strict=True):
        for one, chance in zip(answer.rankings[FUSED][:PAGE], answer.chances[:PAGE], strict=True):
            of = band(chance, strong)
            hits[of] += 1
            right[of] += one in judged
    return BandReport(
        hits=hits,
        precision={of: right[of] / hits[of] if hits[of] else None for of in BANDS},
        answerable=len(evaluation.answers),
        answerable_strong=_with_strong(evaluation.answers, strong),
        unanswerable=len(unanswerable),
        unanswerable_strong=_with_strong(unanswerable, strong),
    )


def as_json(found: BandReport) -> dict[str, Any]:
    """Rounded, for ``kb eval --json``."""

    def rounded(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: rounded(one) for name, one in value.items()}
        return round(value, 4) if isinstance(value, float) else value

    return {name: rounded(value) for name, value in asdict(found).items()}


def _with_strong(answers: Sequence[Answer], strong: float) -> float | None:
    if not answers:
        return None
    return sum(any(band(chance, strong) == "strong" for chance in one.chances[:PAGE]) for one in answers) / len(answers)
