"""Records out of the files that other programs export: JSON, one object a line or an array, and CSV.

Presets know the columns of ServiceNow, Jira Service Management and Zendesk, by the names of their fields and by the
labels of their lists; a map of one's own names the rest. Columns that name persons are never taken. A line that cannot
be read is told in its place and the rest is read; what a record may hold is ``incident_of``'s to say.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from indexer.errors import KnowledgeBaseError
from kb_service.incident import FIELDS
from kb_service.incidents import Given

# Names as `_plain` has them. A field that stands in no preset is looked for under its own name
_OWN = {"service": "service, business_service", "users_affected": "users_affected, affected_users"}
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
_PERSON = re.compile(
    r"(caller|assignee|assigned_to|additional_assignee_list|requester|requestor|requested_(for|by)|reporter|submitter|"
    r"(sys_)?(opened|created|updated|resolved|closed|reported)_by|creator|watcher|watch_list|work_notes_list|follower|"
    r"collaborator|email_cc|recipient|contact|consumer|user|approver|request_participant)s?([_.](ids?|names?|e-?mail))*"
)
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
_LISTS = ("result", "records", "tickets", "issues")
_DEFUSED = re.compile(r"'+[=+\-@\t\r]")
_MOST_COLUMNS_TOLD = 40

Columns = tuple[str, ...]


class ImportFileError(KnowledgeBaseError):
    """A file, a map or a preset by which no record can be read at all."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The records of a file, or what is wrong with their lines, and its columns that were not taken, in its order."""

    given: list[Given]
    left_out: tuple[str, ...]


def read_rows(path: Path, preset: str | None = None, mapping: Path | None = None) -> Rows:
    """The records of a ``.jsonl``, ``.ndjson``, ``.json`` or ``.csv`` file, with the names of our fields.

    ``mapping`` is a JSON file that says for our fields which column holds them; it goes before ``preset``. Without
    both the file's names are ours, and what JSON says besides is kept; ``articles`` is as it stands in the file.
    Raises ImportFileError.
    """
    mapped = {} if mapping is None else _read_map(mapping)
    wanted = _wanted(preset, mapped)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ImportFileError(f"{path}: '{path.suffix}' is no file that can be read", f"Save it as {_ENDINGS}")
    columns, rows = read(path)
    if preset == "jira":
        columns, rows = _flattened(columns, rows)
    _check(path, columns, wanted, mapped)
    keeps_more = preset is None and mapping is None and path.suffix.lower() != ".csv"
    shapes = {columns: _chosen(columns, wanted)}
    kept: set[str] = set()
    given: list[Given] = []
    for line, record in rows:
        if isinstance(record, str):
            given.append((line, record))
            continue
        shape = tuple(record)
        if shape not in shapes:
            shapes[shape] = _chosen(shape, wanted)
        taken = shapes[shape]
        fields = {name: _value(name, record[column]) for name, column in taken.items()}
        fields = {name: value for name, value in fields.items() if not _is_blank(value)}
        if keeps_more:
            more = {name: record[name] for name in shape if name not in taken.values() and _may_be_kept(name)}
            kept.update(more)
            fields = {**more, **fields}
        given.append((line, fields))
    kept.update(column for taken in shapes.values() for column in taken.values())
    return Rows(given, tuple(column for column in columns if column not in kept))


# -- which column holds what


def _wanted(preset: str | None, mapped: Mapping[str, str]) -> dict[str, list[str]]:
    """For each of our fields the columns that may hold it, the best first, as `_plain` has them."""
    if preset is not None and preset not in PRESETS:
        raise ImportFileError(f"there is no preset '{preset}'", f"Name one of {', '.join(PRESETS)}")
    fields = () if mapped and preset is None else FIELDS
    names = _OWN if preset is None else PRESETS[preset]
    wanted = {name: names.get(name, name).split(", ") for name in fields}
    return wanted | {name: [_plain(column)] for name, column in mapped.items()}


def _read_map(path: Path) -> dict[str, str]:
    example = 'One JSON object of our fields and the file\'s columns, such as {"number": "Ticket"}'
    given = _json(path, _decoded(path, _bytes(path)))
    if not isinstance(given, dict) or not given or not all(isinstance(column, str) for column in given.values()):
        raise ImportFileError(f"{path}: is no map of fields to columns", example)
    if unknown := [name for name in given if name not in FIELDS]:
        raise ImportFileError(f"{path}: no field is called {_listed(unknown)}", f"The fields are {', '.join(FIELDS)}")
    if persons := [column for column in given.values() if _PERSON.fullmatch(_plain(column))]:
        raise ImportFileError(f"{path}: {_listed(persons)} names a person, which is never taken", "Leave it out")
    return given


def _check(path: Path, columns: Columns, wanted: Mapping[str, list[str]], mapped: Mapping[str, str]) -> None:
    if not columns:
        return
    has = f"The file has the columns {_listed(columns)}"
    chosen = _chosen(columns, wanted)
    for name, column in mapped.items():
        if name not in chosen:
            raise ImportFileError(f"{path}: has no column '{column}', from which the map takes {name}", has)
    if "number" not in chosen:
        told = ", ".join(f"'{name}'" for name in wanted.get("number", ())) or "the map names none"
        remedy = f"{has}; say which with a preset ({', '.join(PRESETS)}) or a map"
        raise ImportFileError(f"{path}: no column gives the number ({told})", remedy)


def _chosen(columns: Columns, wanted: Mapping[str, list[str]]) -> dict[str, str]:
    """The column for each of our fields that has one. A name to the letter goes before one that only reads the same."""
    plain: dict[str, str] = {}
    for column in columns:
        name = _plain(column)
        if (name not in plain or name == column) and not _PERSON.fullmatch(name):
            plain[name] = column
    return {
        name: plain[found]
        for name, candidates in wanted.items()
        if (found := next((one for one in candidates if one in plain), None)) is not None
    }


def _plain(column: str) -> str:
    """``Short description`` as ``short_description``; of Jira's ``Custom field (Impact)`` what is inside."""
    inside = re.fullmatch(r"\s*custom field \((.*)\)\s*", column, re.IGNORECASE | re.DOTALL)
    return "_".join((inside[1] if inside else column).casefold().replace("_", " ").split())


@lru_cache(maxsize=4_096)
def _may_be_kept(column: str) -> bool:
    # Another name of a field that is there already would overwrite it in the record
    other_names = {name for names in _OWN.values() for name in names.split(", ")} - set(FIELDS)
    return column not in other_names and not _PERSON.fullmatch(_plain(column))


def _listed(names: Columns | list[str]) -> str:
    more = len(names) - _MOST_COLUMNS_TOLD
    return ", ".join(f"'{name}'" for name in names[:_MOST_COLUMNS_TOLD]) + (f" and {more} more" if more > 0 else "")


# -- what a value means


def _value(field: str, value: object) -> object:
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        # A display value is in the time of whoever exported it, a value in UTC
        names = ("value", "display_value") if field in _DATES else ("display_value", "name", "key", "value")
        value = next((value[name] for name in names if name in value), value)
    if not isinstance(value, str):
        return value
    if field in _DATES:
        return _date(value)
    if field == "kind":
        word = value.strip().removeprefix("[System] ")
        return _KINDS.get(word.casefold(), word)
    if field in {"impact", "urgency"}:
        return value.partition(" / ")[0]
    return value


def _date(text: str) -> str:
    """In ISO's form where one of the formats reads it, else as it is, so that the record's check names the fault."""
    said = " ".join(text.split())
    try:
        datetime.fromisoformat(said)
        return said
    except ValueError:
        pass
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(said, form).isoformat()  # noqa: DTZ007 - without a zone it is UTC for the record
        except ValueError:
            continue
    return text


def _is_blank(value: object) -> bool:
    # Not all that Python strips: the record keeps separators such as \x1f
    return value is None or (isinstance(value, str) and not value.strip(" \t\r\n"))


# -- kinds of files


def _json_lines(path: Path) -> tuple[Columns, list[Given]]:
    data = _bytes(path)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = _decoded(path, data).encode()
    rows: list[Given] = []
    for line, row in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if not row.strip():
            continue
        try:
            rows.append((line, _record(json.loads(row.decode()))))
        except UnicodeDecodeError:
            rows.append((line, "is not UTF-8"))
        except (ValueError, RecursionError) as error:
            rows.append((line, f"broken JSON: {error}"))
    return _columns(rows), rows


def _json_array(path: Path) -> tuple[Columns, list[Given]]:
    text = _decoded(path, _bytes(path))
    if re.match(r"\s*\{[^\n]*\}\s*\n\s*\{", text):
        # One object a line: so Zendesk writes what it calls .json
        return _json_lines(path)
    whole = _json(path, text)
    if isinstance(whole, dict):
        whole = next((whole[name] for name in _LISTS if name in whole), None)
    if not isinstance(whole, list):
        known = ", ".join(f'{{"{name}": [...]}}' for name in _LISTS)
        raise ImportFileError(f"{path}: holds no list of records", f"It should be an array of objects, or {known}")
    rows: list[Given] = [(place, _record(one)) for place, one in enumerate(whole, 1)]
    return _columns(rows), rows


def _csv(path: Path) -> tuple[Columns, list[Given]]:
    # A limit of the whole process: a log in one cell is no reason to refuse a file
    csv.field_size_limit(2**31 - 1)
    text = _decoded(path, _bytes(path))
    lines = text.lstrip()
    if not lines:
        raise ImportFileError(f"{path}: is empty", "The first line names the columns")
    delimiter = max(",;\t", key=lambda one: len(next(csv.reader(io.StringIO(lines, newline=""), delimiter=one))))
    # Strict, for an open quote would else swallow the rest of the file without a word
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    rows: list[Given] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            if not header:
                raise ImportFileError(f"{path}:{line}: broken CSV: {error}", "Mend the line of column names") from error
            rest = "; a quote is never closed, so nothing after it is read" if "end of data" in str(error) else ""
            rows.append((line, f"broken CSV: {error}{rest}"))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if not header:
            header = [cell.strip() for cell in cells]
        elif len(cells) > len(header):
            rows.append((line, f"has {len(cells)} cells, the header has {len(header)}"))
        else:
            rows.append((line, _row(header, cells)))
    return tuple(dict.fromkeys(filter(None, header))), rows


def _row(header: list[str], cells: list[str]) -> dict[str, str]:
    """Of columns of one name, as Jira writes lists, the first that says something."""
    row = dict.fromkeys(filter(None, header), "")
    for name, cell in zip(header, cells, strict=False):
        if name and not row[name].strip():
            row[name] = cell[1:] if _DEFUSED.match(cell) else cell
    return row


_READERS: Mapping[str, Callable[[Path], tuple[Columns, list[Given]]]] = {
    ".jsonl": _json_lines, ".ndjson": _json_lines, ".json": _json_array, ".csv": _csv,
}  # fmt: skip
_ENDINGS = ".jsonl, .ndjson, .json or .csv, in UTF-8"


def _flattened(columns: Columns, rows: list[Given]) -> tuple[Columns, list[Given]]:
    """Jira's answers, in which a record's fields stand one level deeper; other rows as they are."""
    flat: list[Given] = []
    for line, record in rows:
        if isinstance(record, Mapping) and isinstance(fields := record.get("fields"), Mapping):
            parent = fields.get("parent")
            above = {"parent_key": parent["key"]} if isinstance(parent, Mapping) and "key" in parent else {}
            flat.append((line, {**fields, **above, "key": record.get("key")}))
        else:
            flat.append((line, record))
    return (_columns(flat) or columns), flat


def _record(one: object) -> Mapping[str, Any] | str:
    return one if isinstance(one, dict) else "is no JSON object"


def _columns(rows: list[Given]) -> Columns:
    return tuple(dict.fromkeys(name for _, record in rows if isinstance(record, Mapping) for name in record))


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ImportFileError(f"{path}:{error.lineno}: broken JSON: {error.msg}", "Mend it there") from error
    except (ValueError, RecursionError) as error:
        raise ImportFileError(f"{path}: broken JSON: {error}", "Export it again") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read: {error.strerror}", "Name a file that is there") from error


def _decoded(path: Path, data: bytes) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ImportFileError(f"{path}:{line}: is not UTF-8", "Save the file as UTF-8 (CSV UTF-8 in Excel)") from error
