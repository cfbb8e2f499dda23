"""What the other queries of a set add as past incidents: never the query itself, nor its variants."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.encoder import HashingEncoder
from kb_service.evaluation import evaluate, opened
from kb_service.labelled import LabelledSet, read_set
from kb_service.leave_one_out import LeaveOneOut, past_incidents
from kb_service.measures import METRICS
from tests import forked

CORPUS = {"driver": "Reinstall the driver", "power": "Look at the socket", "queue": "Restart the queue"}
# Two reports of one fault with the driver's article, which says none of their words, and two variants of one alert
QUERIES: dict[str, tuple[str, str, str]] = {
    "p1": ("printer prints strange characters\n\nin the mail room", "driver", "-1"),
    "p2": ("printer prints strange characters\n\nin the hall", "driver", "-2"),
    "p3": ("printer prints strange characters\n\non the second floor", "driver", "-3"),
    "q1": ("alarm NodeDown fires on host seven", "queue", "NodeDown"),
    "q2": ("alarm NodeDown fires on host eight", "queue", "NodeDown"),
    "q3": ("label of the parcel is shifted", "power", "Label"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tiny"
    made.mkdir()
    corpus = [{"_id": name, "title": text, "text": text} for name, text in CORPUS.items()]
    queries = [
        {"_id": name, "text": text, "alert": alert, "fault": fault} for name, (text, fault, alert) in QUERIES.items()
    ]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (made / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    judged = "".join(f"{name}\t{article}\t1\n" for name, (_, article, _) in QUERIES.items())
    (made / "qrels.tsv").write_text(judged)
    return made


@pytest.fixture
def labelled(folder: Path) -> LabelledSet:
    return read_set(folder)


def over(labelled: LabelledSet, folder: Path, leave_out: str | None = None) -> Iterator[LeaveOneOut]:
    past = past_incidents(labelled, leave_out)
    with opened(past, "incidents", HashingEncoder(), folder / "cache") as (searcher, _):
        yield LeaveOneOut.over(labelled, past, searcher)


@pytest.fixture
def others(labelled: LabelledSet, folder: Path) -> Iterator[LeaveOneOut]:
    yield from over(labelled, folder)


@pytest.fixture
def without_variants(labelled: LabelledSet, folder: Path) -> Iterator[LeaveOneOut]:
    yield from over(labelled, folder, "alert")


def heard(found: LeaveOneOut, name: str) -> dict[str, tuple[str, ...]]:
    query = next(query for query in found.labelled.queries if query.id == name)
    return {article: one.resolved for article, one in found.evidence(query).items()}


def test_queries_become_reports_that_ask_for_others_of_the_same_article(labelled: LabelledSet) -> None:
    past = past_incidents(labelled)
    assert (past.name, [one.id for one in past.documents]) == ("tiny: its queries", list(QUERIES))
    first = past.documents[0]
    assert (first.title, first.text) == ("printer prints strange characters", "in the mail room")
    assert {name: set(of) for name, of in past.relevant.items()} == {
        "p1": {"p2", "p3"}, "p2": {"p1", "p3"}, "p3": {"p1", "p2"}, "q1": {"q2"}, "q2": {"q1"}, "q3": set(),
    }  # fmt: skip
    assert [query.exclude for query in past.queries] == [frozenset({name}) for name in QUERIES]


def test_variants_are_left_out_together(labelled: LabelledSet) -> None:
    past = past_incidents(labelled, "alert")
    excluded = {query.id: query.exclude for query in past.queries}
    assert (excluded["q1"], excluded["q2"]) == (frozenset({"q1", "q2"}),) * 2
    assert excluded["p1"] == {"p1"}
    assert dict(past.relevant["q1"]) == {}


def test_the_others_speak_for_their_articles_and_a_query_never_for_itself(others: LeaveOneOut) -> None:
    assert set(heard(others, "p1")["driver"]) == {"p2", "p3"}
    assert heard(others, "q1") == {"queue": ("q2",)}
    assert "power" not in heard(others, "q3")


def test_what_was_left_out_says_nothing(without_variants: LeaveOneOut) -> None:
    assert "queue" not in heard(without_variants, "q1")
    assert set(heard(without_variants, "p1")["driver"]) == {"p2", "p3"}


def test_wrong_attachments_speak_for_the_wrong_article(others: LeaveOneOut) -> None:
    query = others.labelled.queries[0]
    right = others.evidence(query)["driver"]
    one_wrong = others.evidence(query, {"p2": "power"})
    assert (one_wrong["driver"].resolved, one_wrong["power"].resolved) == (("p3",), ("p2",))
    assert one_wrong["driver"].weight < right.weight
    all_wrong = others.evidence(query, {"p2": "power", "p3": "power"})
    assert all_wrong.keys() == {"power"}
    assert all_wrong["power"].weight == right.weight


def test_evidence_puts_the_article_of_the_like_of_it_first(
    labelled: LabelledSet, others: LeaveOneOut, folder: Path
) -> None:
    with opened(labelled, "articles", HashingEncoder(), folder / "cache") as (searcher, _):
        plain = evaluate(labelled, searcher, 0).summary()
        found = evaluate(labelled, searcher, 0, evidence=others.evidence).summary()
    assert found.metrics["ndcg@10"] > plain.metrics["ndcg@10"]


def test_the_command_says_what_it_adds(folder: Path, tmp_path: Path) -> None:
    def kb_eval(*options: str) -> "subprocess.CompletedProcess[str]":
        where = [str(folder), "--data", str(tmp_path / "data")]
        return forked.kb(["eval", *where, *options], {**os.environ, "KB_ENCODER": "hashing"})

    body: dict[str, Any] = json.loads(kb_eval("--evidence", "--json").stdout)
    assert body["evidence"].keys() == {"metrics", "intervals", "gain"}
    assert body["evidence"]["metrics"].keys() == body["evidence"]["gain"]["metrics"].keys() == set(METRICS)
    assert body["evidence"]["gain"].keys() == {"metrics", "intervals"}
    assert body["evidence"]["gain"]["metrics"]["ndcg@10"] > 0
    gain = body["evidence"]["metrics"]["ndcg@10"] - body["metrics"]["ndcg@10"]
    assert body["evidence"]["gain"]["metrics"]["ndcg@10"] == pytest.approx(gain, abs=1e-3)
    left_out = json.loads(kb_eval("--evidence", "--leave-out", "fault", "--json").stdout)
    assert left_out["evidence"]["metrics"]["ndcg@10"] < body["evidence"]["metrics"]["ndcg@10"]
    printed = kb_eval("--evidence").stdout
    assert "with evidence" in printed
    assert "what evidence adds" in printed
