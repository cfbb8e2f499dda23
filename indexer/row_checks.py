"""A CRC-32 beside each text of an index, since SQLite reads a flipped bit without a word."""

import sqlite3
import zlib

from indexer.errors import IndexDamagedError

# By table: what is checked, and the column that its CRC-32 stands in
_CHECKED = (
    ("passages", "key, owner, role, heading_path, anchor, text", "crc"),
    ("objects", "card", "card_crc"),
    ("objects", "object", "object_crc"),
    ("staged", "path, stamp, revision, videos, problems, id, object, passages", "crc"),
)
Value = str | int | float | bytes | None


def crc_of(*values: Value) -> int:
    """The CRC-32 of a row's values, in the order of their columns."""
    return zlib.crc32("\0".join(map(str, values)).encode("utf-8", "surrogatepass"))


def require_intact(crc: int, *values: Value) -> None:
    """Raises IndexDamagedError where a row is not as it was written."""
    if crc_of(*values) != crc:
        raise IndexDamagedError(
            "a text of the index is not as it was written",
            "Run 'kb index', which makes it anew; a service that runs does so by itself",
        )


def check(connection: sqlite3.Connection) -> None:
    """Read every row that has one. Raises IndexDamagedError."""
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    for table, columns, crc in _CHECKED:
        if table in there:
            for found, *values in connection.execute(f"SELECT {crc}, {columns} FROM {table}"):
                require_intact(found, *values)
