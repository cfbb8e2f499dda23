"""Exports of other tools, and maps of columns to fields."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kb_service.imports import PRESETS, Rows, read_rows
from kb_service.incident import FIELDS, Incident
from tests.importing import ONE, fault, lay, only

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
