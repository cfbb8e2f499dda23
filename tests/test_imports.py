"""Records of files: JSON, lines of JSON and CSV, whatever wrote them."""

import csv
import json
import time
from pathlib import Path

import pytest

from kb_service.desk import Desk
from kb_service.imports import PRESETS, Rows, read_rows
from kb_service.incident import incident_of
from kb_service.incidents import Incidents
from tests.importing import ONE, fault, lay, only


def test_empty_lines_without_end_are_passed_over_in_a_moment(tmp_path: Path) -> None:
    started = time.thread_time()
    assert "no list of records" in fault(lay(tmp_path / "a.json", "{}" + "\n" * 200_000))
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("ending", [".jsonl", ".ndjson", ".JSONL"])
def test_a_bad_line_is_told_and_the_rest_is_read(tmp_path: Path, ending: str) -> None:
    good = json.dumps(ONE).encode()
    bad = [
        b'{"number": "INC2"',
        b'["INC3"]',
        b"7",
        b'{"number": "caf\xe9"}',
        b"[" * 100_000,
        b'{"number": ' + b"9" * 5000,
    ]
    given = read_rows(
        lay(tmp_path / f"a{ending}", b"\xef\xbb\xbf" + b"\r\n".join([good, b"", b"  ", *bad, good]))
    ).given
    assert [line for line, _ in given] == [1, 4, 5, 6, 7, 8, 9, 10]
    assert given[0][1] == given[-1][1] == ONE
    told = [str(what) for _, what in given[1:-1]]
    assert [what[:12] for what in told] == [
        "broken JSON:",
        "is no JSON o",
        "is no JSON o",
        "is not UTF-8",
        *["broken JSON:"] * 2,
    ]


def test_what_stands_on_a_bad_line_is_refused_there(tmp_path: Path) -> None:
    path = lay(tmp_path / "a.jsonl", f'{json.dumps(ONE)}\n\n{{"number"\n{{"number": "INC2"}}\n')
    reports = Incidents(Desk(tmp_path / "desk.db")).put_many(read_rows(path).given)
    assert [(one.line, one.status) for one in reports] == [(1, "created"), (3, "refused"), (4, "refused")]
    assert reports[1].problem.startswith("broken JSON: ")


@pytest.mark.parametrize("ending", [".jsonl", ".json"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_is_read_whatever_wrote_it(tmp_path: Path, ending: str, encoding: str) -> None:
    row = {**ONE, "description": "Überall"}
    text = json.dumps(row if ending == ".jsonl" else [row], ensure_ascii=False)
    assert read_rows(lay(tmp_path / f"a{ending}", text.encode(encoding))).given == [(1, row)]


def test_lines_end_where_json_says_so(tmp_path: Path) -> None:
    text = json.dumps({**ONE, "description": "a\u2028b\x85c"}, ensure_ascii=False)
    given = read_rows(lay(tmp_path / "a.jsonl", f"{text}\n{text}")).given
    assert [line for line, _ in given] == [1, 2]


def test_without_a_preset_the_names_are_ours_and_the_rest_is_kept(tmp_path: Path) -> None:
    articles = [{"article": "runbooks/vpn", "resolved_by": True}, {"id": "faq/vpn"}]
    row = {
        "Number": "INC1",
        "Short description": "VPN",
        "business_service": "vpn",
        "u_site": ["B", 2],
        "articles": articles,
    }
    rows = read_rows(lay(tmp_path / "a.jsonl", row))
    assert rows.given == [
        (1, {"number": "INC1", "short_description": "VPN", "service": "vpn", "u_site": ["B", 2], "articles": articles})
    ]
    assert rows.left_out == ()


def test_a_name_to_the_letter_goes_before_one_that_reads_the_same(tmp_path: Path) -> None:
    row = {"Short Description": "label", **ONE, "service": "vpn", "Service": "label", "business_service": "other"}
    rows = read_rows(lay(tmp_path / "a.jsonl", row))
    assert only(rows).short_description == "VPN drops"
    assert only(rows).service == "vpn"
    assert only(rows).extra == {"Short Description": "label", "Service": "label"}
    assert rows.left_out == ("business_service",)


def test_each_record_has_its_own_columns(tmp_path: Path) -> None:
    rows = [{"number": "A", "business_service": "vpn"}, {"Number": "B", "service": "mail"}, {"summary": "no number"}]
    given = read_rows(lay(tmp_path / "a.json", rows)).given
    assert given == [
        (1, {"number": "A", "service": "vpn"}),
        (2, {"number": "B", "service": "mail"}),
        (3, {"summary": "no number"}),
    ]


@pytest.mark.parametrize("wrapped", ["", "result", "records", "tickets", "issues"])
def test_an_array_of_records_may_be_wrapped(tmp_path: Path, wrapped: str) -> None:
    rows = [ONE, "no record", {**ONE, "number": "INC2"}]
    given = read_rows(lay(tmp_path / "a.json", {"count": 3, wrapped: rows} if wrapped else rows)).given
    assert given == [(1, ONE), (2, "is no JSON object"), (3, {**ONE, "number": "INC2"})]


def test_lines_that_are_called_json_are_read_as_lines(tmp_path: Path) -> None:
    given = read_rows(lay(tmp_path / "a.json", f'{json.dumps(ONE)}\n\n{{"number"\n{json.dumps(ONE)}')).given
    assert [line for line, _ in given] == [1, 3, 4]


def test_a_blank_value_is_one_that_is_not_there(tmp_path: Path) -> None:
    blank = {"known_error": "", "users_affected": None, "impact": " ", "kind": "", "description": None}
    assert only(read_rows(lay(tmp_path / "a.jsonl", {**ONE, **blank}))) == incident_of(ONE)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_csv_is_read_whatever_wrote_it(tmp_path: Path, delimiter: str, encoding: str, end: str) -> None:
    header = delimiter.join(["Number", '"Description"', '"Site, building; floor"'])
    row = delimiter.join(["INC1", f'"Überall; a, b\tc ""d""{end}e"', "x"])
    rows = read_rows(lay(tmp_path / "a.CSV", f"{header}{end}{row}{end}".encode(encoding)))
    assert rows.given == [(2, {"number": "INC1", "description": f'Überall; a, b\tc "d"{end}e'})]
    assert rows.left_out == ("Site, building; floor",)


def test_a_row_of_a_csv_is_told_by_the_line_on_which_it_starts(tmp_path: Path) -> None:
    text = '\nnumber,description\nA,"1\n2\n\n3"\n\n , \nB,"4\n5",more,\nC\nD,"6" 7\nE,8\n\nF,"9\nG,10\n'
    rows = read_rows(lay(tmp_path / "a.csv", text))
    given = dict(rows.given)
    assert list(given) == [3, 9, 11, 12, 13, 15]
    assert given[3] == {"number": "A", "description": "1\n2\n\n3"}
    assert given[9] == "has 4 cells, the header has 2"
    assert given[11] == {"number": "C"}
    assert "broken CSV: ',' expected after '\"'" in str(given[12])
    assert given[13] == {"number": "E", "description": "8"}
    assert "broken CSV: unexpected end of data; a quote is never closed" in str(given[15])


def test_a_cell_may_be_as_long_as_it_likes(tmp_path: Path) -> None:
    before = csv.field_size_limit(131_072)
    try:
        given = read_rows(
            lay(tmp_path / "a.csv", f"number,log,description\nA,{'x' * 200_000},{'y' * 150_000}\nB,,z\n")
        ).given
    finally:
        csv.field_size_limit(before)
    assert given[0] == (2, {"number": "A", "description": "y" * 150_000})
    assert given[1] == (3, {"number": "B", "description": "z"})


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("'=1+1", "=1+1"),
        ("'+1", "+1"),
        ("'-x", "-x"),
        ("'@x", "@x"),
        ("''=x", "'=x"),
        ("'quoted'", "'quoted'"),
        ("=x", "=x"),
    ],
)
def test_a_cell_that_was_defused_is_restored(tmp_path: Path, cell: str, read: str) -> None:
    ((_, fields),) = read_rows(lay(tmp_path / "a.csv", f"number,description\nA,{cell}\n")).given
    assert fields == {"number": "A", "description": read}


def test_of_columns_of_one_name_the_first_that_says_something_counts(tmp_path: Path) -> None:
    text = "Issue key,Components,Components,Labels,Labels,\nA-1, ,vpn,x,y,\nA-2,mail,vpn,,,\n"
    rows = read_rows(lay(tmp_path / "a.csv", text), "jira")
    assert [fields for _, fields in rows.given] == [
        {"number": "A-1", "service": "vpn"},
        {"number": "A-2", "service": "mail"},
    ]
    assert rows.left_out == ("Labels",)


@pytest.mark.parametrize(
    "column",
    ["caller_id", "Caller", "caller_id.name", "Assigned to", "assignee", "Assignee Id", "Requester", "requester_email",
     "Reporter", "Custom field (Approvers)", "sys_created_by", "watch_list", "requested_for"],
)  # fmt: skip
@pytest.mark.parametrize("preset", [None, *PRESETS])
def test_persons_are_never_taken(tmp_path: Path, column: str, preset: str | None) -> None:
    row = {"number": "A", "issue key": "A", "id": "A", column: "Abel"}
    rows = read_rows(lay(tmp_path / "a.jsonl", row), preset)
    assert column in rows.left_out
    assert "Abel" not in str(rows.given)
    mapping = lay(tmp_path / "map.json", {"number": "id", "description": column})
    assert f"'{column}' names a person, which is never taken" in fault(tmp_path / "a.jsonl", preset, mapping)


def test_a_count_of_persons_is_no_person(tmp_path: Path) -> None:
    assert only(read_rows(lay(tmp_path / "a.jsonl", {**ONE, "affected_users": 7}))).users_affected == 7


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.xlsx", b"PK", "'.xlsx' is no file that can be read. Save it as .jsonl, .ndjson, .json or .csv"),
        ("a", b"", "'' is no file that can be read"),
        ("a.csv", b"", "a.csv: is empty"),
        ("a.csv", b"\xef\xbb\xbf\r\n \n", "a.csv: is empty"),
        ("a.csv", b"number\nA\ncaf\xe9\n", "a.csv:3: is not UTF-8. Save the file as UTF-8"),
        ("a.csv", b'number,"a" b\nA,1\n', "a.csv:1: broken CSV"),
        ("a.csv", b"ref,what\n", "no column gives the number ('number'). The file has the columns 'ref', 'what'; say"),
        ("a.csv", ",".join(f"c{n}" for n in range(50)).encode(), "'c39' and 10 more; say which with a preset"),
        (
            "a.jsonl",
            b'{"ref": 1}\n{"what": 2}\n',
            "no column gives the number ('number'). The file has the columns 'ref',",
        ),
        ("a.json", b"", "a.json:1: broken JSON"),
        ("a.json", b'[{"number": 1},\n{"number"]', "a.json:2: broken JSON"),
        ("a.json", b"[" * 100_000, "a.json: broken JSON"),
        ("a.json", b'{"number": "A"}', "a.json: holds no list of records"),
        ("a.json", b'{"result": {"number": "A"}}', "a.json: holds no list of records"),
        ("a.json", b'["caf\xe9"]', "a.json:1: is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    assert says in fault(lay(tmp_path / name, content))


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv"])
def test_a_file_that_is_not_there_is_told(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    assert f"{path} cannot be read: No such file" in fault(path)
    path.mkdir()
    assert f"{path} cannot be read: Is a directory" in fault(path)


def test_a_file_of_no_records_is_read(tmp_path: Path) -> None:
    assert read_rows(lay(tmp_path / "a.jsonl", b"")) == Rows([], ())
    assert read_rows(lay(tmp_path / "a.json", b"[]")) == Rows([], ())
    assert read_rows(lay(tmp_path / "a.csv", b"number,who")) == Rows([], ("who",))
