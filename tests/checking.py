"""``kb check`` of a content, as its tests ask it."""

from datetime import UTC, datetime
from typing import Any

from indexer.check import check_library
from indexer.check_options import Options
from indexer.findings import Finding
from indexer.library import read_library
from indexer.source import Content


def check(content: Content, options: Options | None = None, **more: Any) -> list[Finding]:
    return check_library(read_library(content, datetime.now(UTC).date()), options, **more)
