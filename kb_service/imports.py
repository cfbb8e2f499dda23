"""Records out of the files that other programs export.

Presets know the columns of ServiceNow, Jira Service Management and Zendesk, by the names of their fields and by the
labels of their lists; a map of one's own names the rest. Columns that name persons are never taken. A line that cannot
be read is told in its place and the rest is read; what a record may hold is ``incident_of``'s to say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from kb_service.incident import FIELDS
from kb_service.incidents import Given
from kb_service.person_fields import holds_person
from kb_service.presets import OWN, PRESETS, is_blank, meaning_of
from kb_service.record_files import (
    ENDINGS,
    READERS,
    Columns,
    ImportFileError,
    decoded,
    flattened,
    read_bytes,
    read_json,
)

_MOST_COLUMNS_TOLD = 40


@dataclass(frozen=True, slots=True)
class Rows:
    """The records of a file, or what is wrong with their lines, and its columns that were not taken, in its order."""

    given: list[Given]
    left_out: tuple[str, ...]


def read_rows(path: Path, preset: str | None = None, mapping: Path | None = None, zone: ZoneInfo | None = None) -> Rows:
    """The records of a ``.jsonl``, ``.ndjson``, ``.json`` or ``.csv`` file, with the names of our fields.

    ``mapping`` is a JSON file that says for our fields which column holds them; it goes before ``preset``. Without
    both the file's names are ours, and what JSON says besides is kept; ``articles`` is as it stands in the file.
    ``zone`` is that of times that name none, which else are UTC.
    Raises ImportFileError.
    """
    mapped = {} if mapping is None else _read_map(mapping)
    wanted = _wanted(preset, mapped)
    read = READERS.get(path.suffix.lower())
    if read is None:
        raise ImportFileError(f"{path}: '{path.suffix}' is no file that can be read", f"Save it as {ENDINGS}")
    columns, rows = read(path)
    if preset == "jira":
        columns, rows = flattened(columns, rows)
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
        fields = {name: meaning_of(name, record[column], zone) for name, column in taken.items()}
        fields = {name: value for name, value in fields.items() if not is_blank(value)}
        if keeps_more:
            more = {name: record[name] for name in shape if name not in taken.values() and _may_be_kept(name)}
            kept.update(more)
            fields = {**more, **fields}
        given.append((line, fields))
    kept.update(column for taken in shapes.values() for column in taken.values())
    return Rows(given, tuple(column for column in columns if column not in kept))


def _wanted(preset: str | None, mapped: Mapping[str, str]) -> dict[str, list[str]]:
    """For each of our fields the columns that may hold it, the best first, as `_plain` has them."""
    if preset is not None and preset not in PRESETS:
        raise ImportFileError(f"there is no preset '{preset}'", f"Name one of {', '.join(PRESETS)}")
    fields = () if mapped and preset is None else FIELDS
    names = OWN if preset is None else PRESETS[preset]
    wanted = {name: names.get(name, name).split(", ") for name in fields}
    return wanted | {name: [_plain(column)] for name, column in mapped.items()}


def _read_map(path: Path) -> dict[str, str]:
    example = 'One JSON object of our fields and the file\'s columns, such as {"number": "Ticket"}'
    given = read_json(path, decoded(path, read_bytes(path)))
    if not isinstance(given, dict) or not given or not all(isinstance(column, str) for column in given.values()):
        raise ImportFileError(f"{path}: is no map of fields to columns", example)
    if unknown := [name for name in given if name not in FIELDS]:
        raise ImportFileError(f"{path}: no field is called {_listed(unknown)}", f"The fields are {', '.join(FIELDS)}")
    if persons := [column for column in given.values() if holds_person(column)]:
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
        if name not in plain or name == column:
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
    other_names = {name for names in OWN.values() for name in names.split(", ")} - set(FIELDS)
    return column not in other_names and not holds_person(column)


def _listed(names: Columns | list[str]) -> str:
    more = len(names) - _MOST_COLUMNS_TOLD
    return ", ".join(f"'{name}'" for name in names[:_MOST_COLUMNS_TOLD]) + (f" and {more} more" if more > 0 else "")


__all__ = ["PRESETS", "ImportFileError", "Rows", "read_rows"]
