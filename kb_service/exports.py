"""Records out of the desk, into files that ``kb_service.imports`` and a spreadsheet read."""

import csv
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, TextIO

from kb_service.attachments import Attachment, Attachments
from kb_service.incident import FIELDS, Incident
from kb_service.incident_rows import fields_of
from kb_service.incidents import Incidents

_BATCH = 500
# What a spreadsheet would run as a formula; quotes before it are counted in, so that taking one off gives it back
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def write_jsonl(file: TextIO, incidents: Incidents, attachments: Attachments) -> int:
    """Write every record, one JSON object a line, with the articles attached to it; gives how many records."""
    written = 0
    for batch in _batches(incidents):
        attached = attachments.of_incidents(one.number for one in batch)
        for one in batch:
            articles = [_article(attachment) for attachment in attached.get(one.number, ())]
            file.write(json.dumps({**fields_of(one), "articles": articles}, ensure_ascii=False) + "\n")
        written += len(batch)
    return written


def write_csv(file: TextIO, incidents: Incidents, _attachments: Attachments) -> int:
    """Write every record's fields below a header, without articles and unknown fields; gives how many records.

    The file is to be opened with ``newline=""``. Cells that a spreadsheet would run get a ' in front. Called like
    ``write_jsonl``.
    """
    writer = csv.writer(file)
    writer.writerow(FIELDS)
    written = 0
    for batch in _batches(incidents):
        for one in batch:
            values = fields_of(one)
            writer.writerow([_defused(values[name]) for name in FIELDS])
        written += len(batch)
    return written


def _batches(incidents: Incidents) -> Iterator[list[Incident]]:
    """Every record once, also one that is changed meanwhile and comes round again."""
    seen: set[str] = set()
    every = incidents.every()
    while batch := list(islice(every, _BATCH)):
        fresh = [one for one in batch if one.number not in seen]
        seen.update(one.number for one in fresh)
        yield fresh


def _article(one: Attachment) -> dict[str, Any]:
    resolved_by = one.relation == "resolved_by"
    return {"article": one.article, "revision": one.revision, "resolved_by": resolved_by, "at": one.at.isoformat()}


def _defused(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
