"""What desk.db holds, and how a record of an older version is brought to this one."""

import sqlite3
import uuid
from contextlib import closing

import sqlite_utils
from sqlite_utils import Migrations

from kb_service import desk_sums

# "KBDK": what tells a desk's file from any other SQLite file
APPLICATION_ID = 0x4B42444B

migrations = Migrations("kb_service.desk")
_APPLIED = "SELECT name, applied_at FROM _sqlite_migrations WHERE migration_set = ?"
# How the library writes down what was applied is its own
_DEFINITIONS = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name <> '_sqlite_migrations'"


@migrations()
def the_desk_s_record(database: sqlite_utils.Database) -> None:
    """Records, the facts about them, and the counter of changes that their index follows."""
    for statement in _TABLES.split(";\n"):
        database.conn.execute(statement)
    database.conn.execute("INSERT INTO meta VALUES ('change', 0), ('line', ?)", (uuid.uuid4().hex,))


@migrations()
def who_asked_and_who_changed_what(database: sqlite_utils.Database) -> None:
    """Keys, the audit log, and whose each search, suggestion, vote and attachment is."""
    for statement in _KEYS_AND_AUDIT.split(";;\n"):
        database.conn.execute(statement)
    for table in ("searches", "clicks", "suggestions", "suggestion_events", "feedback", "attachments"):
        database.conn.execute(f"ALTER TABLE {table} ADD COLUMN caller TEXT")
        database.conn.execute(f"CREATE INDEX {table}_caller ON {table} (caller) WHERE caller IS NOT NULL")


@migrations()
def what_is_missing_and_what_was_run(database: sqlite_utils.Database) -> None:
    """Articles that people asked for, and runbooks that they went through, step by step."""
    for statement in _GAPS_AND_RUNS.split(";\n"):
        database.conn.execute(statement)


@migrations()
def a_sum_of_each_row(database: sqlite_utils.Database) -> None:
    """A flipped bit of a text is noticed."""
    desk_sums.keep(database.conn)


@migrations()
def which_browser_is_signed_in(database: sqlite_utils.Database) -> None:
    """By its name, so that one knows which of one's sessions to end."""
    database.conn.execute("ALTER TABLE signed_in ADD COLUMN browser TEXT NOT NULL DEFAULT ''")
    desk_sums.keep(database.conn)


_GAPS_AND_RUNS = """
CREATE TABLE gaps (id INTEGER PRIMARY KEY, text TEXT NOT NULL, at TEXT NOT NULL, caller TEXT);
CREATE INDEX gaps_caller ON gaps (caller) WHERE caller IS NOT NULL;
CREATE TABLE runs (
  id TEXT PRIMARY KEY, article TEXT NOT NULL, title TEXT NOT NULL, revision TEXT NOT NULL, number TEXT COLLATE NOCASE,
  fields TEXT NOT NULL, steps TEXT NOT NULL, done TEXT NOT NULL, at TEXT NOT NULL, ended_at TEXT, name TEXT NOT NULL,
  caller TEXT
) WITHOUT ROWID;
CREATE INDEX runs_number ON runs (number) WHERE number IS NOT NULL;
CREATE INDEX runs_caller ON runs (caller) WHERE caller IS NOT NULL
"""

_KEYS_AND_AUDIT = """
CREATE TABLE keys (
  id TEXT PRIMARY KEY, hash BLOB NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, services TEXT NOT NULL,
  groups TEXT NOT NULL, origins TEXT NOT NULL, created_at TEXT NOT NULL, created_by TEXT NOT NULL, expires_at TEXT,
  revoked_at TEXT, last_used_at TEXT
) WITHOUT ROWID;;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  subject TEXT NOT NULL COLLATE NOCASE, detail TEXT NOT NULL, hash BLOB NOT NULL
);;
CREATE TABLE signed_in (id TEXT PRIMARY KEY, key TEXT, person TEXT, at TEXT NOT NULL) WITHOUT ROWID;;
CREATE INDEX audit_subject ON audit (subject);;
CREATE INDEX audit_actor ON audit (actor);;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END
"""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE incidents (
  number TEXT PRIMARY KEY COLLATE NOCASE, kind TEXT NOT NULL, short_description TEXT NOT NULL,
  description TEXT NOT NULL, service TEXT, cmdb_ci TEXT, category TEXT, impact TEXT, urgency TEXT, priority TEXT,
  state TEXT NOT NULL, assignment_group TEXT, opened_at TEXT NOT NULL, resolved_at TEXT, close_code TEXT,
  close_notes TEXT NOT NULL, parent_incident TEXT COLLATE NOCASE, problem_id TEXT COLLATE NOCASE,
  users_affected INTEGER, known_error INTEGER NOT NULL, workaround TEXT NOT NULL, extra TEXT NOT NULL,
  version INTEGER NOT NULL, change INTEGER NOT NULL, updated_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX incidents_change ON incidents (change);
CREATE INDEX incidents_opened ON incidents (opened_at);
CREATE INDEX incidents_parent ON incidents (parent_incident) WHERE parent_incident IS NOT NULL;
CREATE INDEX incidents_problem ON incidents (problem_id) WHERE problem_id IS NOT NULL;
CREATE TABLE erased (number TEXT PRIMARY KEY COLLATE NOCASE, change INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE attachments (
  id INTEGER PRIMARY KEY, number TEXT NOT NULL COLLATE NOCASE, article TEXT NOT NULL, revision TEXT NOT NULL,
  relation TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX attachments_number ON attachments (number);
CREATE INDEX attachments_article ON attachments (article);
CREATE TABLE feedback (
  id INTEGER PRIMARY KEY, article TEXT NOT NULL, revision TEXT NOT NULL, verdict TEXT NOT NULL, comment TEXT NOT NULL,
  anchor TEXT NOT NULL, number TEXT COLLATE NOCASE, at TEXT NOT NULL
);
CREATE INDEX feedback_article ON feedback (article);
CREATE INDEX feedback_number ON feedback (number) WHERE number IS NOT NULL;
CREATE TABLE searches (
  id INTEGER PRIMARY KEY, channel TEXT NOT NULL, text TEXT NOT NULL, number TEXT COLLATE NOCASE,
  articles TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX searches_number ON searches (number) WHERE number IS NOT NULL;
CREATE TABLE clicks (
  id INTEGER PRIMARY KEY, search_id INTEGER NOT NULL, article TEXT NOT NULL, revision TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX clicks_search ON clicks (search_id);
CREATE TABLE suggestions (
  id TEXT PRIMARY KEY, text TEXT NOT NULL, articles TEXT NOT NULL, at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE suggestion_events (
  id INTEGER PRIMARY KEY, suggestion_id TEXT NOT NULL, event TEXT NOT NULL, article TEXT, revision TEXT,
  number TEXT COLLATE NOCASE, at TEXT NOT NULL
);
CREATE INDEX suggestion_events_suggestion ON suggestion_events (suggestion_id)
"""


def known() -> set[str]:
    """The names of this version's steps."""
    return {one.name for one in migrations._migrations}


def applied_to(connection: sqlite3.Connection) -> set[str]:
    """The names of the steps that a record was brought through. Raises sqlite3.Error where it cannot tell."""
    there = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = '_sqlite_migrations'").fetchone()
    rows = connection.execute(_APPLIED, (migrations.name,)) if there else ()
    return {name for name, _ in rows}


def changed_definitions(connection: sqlite3.Connection) -> list[str]:
    """The tables, indexes and triggers of a record that its steps would make otherwise. Others may be there beside."""
    with closing(sqlite3.connect(":memory:")) as made:
        desk_sums.know(made)
        pending = known() - applied_to(connection)
        migrations.apply(sqlite_utils.Database(made), stop_before=pending or None)
        wanted, found = (dict(one.execute(_DEFINITIONS).fetchall()) for one in (made, connection))
    return sorted(name for name, sql in wanted.items() if found.get(name) != sql)


def is_older(connection: sqlite3.Connection) -> bool:
    """Whether a record is of an older version, and is brought to this one when it is opened to write."""
    return not known() <= applied_to(connection)


def migrate(connection: sqlite3.Connection) -> None:
    """Make a record, or bring one to this version."""
    desk_sums.know(connection)
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    database = sqlite_utils.Database(connection)
    if migrations.pending(database):
        migrations.apply(database)
