"""Many records in one body: a JSON object a line, or a JSON array; a single object may be of several lines."""

import codecs
import json
from collections.abc import Iterator, Mapping
from typing import Any

from kb_service.incidents import Given

MOST_LINE_BYTES = 1024 * 1024


def given_in(body: bytes) -> list[Given]:
    """The records of a body, each with its line (in an array, its place), or what is wrong with that."""
    body = body.removeprefix(codecs.BOM_UTF8)
    if body.lstrip()[:1] == b"[":
        try:
            rows = json.loads(body)
        except (ValueError, RecursionError) as error:
            return [(1, f"broken JSON: {error}")]
        return [(place, row if isinstance(row, dict) else "is no JSON object") for place, row in enumerate(rows, 1)]
    given = list(_lines(body))
    if given and isinstance(given[0][1], str) and (whole := _single(body)) is not None:
        return [(1, whole)]
    return given


def _single(body: bytes) -> Mapping[str, Any] | None:
    """The body as one object, written over several lines."""
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return whole if isinstance(whole, dict) else None


def _lines(body: bytes) -> Iterator[Given]:
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        if len(line) > MOST_LINE_BYTES:
            yield number, f"is longer than {MOST_LINE_BYTES:,} bytes"
            continue
        try:
            row = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError:
            yield number, "is not UTF-8"
        except (ValueError, RecursionError) as error:
            yield number, f"broken JSON: {error}"
        else:
            yield number, row if isinstance(row, dict) else "is no JSON object"
