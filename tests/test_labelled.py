"""Labelled sets and runs as other people's tools write them, and what is said of broken ones."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_service.labelled import LabelledSetError, read_queries, read_run, read_set, write_run

HEADER = "query-id\tcorpus-id\tscore\n"
CORPUS: tuple[dict[str, Any], ...] = ({"_id": "d1", "title": "One", "text": "first"}, {"_id": "d2", "text": "second"})
QUERIES: tuple[dict[str, Any], ...] = ({"_id": "q1", "text": "one?"}, {"_id": "q2", "text": "two?"})
QRELS = "q1\td1\t1\nq2\td2\t2\n"
JUDGED = {"q1": {"d1": 1}, "q2": {"d2": 2}}


def jsonl(rows: Sequence[Mapping[str, Any]], end: str = "\n") -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + end for row in rows).encode()


def lay(folder: Path, qrels: str = QRELS, **files: bytes) -> Path:
    """A set in a folder; ``corpus`` and ``queries`` may be given as they are to stand in their files."""
    (folder / "corpus.jsonl").write_bytes(files.get("corpus", jsonl(CORPUS)))
    (folder / "queries.jsonl").write_bytes(files.get("queries", jsonl(QUERIES)))
    (folder / "qrels.tsv").write_text(qrels, "utf-8", newline="")
    return folder


def fault(folder: Path) -> str:
    with pytest.raises(LabelledSetError) as raised:
        read_set(folder)
    return str(raised.value)


def test_a_set_is_read_whole(tmp_path: Path) -> None:
    found = read_set(lay(tmp_path))
    assert found.name == tmp_path.name
    assert [(one.id, one.title, one.text) for one in found.documents] == [("d1", "One", "first"), ("d2", "", "second")]
    assert [(one.id, one.text, one.exclude) for one in found.queries] == [
        ("q1", "one?", frozenset()),
        ("q2", "two?", frozenset()),
    ]
    assert found.relevant == JUDGED
    assert found.judged == [{"d1": 1}, {"d2": 2}]


@pytest.mark.parametrize("header", ["", HEADER, "query-id\tcorpus-id\tscore \r\n"])
def test_a_header_line_may_be_there_or_not(tmp_path: Path, header: str) -> None:
    assert read_set(lay(tmp_path, header + QRELS)).relevant == JUDGED


def test_judgements_are_found_where_beir_keeps_them_too(tmp_path: Path) -> None:
    lay(tmp_path, HEADER + QRELS)
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels.tsv").rename(tmp_path / "qrels" / "test.tsv")
    assert read_set(tmp_path).relevant == JUDGED
    (tmp_path / "qrels.tsv").write_text("q1\td2\t1\n")
    assert read_set(tmp_path).relevant == {"q1": {"d2": 1}}


def test_blank_lines_and_the_line_ends_of_windows_count_for_nothing(tmp_path: Path) -> None:
    corpus, queries = jsonl(CORPUS, "\r\n\r\n"), b"\r\n" + jsonl(QUERIES, "\r\n")
    found = read_set(lay(tmp_path, (HEADER + QRELS).replace("\n", "\r\n \r\n"), corpus=corpus, queries=queries))
    assert found.relevant == JUDGED
    assert [one.text for one in found.documents] == ["first", "second"]


def test_ids_that_are_numbers_are_the_ids_that_the_judgements_name(tmp_path: Path) -> None:
    corpus, queries = [{"_id": 13404344}, {"_id": 0}], [{"_id": 7, "text": "x", "exclude": [0]}]
    found = read_set(lay(tmp_path, "7\t13404344\t1\n7\t0\t1\n", corpus=jsonl(corpus), queries=jsonl(queries)))
    assert [one.id for one in found.documents] == ["13404344", "0"]
    assert found.queries[0].exclude == {"0"}
    assert found.relevant == {"7": {"13404344": 1}}


def test_queries_without_a_relevant_document_are_left_out(tmp_path: Path) -> None:
    queries = [*QUERIES, {"_id": "unjudged"}, {"_id": "not relevant"}, {"_id": "own", "exclude": ["d1"]}]
    qrels = QRELS + "not relevant\td1\t0\nnot relevant\td2\t-1\nown\td1\t1\nno such query\td1\t1\n"
    found = read_set(lay(tmp_path, qrels, queries=jsonl(queries)))
    assert [one.id for one in found.queries] == ["q1", "q2"]
    assert found.relevant == JUDGED


def test_other_fields_of_a_query_are_kept(tmp_path: Path) -> None:
    lay(tmp_path, queries=jsonl([{"_id": "q1", "text": None, "kind": "short", "n": 3}]))
    (query,) = read_queries(tmp_path / "queries.jsonl")
    assert (query.text, query.fields["kind"], query.fields["n"]) == ("", "short", 3)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("corpus.jsonl", b'{"_id": "d1"}\n\n{"_id": "d2"\n', "corpus.jsonl:3: broken JSON"),
        ("corpus.jsonl", b'{"_id": "d1"}\n["d2"]\n', "corpus.jsonl:2: is no JSON object"),
        ("corpus.jsonl", b'{"_id": "d1"}\n{"_id": "d1"}\n', "corpus.jsonl:2: the id 'd1' stands twice"),
        ("corpus.jsonl", b'{"_id": 1}\n{"_id": "1"}\n', "corpus.jsonl:2: the id '1' stands twice"),
        ("corpus.jsonl", b'{"title": "no id"}\n', "corpus.jsonl:1: has no '_id'"),
        ("corpus.jsonl", b'{"_id": ""}\n', "corpus.jsonl:1: has no '_id'"),
        ("corpus.jsonl", b'\n{"_id": "d1", "text": "caf\xe9"}\n', "corpus.jsonl:2: is not UTF-8"),
        ("queries.jsonl", b'\r\n{"_id": "q1"}\r\n{"_id": "q1"}', "queries.jsonl:3: the id 'q1' stands twice"),
        ("queries.jsonl", b'{"_id": "q1", "exclude": "d1"}', "queries.jsonl:1: 'exclude' is not a list"),
        ("qrels.tsv", b"q1\td1\t1\nq2\td2\n", "qrels.tsv:2: 'q2\td2' is no judgement"),
        ("qrels.tsv", b"q1\td1\t1\n\nq2\td2\tyes\n", "qrels.tsv:3: 'q2\td2\tyes' is no judgement"),
        ("qrels.tsv", b"query-id corpus-id score\nq1 d1 1\n", "qrels.tsv:2: 'q1 d1 1' is no judgement"),
        ("qrels.tsv", b"", "no query has a relevant document"),
        ("qrels.tsv", b"q9\td1\t1\n", "no query has a relevant document"),
        ("queries.jsonl", b"", "no query has a relevant document"),
        ("corpus.jsonl", b'{"_id": null}\n', "corpus.jsonl:1: has no '_id'"),
        ("qrels.tsv", b"q1\td1\t1.5\nq2\td2\t1\n", "qrels.tsv:1: 'q1\td1\t1.5' is no judgement"),
    ],
)
def test_a_fault_is_told_with_its_file_and_line(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    lay(tmp_path)
    (tmp_path / name).write_bytes(content)
    assert says in fault(tmp_path)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (lay(tmp_path) / name).unlink()
    assert f"{tmp_path / name} cannot be read: No such file" in fault(tmp_path)


def test_a_missing_folder_and_a_file_in_its_place_are_named(tmp_path: Path) -> None:
    assert f"there is no folder {tmp_path / 'no'}" in fault(tmp_path / "no")
    lay(tmp_path)
    assert "there is no folder" in fault(tmp_path / "corpus.jsonl")


@given(st.dictionaries(st.from_regex(r"\A[!-~é]{1,8}\Z"), st.lists(st.integers(), unique=True, min_size=1, max_size=9)))
def test_a_run_that_was_written_is_read_the_same(
    tmp_path_factory: pytest.TempPathFactory, rankings: dict[str, list[int]]
) -> None:
    path = tmp_path_factory.mktemp("run") / "a.run"
    wanted = {query: [f"{number}/x?" for number in ranking] for query, ranking in rankings.items()}
    write_run(path, wanted, "tag")
    assert read_run(path) == wanted


@pytest.mark.parametrize("one", ["doc 7?x", "a\tb", "100%", "a%20b", "a\u00a0b", "a\u3000b"])
def test_ids_with_blanks_come_back_from_a_run(tmp_path: Path, one: str) -> None:
    write_run(tmp_path / "a.run", {f"query {one}": [one]}, "tag")
    assert read_run(tmp_path / "a.run") == {f"query {one}": [one]}


def test_marks_of_editors_and_half_characters_do_no_harm(tmp_path: Path) -> None:
    lay(tmp_path)
    (tmp_path / "qrels.tsv").write_bytes(b"\xef\xbb\xbfq1\td1\t1\n")
    (tmp_path / "corpus.jsonl").write_bytes(b'\xef\xbb\xbf{"_id": "d1", "text": "half \\ud800"}\n')
    found = read_set(tmp_path)
    assert found.relevant == {"q1": {"d1": 1}}
    assert found.documents[0].text == "half ?"


def test_an_id_that_a_run_names_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a.run").write_text("q Q0 a 1 2.0 t\nq Q0 b 2 1.5 t\nq Q0 a 3 1.0 t\n")
    assert read_run(tmp_path / "a.run") == {"q": ["a", "b"]}


def test_a_run_holds_a_hundred_ids_a_query(tmp_path: Path) -> None:
    write_run(tmp_path / "a.run", {"q": [str(number) for number in range(150)], "none": []}, "tag")
    assert read_run(tmp_path / "a.run") == {"q": [str(number) for number in range(100)]}


def test_a_run_of_another_program_is_ordered_by_its_scores(tmp_path: Path) -> None:
    (tmp_path / "a.run").write_text("q Q0 b 1 0.5 t\r\n\r\nq\tQ0\ta\t2\t7e1\tt\nr Q0 c 1 -3 t\nq Q0 z 3 -1 t\n")
    assert read_run(tmp_path / "a.run") == {"q": ["a", "b", "z"], "r": ["c"]}


def test_ids_of_one_score_are_ordered_as_trec_eval_does(tmp_path: Path) -> None:
    (tmp_path / "a.run").write_text("q Q0 a 1 1.0 t\nq Q0 b 2 1.0 t\n")
    assert read_run(tmp_path / "a.run") == {"q": ["b", "a"]}


@pytest.mark.parametrize("line", ["q Q0 d 1 0.5", "q Q0 d 1 high t", "q Q0 d 1 0.5 t more"])
def test_a_broken_line_of_a_run_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.run").write_text(f"q Q0 d 1 0.5 t\n\n{line}\n")
    with pytest.raises(LabelledSetError, match=r"a\.run:3: is no line of a TREC run"):
        read_run(tmp_path / "a.run")
