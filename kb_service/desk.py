"""desk.db: the desk's own record. Opening, migrations, transactions, backup and restore.

Nothing else holds what stands here, so every write is on disk before it is acknowledged (``synchronous=FULL``), writers
queue up (``BEGIN IMMEDIATE``), erased text is overwritten (``secure_delete``), and no rebuild of an index touches it.
"""

import re
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import sqlite_utils
from sqlite_utils import Migrations

from indexer import at_rest
from indexer.database import BUSY_SECONDS, Connection, create_private, open_database, reading, writing
from indexer.disk import DiskError, disk_error, whole
from indexer.errors import IndexDamagedError, KnowledgeBaseError
from indexer.locks import held
from kb_service.desk_log import Log, log_files

# "KBDK": what tells a desk's file from any other SQLite file
APPLICATION_ID = 0x4B42444B
_BEFORE_RESTORE = "desk-before-restore-"
_MEND = "Move it away, with the files beside it of the same name, and restore a backup: kb restore FILE"

migrations = Migrations("kb_service.desk")


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


class DeskError(KnowledgeBaseError):
    """The desk's record cannot be opened, or is not what it should be."""


class Desk:
    """The record of one data folder. One instance serves all threads of a process; others may write beside it."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open it, made or brought to this version first where needed, unless it is only read. Raises DeskError."""
        self.path = path
        self._open = _open_to_read if read_only else _open
        self._local = threading.local()
        # SQLite's own queue is by chance; in one process it is by turn: who waits is next, and cannot be overtaken
        self._next, self._turn = threading.Lock(), threading.Lock()
        if read_only:
            _check(path, _MEND)
            return
        self._use = at_rest.using(path.parent)
        with self._alone():
            if path.exists():
                self._check_before_use()
            _migrate(self.connection)

    def _check_before_use(self) -> None:
        """Before anything is written to it, be it how it keeps its journal. Raises DeskError."""
        name, use = self.path.name, self._use
        log = None if name in use.looked_at else Log(self.path)
        if why := use.damaged.get(name):
            raise DeskError(
                f"{self.path} is not as it was left: {why}",
                f"{_MEND}. To go on with what is there all the same, delete {use.note} and"
                f" {' and '.join(file.name for file in log_files(self.path))} instead",
            )
        _check(self.path, _MEND, may_be_new=True, thoroughly=name in use.unclean)
        if log and (lost := log.lost()):
            use.refuse(name, f"{log.files[0].name} does not hold all that was acknowledged, {lost}")
            raise DeskError(f"{log.files[0]} does not hold all that was acknowledged: {lost}", _MEND)
        use.unclean.discard(name)
        use.looked_at.add(name)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open(self.path)
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that will write. What it changed is on disk when the block ends, or nothing of it is."""
        with self._next:
            self._turn.acquire()
        try:
            with writing(self.connection):
                yield self.connection
        finally:
            self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One snapshot for several reads."""
        with reading(self.connection):
            yield self.connection

    @contextmanager
    def in_passing(self) -> Iterator[sqlite3.Connection]:
        """A write that nobody waits for: dropped when all is busy, and perhaps lost with the power."""
        connection = self.connection
        try:
            connection.execute("PRAGMA busy_timeout=50")
            connection.execute("PRAGMA synchronous=NORMAL")
            with suppress(sqlite3.OperationalError):
                yield connection
        finally:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA busy_timeout=30000")

    def meta(self, name: str) -> str | None:
        row = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    @property
    def line(self) -> str:
        """Which line of changes this is: another one after a restore, so that what follows it begins anew."""
        return str(self.meta("line"))

    @property
    def is_demo(self) -> bool:
        """Whether the records are a sample, nobody's own."""
        return self.meta("demo") is not None

    def check(self) -> None:
        """Raises DeskError where it is damaged. Reads all of it."""
        _check(self.path, _MEND, thoroughly=True)

    def backup(self, file: Path) -> None:
        """Write a consistent copy while others read and write. The file appears whole or not at all."""
        if file.exists():
            raise DeskError(f"{file} is there already", "Name another file, or move it away")
        if not file.parent.is_dir():
            raise DeskError(f"there is no folder {file.parent}", "Make it, or name a file in another")
        _copy(self.connection, file)
        # Where even this cannot be written, the copy is what matters
        with suppress(sqlite3.OperationalError), self.writing() as connection:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('backup', ?)", (at,))

    def restore(
        self, file: Path, carry_over: Callable[[sqlite3.Connection, sqlite3.Connection], None] = lambda _old, _new: None
    ) -> Path:
        """Put a backup in the record's place while others use it; gives where the record as it was is kept.

        ``carry_over`` gets a connection to the record as it is and one to what will take its place, and may write to
        that. Nobody else writes from then until it has.

        Raises DeskError where the file is no whole backup of a desk, or of a newer version, and DiskError; nothing is
        changed then.
        """
        if not file.is_file():
            raise DeskError(f"there is no file {file}", "Name a file that 'kb backup' wrote")
        _check(file, "Name a file that 'kb backup' wrote")
        kept = self.path.with_name(f"{_BEFORE_RESTORE}{datetime.now(UTC):%Y%m%dT%H%M%S%f}.db")
        work = self.path.with_name("desk-restoring.db")

        with self._alone():
            _remove(work)
            for left in self.path.parent.glob(f"{_BEFORE_RESTORE}*.part*"):
                # Of one that was killed
                left.unlink()
            try:
                with closing(_read_only(file)) as given, closing(_plain(work)) as copy:
                    given.backup(copy)
                    _migrate(copy)
                    copy.execute("UPDATE meta SET value = ? WHERE name = 'line'", (uuid.uuid4().hex,))
                    copy.row_factory = sqlite3.Row

                    def keep(status: int, _left: int, _of: int) -> None:
                        # The first page keeps writers out, and readers see none of it yet: this is the last of the
                        # record as it was. What is written to the copy by now gets here as well
                        if status == sqlite3.SQLITE_OK and not kept.exists():
                            with closing(_open(self.path)) as before:
                                _copy(before, kept)
                                carry_over(before, copy)

                    with self._turn:
                        copy.backup(self.connection, pages=1, progress=keep)
            except Exception as error:
                kept.unlink(missing_ok=True)
                if not isinstance(error, sqlite3.DatabaseError):
                    raise
                refused = DeskError(f"{file} cannot be restored: {error}", "Name a file that 'kb backup' wrote")
                raise disk_error(error) or refused from error
            finally:
                # What cannot be removed now is by the next one
                with suppress(OSError):
                    _remove(work)
        return kept

    @property
    def has_deleted(self) -> bool:
        """Whether bytes of what was deleted may be left, as where a process was stopped before it forgot them."""
        return self.meta("deleted") is not None

    def forget_deleted(self) -> None:
        """Take what was deleted out of the file and its write-ahead log; waits for readers."""
        # Overwriting what is deleted leaves the copies that are made where a full page is split
        self.connection.execute("VACUUM")
        for _ in range(round(BUSY_SECONDS)):
            if self._truncate_log():
                self.connection.execute("DELETE FROM meta WHERE name = 'deleted'")
                return

    def _truncate_log(self) -> bool:
        """Whether no reader held it. While it waits for one nobody can write, so that it waits for a moment only."""
        self.connection.execute("PRAGMA busy_timeout=1000")
        try:
            is_busy, *_ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self.connection.execute(f"PRAGMA busy_timeout={round(BUSY_SECONDS * 1000)}")
        return not is_busy

    def _alone(self) -> AbstractContextManager[bool]:
        """One process at a time makes, migrates or replaces the record."""
        return held(self.path.parent / "desk.lock")


def note_deletion(connection: sqlite3.Connection) -> None:
    """Keep that something is deleted, until it is forgotten too. Inside the transaction that deletes it."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('deleted', 1)")


def next_change(connection: sqlite3.Connection) -> int:
    """The number of a change of the record; the index over it follows these. Inside a transaction that writes."""
    row = connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'change' RETURNING value").fetchone()
    return int(row[0])


def _open(path: Path) -> sqlite3.Connection:
    try:
        connection = open_database(path, synchronous="FULL").conn
    except IndexDamagedError as error:
        raise DeskError(error.problem, _MEND) from error
    connection.execute("PRAGMA secure_delete=ON")
    return _made_ready(connection)


def _made_ready(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.row_factory = sqlite3.Row
    connection.create_function("casefold", 1, lambda text: text and text.casefold(), deterministic=True)
    return connection


def _open_to_read(path: Path) -> sqlite3.Connection:
    connection = _made_ready(_read_only(path))
    if is_older(connection):
        raise DeskError(f"{path} was written by an older version", "Start the service once: it brings it to this one")
    return connection


def _check(path: Path, remedy: str, *, may_be_new: bool = False, thoroughly: bool = False) -> None:
    """Raise DeskError for a file that is no desk's, is damaged, or is of a newer version. Writes nothing to it."""
    try:
        with closing(_read_only(path)) as connection:
            judge(connection, path, remedy, may_be_new=may_be_new, thoroughly=thoroughly)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and (failing := disk_error(error)):
            raise failing from error
        raise DeskError(
            f"{path} cannot be read: {error}", f"Look at its disk, then try again. Else: {remedy}"
        ) from error


def _damage(path: Path, told: str, remedy: str) -> KnowledgeBaseError:
    """What a check found. Where the disk did not give a page, nobody knows what stands there."""
    code = re.search(r"error code=(\d+)", told)
    if code and int(code[1]) & 0xFF == sqlite3.SQLITE_IOERR:
        return DiskError(f"{path} cannot be read: {told}", "Look at its disk, then try again; leave the file as it is")
    return DeskError(f"{path} is damaged: {told}", remedy)


def judge(
    connection: sqlite3.Connection, path: Path, remedy: str, *, may_be_new: bool = False, thoroughly: bool = False
) -> None:
    """Raise DeskError for what is no desk's record, is of a newer version, or is damaged.

    That it is whole is asked last, as it takes long where there is much.
    """
    database = sqlite_utils.Database(connection)
    is_new = may_be_new and not database.table_names()
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID and not is_new:
        raise DeskError(f"{path} is not the record of a desk", remedy)
    newer = {one.name for one in migrations.applied(database)} - {one.name for one in migrations._migrations}
    if newer:
        raise DeskError(f"{path} was written by a newer version ({', '.join(sorted(newer))})", "Use that version")
    check = "integrity_check" if thoroughly else "quick_check"
    if (told := connection.execute(f"PRAGMA {check}(1)").fetchone()[0]) != "ok":
        raise _damage(path, told.splitlines()[-1], remedy)


def is_older(connection: sqlite3.Connection) -> bool:
    """Whether a record is of an older version, and is brought to this one when it is opened to write."""
    return bool(migrations.pending(sqlite_utils.Database(connection)))


def _migrate(connection: sqlite3.Connection) -> None:
    """Make a record, or bring one to this version."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    database = sqlite_utils.Database(connection)
    if migrations.pending(database):
        migrations.apply(database)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS, factory=Connection)


def _plain(path: Path) -> sqlite3.Connection:
    create_private(path)
    return sqlite3.connect(path, isolation_level=None, factory=Connection)


def _copy(connection: sqlite3.Connection, file: Path) -> None:
    """A record as it stands now, in one step: in several, each write of others would begin it anew."""
    with whole(file) as part:
        try:
            # The journal of a killed copy would be taken for this one's
            _remove(part)
            with closing(_plain(part)) as copy:
                connection.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
        except BaseException:
            _remove(part)
            raise


def _remove(database: Path) -> None:
    """A database's file and those that SQLite keeps beside it."""
    for ending in ("", "-journal", "-wal", "-shm"):
        database.with_name(f"{database.name}{ending}").unlink(missing_ok=True)
