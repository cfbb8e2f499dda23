"""Files of records: JSON, one object a line or an array, and CSV. A line that cannot be read is told in its place."""

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from indexer.errors import KnowledgeBaseError
from kb_service.incidents import Given

_LISTS = ("result", "records", "tickets", "issues")
_DEFUSED = re.compile(r"'+[=+\-@\t\r]")

Columns = tuple[str, ...]


class ImportFileError(KnowledgeBaseError):
    """A file, a map or a preset by which no record can be read at all."""


def _json_lines(path: Path) -> tuple[Columns, list[Given]]:
    data = read_bytes(path)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = decoded(path, data).encode()
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
    text = decoded(path, read_bytes(path))
    if re.match(r"\s*\{[^\n]*\}[^\S\n]*\n\s*\{", text):
        # One object a line: so Zendesk writes what it calls .json
        return _json_lines(path)
    whole = read_json(path, text)
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
    text = decoded(path, read_bytes(path))
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


READERS: Mapping[str, Callable[[Path], tuple[Columns, list[Given]]]] = {
    ".jsonl": _json_lines, ".ndjson": _json_lines, ".json": _json_array, ".csv": _csv,
}  # fmt: skip
ENDINGS = ".jsonl, .ndjson, .json or .csv, in UTF-8"


def flattened(columns: Columns, rows: list[Given]) -> tuple[Columns, list[Given]]:
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


def read_json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ImportFileError(f"{path}:{error.lineno}: broken JSON: {error.msg}", "Mend it there") from error
    except (ValueError, RecursionError) as error:
        raise ImportFileError(f"{path}: broken JSON: {error}", "Export it again") from error


def read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read: {error.strerror}", "Name a file that is there") from error


def decoded(path: Path, data: bytes) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ImportFileError(f"{path}:{line}: is not UTF-8", "Save the file as UTF-8 (CSV UTF-8 in Excel)") from error
