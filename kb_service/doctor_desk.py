"""The desk's record: is it whole, of this version, and who may come in by its keys."""

import shlex
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from indexer.database import look_into
from indexer.errors import KnowledgeBaseError
from kb_service.audit import verify
from kb_service.callers import check_doors
from kb_service.desk_check import judge
from kb_service.desk_schema import is_older
from kb_service.diagnosis import CHECK_SECONDS, Case, Diagnosis, ends_in_time, size, taken
from kb_service.keys import Key, listed
from kb_service.settings import Settings

_RECORD, _KEYS = "desk.db", "keys"
_LONGEST_LOG = 256 * 1024 * 1024
_SOON, _UNUSED = timedelta(days=14), timedelta(days=180)
# As the alert has it
_OLD_BACKUP = timedelta(days=2)


def record(case: Case) -> Iterator[Diagnosis]:
    """Whether it opens, is a desk's, of this version, whole, and its audit log as it was written."""
    path = _path(case)
    if not path.exists():
        if not case.settings.data.is_dir():
            return
        if (case.settings.data / "index.db").exists():
            remedy = f"If it was not meant to begin anew, restore a backup: {case.kb('restore', 'FILE')}"
            yield Diagnosis(_RECORD, "warning", f"there is no {path}, though an index is: it is lost, or new", remedy)
        else:
            yield Diagnosis(_RECORD, "ok", "not made yet")
        return
    try:
        yield from look_into(path, lambda connection: [*_judged(connection, path, _restore(case, path))])
    except sqlite3.DatabaseError as error:
        yield Diagnosis(_RECORD, "error", f"{path} cannot be read: {error}", _restore(case, path))
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size > _LONGEST_LOG:
        said = f"{log} has grown to {size(log.stat().st_size)}: something has read the record for too long"
        yield Diagnosis(_RECORD, "warning", said, "Start the service again: it is folded in then")


def backup(case: Case) -> Iterator[Diagnosis]:
    """Whether the record was copied lately, so that a disk that is lost does not take it with it."""
    path = _path(case)
    if not path.exists():
        return
    try:
        yield from look_into(path, lambda connection: [*_copied(connection, case, datetime.now(UTC))])
    except (sqlite3.Error, KnowledgeBaseError):
        # That the record cannot be read is said of the record
        return


def keys(case: Case) -> Iterator[Diagnosis]:
    """Whether who should come in can, and nobody else: doors, keys that end or ended, keys that nobody uses."""
    path = _path(case)
    if path.exists():
        try:
            every = look_into(path, _keys)
        except (sqlite3.Error, KnowledgeBaseError):
            # That the record cannot be read is said of the record
            return
    elif case.settings.data.is_dir():
        every = []
    else:
        return
    found = [*_doors(case, every), *_lapsing(case, every, datetime.now(UTC))]
    yield from found
    if not found:
        live = sum(key.is_live for key in every)
        told = f"{live} valid" if every else "none: whoever works at this machine may come in, nobody else"
        yield Diagnosis(_KEYS, "ok", f"{told}{', and an OIDC provider' if case.settings.provider else ''}")


def _path(case: Case) -> Path:
    return case.settings.data / "desk.db"


def _restore(case: Case, path: Path) -> str:
    aside = path.with_name(f"desk-damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    move = f"mkdir {shlex.quote(str(aside))} && mv {shlex.quote(str(path))}* {shlex.quote(str(aside))}"
    return f"Restore a backup. With the service stopped, run: {move} && {case.kb('restore', 'FILE')}"


def _judged(connection: sqlite3.Connection, path: Path, remedy: str) -> Iterator[Diagnosis]:
    try:
        is_whole = ends_in_time(connection, lambda: judge(connection, path, remedy, thoroughly=True))
    except KnowledgeBaseError as error:
        yield Diagnosis(_RECORD, "error", error.problem, error.remedy)
        return
    if is_older(connection):
        # So far on, for what follows reads the tables of this version
        yield Diagnosis(
            _RECORD, "warning", f"{path} is of an older version of the program",
            "Back it up, then start the service: it is brought to this version, and no older one opens it then",
        )  # fmt: skip
        return
    entries = 0

    def count() -> None:
        nonlocal entries
        entries = verify(connection)

    try:
        is_whole = ends_in_time(connection, count) and is_whole
    except KnowledgeBaseError as error:
        yield Diagnosis(_RECORD, "error", f"{path}: {error.problem}", error.remedy)
        return
    (records,) = connection.execute("SELECT count(*) FROM incidents").fetchone()
    is_demo = connection.execute("SELECT 1 FROM meta WHERE name = 'demo'").fetchone() is not None
    told = f"{records} {'sample ' if is_demo else ''}records, {taken(connection)}, {entries} audit entries"
    yield Diagnosis(
        _RECORD, "ok", told + ("" if is_whole else f"; looked through for {CHECK_SECONDS:.0f} s, not to its end")
    )


def _copied(connection: sqlite3.Connection, case: Case, now: datetime) -> Iterator[Diagnosis]:
    meta = dict(connection.execute("SELECT name, value FROM meta WHERE name IN ('demo', 'backup')").fetchall())
    (records, oldest) = connection.execute("SELECT count(*), min(updated_at) FROM incidents").fetchone()
    if "demo" in meta or not records:
        return
    last = datetime.fromisoformat(meta["backup"]) if "backup" in meta else None
    if now - (last or datetime.fromisoformat(oldest)) < _OLD_BACKUP:
        yield Diagnosis("backup", "ok", f"the last one is of {last:%Y-%m-%d %H:%M} UTC" if last else "none yet")
        return
    said = f"the last one is of {last:%Y-%m-%d %H:%M} UTC" if last else "'kb backup' has never copied the record"
    lost = "what changed since" if last else f"all {records} records"
    remedy = (
        f"Have this done daily, to another disk: {case.kb('backup', 'FILE')}. Copies by other means are not counted"
    )
    yield Diagnosis("backup", "warning", f"{said}: {lost} would be lost with the disk", remedy)


def _keys(connection: sqlite3.Connection) -> list[Key]:
    connection.row_factory = sqlite3.Row
    return listed(connection)


def _doors(case: Case, every: Sequence[Key]) -> Iterator[Diagnosis]:
    """Others come in unasked, or nobody can, or nobody who may change keys."""
    settings = case.settings
    make = f"Run: {case.kb('keys', 'create', '--role', 'admin')}"
    try:
        check_doors(settings, lambda: bool(every))
    except KnowledgeBaseError as error:
        yield Diagnosis(_KEYS, "error", error.problem, f"The service does not start so. {make}")
    live = [key for key in every if key.is_live]
    if every and not live and settings.provider is None:
        yield Diagnosis(
            _KEYS, "error", "no key is valid any more, and there is no OIDC provider: nobody comes in", make
        )
    elif every and not _has_admin(settings, live):
        said = "no valid key is an admin's: nobody sees /metrics and why publishing fails, or changes records of others"
        yield Diagnosis(_KEYS, "warning", said, make)


def _has_admin(settings: Settings, live: Sequence[Key]) -> bool:
    by_provider = settings.provider is not None and "admin" in settings.oidc_roles.values()
    return by_provider or any(key.role == "admin" for key in live)


def _lapsing(case: Case, every: Sequence[Key], now: datetime) -> Iterator[Diagnosis]:
    for key in every:
        if key.revoked_at is not None:
            continue
        shown = f"{key.id} ({key.role}, {key.name})"
        revoke = case.kb("keys", "revoke", key.id)
        used = key.last_used_at or key.created_at
        if key.expires_at is not None and key.expires_at < now + _SOON:
            expires = "expired" if key.expires_at <= now else "expires"
            said = f"{shown} {expires} {key.expires_at:%Y-%m-%d %H:%M} UTC, " + _last_use(key)
            yield Diagnosis(
                _KEYS, "warning", said, f"Make another for who needs it (kb keys create), then run: {revoke}"
            )
        elif used < now - _UNUSED:
            said = f"{shown} is valid, but " + _last_use(key)
            yield Diagnosis(_KEYS, "warning", said, f"If nobody misses it, run: {revoke}")


def _last_use(key: Key) -> str:
    if key.last_used_at:
        return f"was used last {key.last_used_at:%Y-%m-%d}"
    return f"was never used since {key.created_at:%Y-%m-%d}"
