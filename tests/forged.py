"""What whoever holds the file of a desk can do to its audit log."""

import sqlite3

_GUARDS = "SELECT name, sql FROM sqlite_schema WHERE name LIKE 'audit_is_never_%'"


def rewrite(connection: sqlite3.Connection, statement: str = "UPDATE audit SET actor = 'nobody' WHERE id = 1") -> None:
    """Change the log, with its guards taken away for that moment."""
    guards = connection.execute(_GUARDS).fetchall()
    assert len(guards) == 2
    for name, _ in guards:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    for _, sql in guards:
        connection.execute(sql)
