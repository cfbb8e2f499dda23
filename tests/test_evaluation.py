"""The search measured on a small set: by the command as it is used, and piece by piece."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from indexer.encoder import HashingEncoder
from kb_service import bands
from kb_service.evaluation import FUSED, Answer, Evaluation, evaluate, opened
from kb_service.labelled import LabelledQuery, LabelledSet, read_run, read_set
from kb_service.measures import METRICS
from kb_service.ranking import LANES
from tests import forked

BLANK = "doc 7?x"
ZERO = {"metrics": dict.fromkeys(METRICS, 0.0), "intervals": {name: [0.0, 0.0] for name in METRICS}}
Run = Callable[..., subprocess.CompletedProcess[str]]


def lay(folder: Path, mail: str = BLANK) -> None:
    """Three judged queries, two of them answered right, of which one shares its document with the one that is not."""
    corpus = [
        {"_id": mail, "path": "runbooks/mail.md", "title": "Mail queue stuck", "text": "Restart it. Code 0x80070005."},
        {"_id": 13404344, "title": "Printer offline", "text": "A printer is offline after a driver update."},
        {"_id": "twin", "title": "Printer offline", "text": "A printer is offline after a driver update, again."},
        {"_id": "old", "title": "Password", "text": "---\nid: other\nowner: zeppelin\n---\nReset a password."},
    ]
    queries: list[dict[str, Any]] = [
        {"_id": "q1", "text": "mail queue stuck", "kind": "short"},
        {"_id": 2, "text": "printer offline", "kind": "long", "exclude": ["twin"]},
        {"_id": "q3", "text": "printer offline"},
        {"_id": "q4", "text": "judged by nobody", "kind": "short"},
    ]
    folder.mkdir()
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "qrels.tsv").write_text(f"q1\t{mail}\t1\n2\t13404344\t1\n2\ttwin\t1\nq3\t{mail}\t1\n")


@pytest.fixture
def kb_eval(tmp_path: Path) -> Run:
    (tmp_path / "temporary").mkdir()
    lay(tmp_path / "tiny")
    settings = {**os.environ, "KB_ENCODER": "hashing", "TMPDIR": str(tmp_path / "temporary")}

    def run(*arguments: str | Path, folder: str = "tiny") -> subprocess.CompletedProcess[str]:
        where = [str(tmp_path / folder), "--data", str(tmp_path / "data")]
        return forked.kb(["eval", *where, *map(str, arguments)], settings)

    return run


def body_of(done: subprocess.CompletedProcess[str]) -> Any:
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_json_is_a_contract(kb_eval: Run, tmp_path: Path) -> None:
    body = body_of(kb_eval("--json"))
    assert (body["set"], body["docs"], body["queries"]) == ("tiny", 4, 3)
    assert body["metrics"] == dict.fromkeys(METRICS, 0.6667)
    # two queries share a document and are drawn together, so that no draw has less than half of them right
    assert body["intervals"] == {name: [0.5, 1.0] for name in METRICS}
    for lane in LANES:
        assert body["lanes"][lane] == {**body["metrics"], "intervals": body["intervals"]}
    assert 0 < body["query_ms"]["p50"] <= body["query_ms"]["p95"]
    assert 0 <= body["index_seconds"] < 60
    assert [*(tmp_path / "temporary").iterdir(), *(tmp_path / "data").glob("index*")] == []


def test_each_lane_is_measured_by_itself(kb_eval: Run, tmp_path: Path) -> None:
    (tmp_path / "tiny" / "queries.jsonl").write_text('{"_id": "q1", "text": "xmailxqueuexstuckx"}')
    lanes = body_of(kb_eval("--json"))["lanes"]
    assert (lanes["words"]["map"], lanes["meaning"]["map"]) == (0, 1)


def test_metrics_are_split_by_a_field_of_the_queries(kb_eval: Run) -> None:
    split = body_of(kb_eval("--json", "--by", "kind"))["by"]["kind"]
    found = {value: (of["queries"], of["metrics"]["map"], of["intervals"]["map"]) for value, of in split.items()}
    assert found == {"short": (1, 1, [1, 1]), "long": (1, 1, [1, 1]), "-": (1, 0, [0, 0])}


@pytest.mark.parametrize("mail", ["./7%?//x.md", BLANK])
def test_a_run_has_the_ids_of_the_corpus_and_can_be_compared_with(kb_eval: Run, tmp_path: Path, mail: str) -> None:
    lay(tmp_path / "other", mail)
    run, short = tmp_path / "a.run", tmp_path / "short.run"
    body_of(kb_eval("--json", "--run", run, folder="other"))
    assert {query: ids[0] for query, ids in read_run(run).items()} == {"q1": mail, "2": "13404344", "q3": "13404344"}
    assert body_of(kb_eval("--json", "--compare", run, folder="other"))["compared"] == {"run": str(run), **ZERO}
    short.write_text(run.read_text("utf-8").split("\n", 1)[1], "utf-8")
    assert body_of(kb_eval("--json", "--compare", short, folder="other"))["compared"]["metrics"]["map"] == 0.3333


def test_incidents_are_plain_text_and_articles_are_markdown(kb_eval: Run, tmp_path: Path) -> None:
    (tmp_path / "tiny" / "queries.jsonl").write_text('{"_id": "q", "text": "zeppelin"}')
    (tmp_path / "tiny" / "qrels.tsv").write_text("q\told\t1\n")
    assert body_of(kb_eval("--json", "--as", "incidents"))["metrics"]["success@1"] == 1
    assert body_of(kb_eval("--json"))["metrics"]["success@1"] == 0


def test_queries_without_an_answer_are_asked_too(kb_eval: Run, tmp_path: Path) -> None:
    code, file = "0x80070005", tmp_path / "none.jsonl"
    asked = [(code, []), (code, [BLANK]), ("wombat", []), ("", [])]
    rows = [{"_id": number, "text": text, "exclude": exclude} for number, (text, exclude) in enumerate(asked)]
    file.write_text("\n".join(map(json.dumps, rows)))
    body = body_of(kb_eval("--json", "--unanswerable", file))
    counted = [body["confidence"][name] for name in ("unanswerable", "unanswerable_strong", "answerable")]
    assert [*counted, body["queries"]] == [4, 0.25, 3, 3]
    assert body_of(kb_eval("--json"))["confidence"]["unanswerable_strong"] is None


def test_a_person_reads_each_lane_and_split_in_a_table(kb_eval: Run, tmp_path: Path) -> None:
    (tmp_path / "a.run").write_text("q1 Q0 x 1 1 t\n")
    done = kb_eval("--by", "kind", "--compare", tmp_path / "a.run")
    assert (done.returncode, done.stderr, "tiny: 4 documents, 3 queries" in done.stdout) == (0, "", True)
    for row in ("fused", "words", "meaning", "kind=lo", "fused less"):
        assert re.search(rf"│ {row}[^│]*│ +\d\.\d{{3}} │", done.stdout), row
    assert re.search(r"[\d.]+% of 3 answerable queries get a strong hit", done.stdout)
    assert "unanswerable" not in done.stdout


def test_a_table_is_whole_where_the_output_is_no_terminal(kb_eval: Run) -> None:
    assert kb_eval().stdout.count("0.500–1.000") == len(METRICS) * (1 + len(LANES))


def test_brackets_are_printed_as_they_are(kb_eval: Run, tmp_path: Path) -> None:
    (tmp_path / "tiny" / "queries.jsonl").write_text('{"_id": "q1", "text": "mail", "k": "[/b]"}')
    assert "k=[/b]" in kb_eval("--by", "k").stdout


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("tiny/corpus.jsonl", '{"_id": "a"}\n{"_id": \n', "corpus.jsonl:2: broken JSON"),
        ("tiny/qrels.tsv", "q1\tc\t1\nq1\tnonsense\n", "qrels.tsv:2: 'q1"),
        ("a.run", "q1 Q0 c 1 1.0 t\nnonsense\n", "a.run:2: is no line of a TREC run"),
        ("none.jsonl", "\n[]\n", "none.jsonl:2: is no JSON object"),
    ],
)
def test_a_wrong_file_is_told_at_once(kb_eval: Run, tmp_path: Path, name: str, content: str, says: str) -> None:
    run, none = tmp_path / "a.run", tmp_path / "none.jsonl"
    for file, text in ((run, ""), (none, ""), (tmp_path / name, content)):
        file.write_text(text)
    done = kb_eval("--json", "--compare", run, "--unanswerable", none)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"kb: {(tmp_path / name).parent}/{says}")
    assert not (tmp_path / "data").exists()


def test_wrong_use_is_not_a_wrong_file(kb_eval: Run) -> None:
    wrong, missing = kb_eval("--as", "nonsense"), kb_eval(folder="no")
    assert (wrong.returncode, "none of articles, incidents" in wrong.stderr) == (2, True)
    assert (missing.returncode, "there is no folder" in missing.stderr) == (3, True)


def test_what_a_query_excludes_is_found_by_no_lane(tmp_path: Path) -> None:
    lay(tmp_path / "tiny")
    labelled = read_set(tmp_path / "tiny")
    free = LabelledSet("free", labelled.documents, (LabelledQuery("2", "printer offline"),), {"2": {"twin": 1}})
    with opened(labelled, "articles", HashingEncoder(), tmp_path) as (searcher, seconds):
        (_, bound, _), (unbound,) = (evaluate(one, searcher, seconds).answers for one in (labelled, free))
    for name in (FUSED, *LANES):
        assert (bound.rankings[name][0], "twin" in bound.rankings[name]) == ("13404344", False)
        assert {"13404344", "twin"} <= set(unbound.rankings[name])


def by_hand(answers: Mapping[str, list[tuple[str, float]]], excluded: str = "") -> Evaluation:
    """Answers of ids and their probabilities; relevant to a query is the document that has its id."""
    queries = tuple(LabelledQuery(one, one, frozenset([excluded])) for one in answers)
    labelled = LabelledSet("hand", (), queries, {one: {one: 1} for one in answers})
    found = enumerate(zip(queries, map(dict, answers.values()), strict=True), 1)
    asked = tuple(Answer(query, {FUSED: [*hits]}, [*hits.values()], took) for took, (query, hits) in found)
    return Evaluation(labelled, asked, 1.0)


def test_bands_are_judged_by_the_hits_of_first_pages() -> None:
    later = [(f"x{number}", 0.1) for number in range(9)]
    found = by_hand({"a": [("a", 0.9), ("x", 0.8), ("y", 0.5)], "b": [("x", 0.5), *later, ("b", 0.95)], "c": []})
    sure = bands.report(found, [*found.answers[:2], found.answers[2], found.answers[2]], strong=0.8)
    assert (sure.hits, sure.answerable, sure.unanswerable) == ({"strong": 2, "medium": 2, "weak": 9}, 3, 4)
    assert sure.precision == {"strong": 0.5, "medium": 0, "weak": 0}
    assert [bands.as_json(sure)[f"{name}answerable_strong"] for name in ("", "un")] == [0.3333, 0.25]
    strict = bands.report(found, [], strong=0.96)
    assert (strict.precision["strong"], strict.answerable_strong, strict.unanswerable_strong) == (None, 0, None)


def test_a_difference_is_ours_less_theirs_and_what_is_excluded_counts_for_neither() -> None:
    found = by_hand({"a": [("a", 0.5)], "b": [("b", 0.5)]}, excluded="own")
    difference = found.difference({"a": ["own", "a"], "b": ["x", "b"]})
    assert (difference.queries, difference.metrics["success@1"], difference.metrics["mrr@10"]) == (2, 0.5, 0.25)
    assert difference.intervals["mrr@10"] == (0.0, 0.5)
    assert found.milliseconds() == {"p50": 1.5, "p95": 1.95}
    assert found.difference({}).metrics == dict.fromkeys(METRICS, 1.0)
