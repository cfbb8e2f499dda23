"""Files of records, written and read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kb_service.imports import ImportFileError, Rows, read_rows
from kb_service.incident import Incident, incident_of

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
