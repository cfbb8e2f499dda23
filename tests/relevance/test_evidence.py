"""What past incidents add on sets that other people labelled, and what they may cost where all of them mislead."""

from dataclasses import replace
from pathlib import Path

import pytest

from indexer import Encoder
from kb_service.confidence import STRONG
from kb_service.evaluation import FUSED, Evaluation, evaluate, opened
from kb_service.leave_one_out import LeaveOneOut, past_incidents
from tests.conftest import EVAL
from tests.relevance import calibrate
from tests.relevance.sets import ARTICLES, REPORTS, Development

pytestmark = [
    pytest.mark.relevance,
    pytest.mark.skipif(not EVAL.is_dir(), reason=f"the labelled sets are not at {EVAL}: nothing of them was asked"),
]


def with_and_without(
    development: Development, leave_out: str | None, encoder: Encoder, cache: Path
) -> tuple[Evaluation, Evaluation]:
    labelled = development.read()
    past = past_incidents(labelled, leave_out)
    with (
        opened(labelled, "articles", encoder, cache) as (searcher, _),
        opened(past, "incidents", encoder, cache) as (over_past, _),
    ):
        others = LeaveOneOut.over(labelled, past, over_past)
        # Of ten rephrasings of one question some tell as much as all
        asked = replace(labelled, queries=labelled.queries[:: 3 if len(labelled.queries) > 1_000 else 1])
        return evaluate(asked, searcher, 0, evidence=others.evidence), evaluate(asked, searcher, 0)


def test_where_reports_recur_their_articles_are_found_better(encoder: Encoder, model_cache: Path) -> None:
    found, plain = with_and_without(ARTICLES[2], None, encoder, model_cache)
    gain = found.difference({one.query.id: one.rankings[FUSED] for one in plain.answers})
    assert gain.intervals["ndcg@10"][0] > 0
    assert gain.metrics["success@1"] > 0.01


def test_where_every_report_is_of_something_else_little_is_lost(encoder: Encoder, model_cache: Path) -> None:
    """No alert has its runbook in common with another here, so that each past incident speaks for a wrong one."""
    found, plain = with_and_without(ARTICLES[1], "alert", encoder, model_cache)
    loss = found.difference({one.query.id: one.rankings[FUSED] for one in plain.answers})
    assert loss.metrics["ndcg@10"] > -0.015


def test_a_short_report_that_is_strong_is_of_the_same_matter(encoder: Encoder, model_cache: Path) -> None:
    development = REPORTS[0]
    with development.searcher(encoder, model_cache) as (labelled, searcher, _):
        every = calibrate.samples(development, labelled, searcher)
    fit = calibrate.stored_model(encoder.identity, "incidents")
    worth = calibrate.worth(fit, every, STRONG)
    assert worth.precision >= 0.9
    assert worth.answerable >= 0.6
    assert worth.unanswerable < 0.05
