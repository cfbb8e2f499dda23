"""The columns in which ServiceNow, Jira Service Management and Zendesk export records, and what their values mean."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

# Names as `_plain` has them. A field that stands in no preset is looked for under its own name
OWN = {"service": "service, business_service", "users_affected": "users_affected, affected_users"}
PRESETS: Mapping[str, Mapping[str, str]] = {
    "servicenow": {
        "kind": "sys_class_name, task_type",
        "service": "business_service, service",
        "cmdb_ci": "cmdb_ci, configuration_item",
        "state": "state, incident_state",
        "opened_at": "opened_at, opened, sys_created_on, created",
        "resolved_at": "resolved_at, resolved, closed_at, closed",
        "close_code": "close_code, resolution_code",
        "close_notes": "close_notes, resolution_notes",
        "problem_id": "problem_id, problem",
        "users_affected": "users_affected, affected_users, u_users_affected, u_affected_users",
        "workaround": "workaround, work_around",
    },
    "jira": {
        "number": "issue_key, key",
        "kind": "issue_type, issuetype",
        "short_description": "summary",
        "service": "affected_services, affected_service, service, component/s, components",
        "cmdb_ci": "affected_assets, affected_hardware",
        "state": "status",
        "assignment_group": "assignment_group, team_name, team",
        "opened_at": "created",
        "resolved_at": "resolved, resolutiondate",
        "close_code": "resolution",
        "close_notes": "resolution_notes",
        "parent_incident": "parent_key",
        "users_affected": "users_affected, affected_users",
    },
    "zendesk": {
        "number": "id, ticket_id",
        "kind": "type, ticket_type",
        "short_description": "subject, ticket_subject",
        "description": "description, ticket_description",
        "priority": "priority, ticket_priority",
        "state": "status, ticket_status",
        "assignment_group": "group, group_name, ticket_group",
        "opened_at": "created_at, ticket_created_-_timestamp",
        "resolved_at": "solved_at, ticket_solved_-_timestamp",
    },
}
# Types of records that the vocabulary does not know: catalogue items and cases by the names of their tables
_KINDS = dict.fromkeys(
    "sn_customerservice_case, sn_customerservice_task, sc_request, sc_req_item, sc_task, requested item, catalog task,"
    "service request with approvals, it help, support, email request".replace(", ", ",").split(","),
    "case",
)
_DATES = frozenset({"opened_at", "resolved_at"})
# "24/Nov/26 5:31 PM", "24-11-2026 17:31:13", "11/24/2026 05:31:13 PM", "24.11.2026 17:31", "2026-11-24 17:31:13 UTC".
# Slashes with 24 hours are not among them: they may stand for either order of day and month
_DATE_FORMATS = (
    "%d/%b/%y %I:%M %p", "%d/%b/%y %H:%M", "%d/%b/%Y %I:%M %p", "%d/%b/%Y %H:%M",
    "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%Y-%m-%d %H:%M:%S UTC",
)  # fmt: skip


def meaning_of(field: str, value: object, zone: ZoneInfo | None = None) -> object:
    """A value of a field of ours as the record reads it; ``zone`` is that of times that name none, else UTC."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        # A display value is in the time of whoever exported it, a value in UTC
        names = ("value", "display_value") if field in _DATES else ("display_value", "name", "key", "value")
        value = next((value[name] for name in names if name in value), value)
    if not isinstance(value, str):
        return value
    if field in _DATES:
        return _date(value, zone)
    if field == "kind":
        word = value.strip().removeprefix("[System] ")
        return _KINDS.get(word.casefold(), word)
    if field in {"impact", "urgency"}:
        return value.partition(" / ")[0]
    return value


def _date(text: str, zone: ZoneInfo | None) -> str:
    """In ISO's form where one of the formats reads it, else as it is, so that the record's check names the fault."""
    said = text.strip()
    try:
        at = datetime.fromisoformat(said)
        if at.tzinfo or zone is None:
            return text
    except ValueError:
        read = (_read_date(said, form) for form in _DATE_FORMATS)
        found = next((one for one in read if one is not None), None)
        if found is None:
            return text
        at = found
    return (at if at.tzinfo or zone is None else at.replace(tzinfo=zone)).isoformat()


def _read_date(said: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(said, form)  # noqa: DTZ007 - without a zone it is UTC for the record
    except ValueError:
        return None


def is_blank(value: object) -> bool:
    """Whether a value says nothing."""
    # Not all that Python strips: the record keeps separators such as \x1f
    return value is None or (isinstance(value, str) and not value.strip(" \t\r\n"))
