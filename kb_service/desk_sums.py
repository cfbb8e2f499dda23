"""A CRC-32 beside each row of desk.db, since SQLite reads a flipped bit without a word.

Triggers keep it, so that no statement can forget it: every connection that writes has to know their function. The audit
log has none, as its entries are chained.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from indexer.row_checks import crc_of

_FUNCTION = "row_crc"
TABLES = (
    "meta", "incidents", "erased", "attachments", "feedback", "searches", "clicks", "suggestions", "suggestion_events",
    "keys", "signed_in", "gaps", "runs",
)  # fmt: skip


def know(connection: sqlite3.Connection) -> None:
    """Make a connection one that writes rows with their sums."""
    connection.create_function(_FUNCTION, -1, crc_of, deterministic=True)


def keep(connection: sqlite3.Connection) -> None:
    """Have the rows of every table summed from now on, those that are there among them.

    To be done again by whatever changes the columns of a table.
    """
    for table in TABLES:
        key, columns = _columns(connection, table)
        if not has_sums(connection, table):
            connection.execute(f"ALTER TABLE {table} ADD COLUMN crc INTEGER")
        summed = f"UPDATE {table} SET crc = {_FUNCTION}({', '.join(columns)})"
        for when in ("INSERT", f"UPDATE OF {', '.join(columns)}"):
            name = f"{table}_summed_on_{when.split()[0].lower()}"
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
            connection.execute(
                f"CREATE TRIGGER {name} AFTER {when} ON {table} BEGIN {summed} WHERE {key} = NEW.{key}; END"
            )
    renew(connection)


def renew(connection: sqlite3.Connection) -> None:
    """Take every row for what it is now."""
    for table in TABLES:
        key, columns = _columns(connection, table)
        # SQLite's functions take no text that is none
        sums = [(crc_of(*values), name) for name, values in _rows(connection, table, key, columns)]
        connection.executemany(f"UPDATE {table} SET crc = ? WHERE {key} = ?", sums)


def changed(connection: sqlite3.Connection) -> Iterator[str]:
    """The rows that are not as they were written, each by its key and table. Reads all, by a connection of any kind."""
    for table in TABLES:
        if has_sums(connection, table):
            key, columns = _columns(connection, table)
            for name, (crc, *values) in _rows(connection, table, key, ["crc", *columns]):
                if crc != crc_of(*values):
                    yield f"{name!r} of {table}"


def is_as_written(row: sqlite3.Row) -> bool:
    """Whether a row, of all columns of its table, is the one that was summed."""
    crc: int | None = row["crc"]
    return crc == crc_of(*(row[name] for name in row.keys() if name != "crc"))  # noqa: SIM118 (a Row is no mapping)


def has_sums(connection: sqlite3.Connection, table: str) -> bool:
    """Whether it is a table of a record of this version, or of one that had sums already."""
    return any(name == "crc" for name, _ in _described(connection, table))


def _columns(connection: sqlite3.Connection, table: str) -> tuple[str, list[str]]:
    """The one column that is a table's key, and all of them but the sum."""
    described = [(name, is_key) for name, is_key in _described(connection, table) if name != "crc"]
    (key,) = (name for name, is_key in described if is_key)
    return key, [name for name, _ in described]


def _described(connection: sqlite3.Connection, table: str) -> list[tuple[str, bool]]:
    return [(row[1], bool(row[5])) for row in connection.execute(f"PRAGMA table_info({table})")]


def _rows(
    connection: sqlite3.Connection, table: str, key: str, columns: Sequence[str]
) -> Iterator[tuple[Any, list[Any]]]:
    """Of each row its key, and what stands in its columns."""
    before, connection.text_factory = connection.text_factory, legible
    try:
        for name, *values in connection.execute(f"SELECT {key}, {', '.join(columns)} FROM {table}"):
            yield name, values
    finally:
        connection.text_factory = before


def legible(text: bytes) -> str:
    """A text as connections of a desk read it: a flipped one may be none; it is another than was summed then."""
    return text.decode("utf-8", "backslashreplace")
