"""Files as other programs export them, and what is said of lines and files that cannot be read."""

import csv
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kb_service.desk import Desk
from kb_service.imports import PRESETS, ImportFileError, Rows, read_rows
from kb_service.incident import FIELDS, Incident, incident_of
from kb_service.incidents import Incidents

ONE: Mapping[str, Any] = {"number": "INC1", "short_description": "VPN drops"}


def lay(path: Path, content: str | bytes | object) -> Path:
    """A file of this text, of these bytes, or of this as JSON."""
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def fault(path: Path, preset: str | None = None, mapping: Path | None = None) -> str:
    with pytest.raises(ImportFileError) as raised:
        read_rows(path, preset, mapping)
    return str(raised.value)


def only(rows: Rows) -> Incident:
    ((_, fields),) = rows.given
    assert not isinstance(fields, str), fields
    return incident_of(fields)


# -- JSON


def test_empty_lines_without_end_are_passed_over_in_a_moment(tmp_path: Path) -> None:
    started = time.process_time()
    assert "no list of records" in fault(lay(tmp_path / "a.json", "{}" + "\n" * 200_000))
    assert time.process_time() - started < 1


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


# -- CSV


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


# -- presets and maps

SERVICENOW_LABELS = """\
"Number","Task type","Short description","Caller","Service","Configuration item","Assignment group","Assigned to",\
"Impact","Urgency","Priority","State","Opened","Resolved","Resolution code","Resolution notes","Parent Incident",\
"Problem"
"INC0012345","Incident","VPN drops","Abel Tuter","vpn","vpn-gw-1","network","Beth Anglin",\
"2 - Medium","1 - High","2 - High","Closed","24-11-2024 17:31:13","2024-11-24 18:01:13","Solved (Permanently)",\
"Patched","INC0012300","PRB0000007"
"""
SERVICENOW_FIELDS = """\
number,sys_class_name,short_description,caller_id,business_service,cmdb_ci,assignment_group,impact,urgency,priority,\
incident_state,sys_created_on,opened_at,resolved_at,close_code,close_notes,parent_incident,problem_id
INC0012345,incident,VPN drops,abel,vpn,vpn-gw-1,network,2,1,2,7,2020-01-01 00:00:00,2024-11-24 17:31:13,\
2024-11-24 18:01:13,Solved (Permanently),Patched,INC0012300,PRB0000007
"""
SERVICENOW_JSON = {
    "result": [
        {
            "number": {"display_value": "INC0012345", "value": "INC0012345"},
            "sys_class_name": {"display_value": "Incident", "value": "incident"},
            "short_description": {"display_value": "VPN drops", "value": "VPN drops"},
            "caller_id": {"display_value": "Abel Tuter", "value": "62826bf03710200044e0bfc8bcbe5df1"},
            "business_service": {"display_value": "vpn", "value": "27d32778c0a8000b00db970eeaa60f16"},
            "cmdb_ci": {"display_value": "vpn-gw-1", "value": "b0c4030ac0a800090152e7a4564ca36c"},
            "assignment_group": {"display_value": "network", "link": "https://example.com/287ebd7d"},
            "impact": {"display_value": "2 - Medium", "value": "2"},
            "urgency": {"display_value": "1 - High", "value": "1"},
            "priority": {"display_value": "2 - High", "value": "2"},
            "state": {"display_value": "Closed", "value": "7"},
            "opened_at": {"display_value": "24-11-2024 09:31:13", "value": "2024-11-24 17:31:13"},
            "resolved_at": {"display_value": "24-11-2024 10:01:13", "value": "2024-11-24 18:01:13"},
            "close_code": "Solved (Permanently)",
            "close_notes": "Patched",
            "parent_incident": {"display_value": "INC0012300", "value": "1c741bd70b2322007518478d83673af3"},
            "problem_id": {"display_value": "PRB0000007", "value": "9d3a266ac6112287004e37fb2ceb0133"},
            "known_error": {"display_value": "", "value": ""},
        }
    ]
}


@pytest.mark.parametrize(
    ("name", "content", "left_out"),
    [
        ("labels.csv", SERVICENOW_LABELS, ("Caller", "Assigned to")),
        ("fields.csv", SERVICENOW_FIELDS, ("caller_id", "sys_created_on")),
        ("table.json", SERVICENOW_JSON, ("caller_id",)),
    ],
)
def test_an_export_of_servicenow(tmp_path: Path, name: str, content: object, left_out: tuple[str, ...]) -> None:
    rows = read_rows(lay(tmp_path / name, content), "servicenow")
    assert only(rows) == Incident(
        number="INC0012345", short_description="VPN drops", service="vpn", cmdb_ci="vpn-gw-1", impact="medium",
        urgency="high", priority="P2", state="closed", assignment_group="network",
        opened_at=datetime(2024, 11, 24, 17, 31, 13, tzinfo=UTC),
        resolved_at=datetime(2024, 11, 24, 18, 1, 13, tzinfo=UTC),
        close_code="Solved (Permanently)", close_notes="Patched", parent_incident="INC0012300", problem_id="PRB0000007",
    )  # fmt: skip
    assert rows.left_out == left_out


JIRA_CSV = """\
Summary,Issue key,Issue id,Issue Type,Status,Priority,Resolution,Assignee,Reporter,Created,Resolved,Component/s,\
Description,Custom field (Impact),Custom field (Urgency),Custom field (Affected services),\
Custom field (Workaround),Parent
VPN drops,ITSM-12,10012,[System] Incident,Waiting for customer,Highest,,Alice,Bob,24/Nov/24 5:31 PM,,client,\
Since noon,Significant / Large,High,vpn,Use the other gateway,10001
"""
JIRA_JSON = {
    "issues": [
        {
            "key": "ITSM-12",
            "fields": {
                "summary": "VPN drops",
                "description": "Since noon",
                "issuetype": {"id": "1", "name": "[System] Incident"},
                "status": {"name": "Waiting for customer", "statusCategory": {"key": "indeterminate"}},
                "priority": {"name": "Highest", "id": "1"},
                "resolution": None,
                "reporter": {"displayName": "Bob"},
                "created": "2024-11-24T17:31:00.000+0000",
                "components": [{"name": "vpn"}, {"name": "client"}],
                "impact": {"self": "https://example.com/1", "value": "Moderate / Limited"},
                "urgency": {"value": "High"},
                "workaround": "Use the other gateway",
                "parent": {"id": "10001", "key": "ITSM-1"},
            },
        }
    ]
}


@pytest.mark.parametrize(
    ("name", "content", "parent", "left_out"),
    [
        ("a.csv", JIRA_CSV, None, ("Issue id", "Assignee", "Reporter", "Component/s", "Parent")),
        ("a.json", JIRA_JSON, "ITSM-1", ("reporter", "parent")),
    ],
)
def test_an_export_of_jira(
    tmp_path: Path, name: str, content: object, parent: str | None, left_out: tuple[str, ...]
) -> None:
    rows = read_rows(lay(tmp_path / name, content), "jira")
    assert only(rows) == Incident(
        number="ITSM-12", short_description="VPN drops", description="Since noon", service="vpn", impact="medium",
        urgency="high", priority="P1", state="on_hold", opened_at=datetime(2024, 11, 24, 17, 31, tzinfo=UTC),
        workaround="Use the other gateway", parent_incident=parent,
    )  # fmt: skip
    assert rows.left_out == left_out


ZENDESK_CSV = """\
Id,Requester,Requester email,Subject,Group,Status,Priority,Type,Created at,Solved at,Problem id
42,Ann,ann@example.com,How do I reset?,Service desk,Solved,Normal,Question,2024-11-24 17:31,2024-11-24 18:01,7
"""
ZENDESK_JSON = {
    "tickets": [
        {
            "id": 42,
            "subject": "How do I reset?",
            "requester_id": 99,
            "submitter": {"name": "Ann"},
            "group": {"id": 1, "name": "Service desk"},
            "status": "solved",
            "priority": "normal",
            "type": "question",
            "created_at": "2024-11-24T17:31:00Z",
            "solved_at": "2024-11-24T18:01:00Z",
            "problem_id": 7,
        }
    ]
}


@pytest.mark.parametrize(
    ("name", "content", "left_out"),
    [
        ("a.csv", ZENDESK_CSV, ("Requester", "Requester email")),
        ("a.json", ZENDESK_JSON, ("requester_id", "submitter")),
        ("a.jsonl", ZENDESK_JSON["tickets"][0], ("requester_id", "submitter")),
    ],
)
def test_an_export_of_zendesk(tmp_path: Path, name: str, content: object, left_out: tuple[str, ...]) -> None:
    rows = read_rows(lay(tmp_path / name, content), "zendesk")
    assert only(rows) == Incident(
        number="42", kind="case", short_description="How do I reset?", priority="P3", state="resolved",
        assignment_group="Service desk", opened_at=datetime(2024, 11, 24, 17, 31, tzinfo=UTC),
        resolved_at=datetime(2024, 11, 24, 18, 1, tzinfo=UTC), problem_id="7",
    )  # fmt: skip
    assert rows.left_out == left_out


def test_presets_name_fields_that_there_are() -> None:
    for fields in PRESETS.values():
        assert set(fields) <= set(FIELDS)


@pytest.mark.parametrize(
    ("word", "kind"),
    [("sc_req_item", "case"), ("Catalog Task", "case"), ("[System] Service request with approvals", "case"),
     ("[System] Problem", "problem"), ("sn_customerservice_case", "case"), ("", "incident")],
)  # fmt: skip
def test_types_of_records_are_understood(tmp_path: Path, word: str, kind: str) -> None:
    path = lay(tmp_path / "a.csv", f"number,task type,short description\nA,{word},x\n")
    assert only(read_rows(path, "servicenow")).kind == kind


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2024-11-24T17:31:13Z", "2024-11-24T17:31:13Z"),
        ("2024-11-24 17:31:13", "2024-11-24 17:31:13"),
        ("24/Nov/24 5:31 PM", "2024-11-24T17:31:00"),
        ("24/Nov/24 5:31\u202fpm", "2024-11-24T17:31:00"),
        (" 24/Nov/24 17:31 ", "2024-11-24T17:31:00"),
        ("24-11-2024 17:31:13", "2024-11-24T17:31:13"),
        ("11/24/2024 05:31:13 PM", "2024-11-24T17:31:13"),
        ("24.11.2024 17:31", "2024-11-24T17:31:00"),
        ("2024-11-24 17:31:13 +0100", "2024-11-24 17:31:13 +0100"),
        ("2024-11-24 17:31:13 UTC", "2024-11-24T17:31:13"),
        ("03/04/2024 17:31", "03/04/2024 17:31"),
        ("last  Tuesday", "last  Tuesday"),
    ],
)
def test_dates_are_read_and_what_none_is_goes_on_as_it_is(tmp_path: Path, said: str, meant: str) -> None:
    row = {**ONE, "opened_at": said, "resolved_at": said}
    assert read_rows(lay(tmp_path / "a.jsonl", row)).given == [(1, {**ONE, "opened_at": meant, "resolved_at": meant})]


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


def test_a_map_is_all_that_is_taken(tmp_path: Path) -> None:
    mapping = lay(tmp_path / "map.json", {"number": "ticket  NO", "short_description": "What", "opened_at": "When"})
    rows = read_rows(
        lay(tmp_path / "a.csv", "Ticket no,What,When,number,state\n7,VPN,24/Nov/24 17:31,8,closed\n"), mapping=mapping
    )
    assert rows.given == [(2, {"number": "7", "short_description": "VPN", "opened_at": "2024-11-24T17:31:00"})]
    assert rows.left_out == ("number", "state")
    assert read_rows(
        lay(tmp_path / "a.jsonl", {"Ticket no": 7, "What": "x", "When": None, "u": 1}), mapping=mapping
    ) == Rows([(1, {"number": 7, "short_description": "x"})], ("u",))


def test_a_map_goes_before_the_preset(tmp_path: Path) -> None:
    mapping = lay(tmp_path / "map.json", {"service": "Custom field (Product)"})
    text = "Issue key,Summary,Components,Custom field (Product)\nA-1,VPN,client,vpn\n"
    rows = read_rows(lay(tmp_path / "a.csv", text), "jira", mapping)
    assert rows.given == [(2, {"number": "A-1", "short_description": "VPN", "service": "vpn"})]
    assert rows.left_out == ("Components",)


# -- files that cannot be read


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


def test_a_preset_that_is_not_known_is_told(tmp_path: Path) -> None:
    assert "there is no preset 'remedy'. Name one of servicenow, jira, zendesk" in fault(
        lay(tmp_path / "a.json", [ONE]), "remedy"
    )


def test_the_columns_that_a_preset_looked_for_are_told(tmp_path: Path) -> None:
    assert (
        "no column gives the number ('issue_key', 'key'). The file has the columns 'number', 'short_description'"
        in fault(lay(tmp_path / "a.json", [ONE]), "jira")
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"number": "number"', "map.json:1: broken JSON"),
        (b'["number"]', "map.json: is no map of fields to columns"),
        (b"{}", "map.json: is no map of fields to columns"),
        (b'{"number": 1}', "map.json: is no map of fields to columns"),
        (
            b'{"number": "number", "nummer": "number"}',
            "map.json: no field is called 'nummer'. The fields are number, kind,",
        ),
        (
            b'{"number": "Ticket"}',
            "a.json: has no column 'Ticket', from which the map takes number. The file has the columns",
        ),
        (b'{"service": "short_description"}', "a.json: no column gives the number (the map names none)"),
    ],
)
def test_a_map_that_is_none_is_told(tmp_path: Path, content: bytes, says: str) -> None:
    assert says in fault(lay(tmp_path / "a.json", [ONE]), mapping=lay(tmp_path / "map.json", content))


def test_a_map_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "map.json cannot be read: No such file" in fault(
        lay(tmp_path / "a.json", [ONE]), mapping=tmp_path / "map.json"
    )
