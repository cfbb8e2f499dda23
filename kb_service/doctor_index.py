"""What is derived from content and record: model, indexes, caches. All of it can be made anew."""

import json
import shlex
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from indexer import build
from indexer.database import look_into
from indexer.encoder import HashingEncoder
from indexer.errors import EncoderError, IndexDamagedError
from indexer.index_file import SCHEMA_VERSION, counts, meta
from indexer.model_files import EXPORT_RECIPE, export_card, export_folder, exported, model_folder, model_hash
from indexer.vector_files import BaseFile, check_base
from kb_service import incident_index
from kb_service.diagnosis import CHECK_SECONDS, Case, Diagnosis, ends_in_time, size, taken
from kb_service.settings import Settings

_MODEL = "model"


@dataclass(frozen=True, slots=True)
class _Kind:
    """An index: its file, what is found in it, and the format of its passages."""

    file: str
    of: str
    format: str


def model(case: Case) -> Iterator[Diagnosis]:
    """Whether the model is there, the published one, exported, and the export as it was written."""
    settings = case.settings
    if settings.encoder == "hashing":
        yield Diagnosis(_MODEL, "ok", "none (hashing, which is for tests): only words that are spelt alike are near")
        return
    own = model_hash(model_folder(settings.model, fetch=False))
    if settings.encoder == "sentence-transformers":
        yield Diagnosis(_MODEL, "ok", f"{settings.model}, run by sentence-transformers, not exported")
        return
    folder = export_folder(settings.cache_folder, own)
    if not (folder / "encoder.json").exists():
        yield Diagnosis(
            _MODEL,
            "ok",
            f"{settings.model}, not exported yet: the first run takes half a minute more and 1 GB of memory",
        )
        return
    try:
        card = exported(folder)
    except EncoderError as error:
        again = f"rm -r -- {shlex.quote(str(folder))} && {case.kb('index', content=True)}"
        yield Diagnosis(_MODEL, "error", error.problem, f"It is exported again, in half a minute. Run: {again}")
        return
    import_module("onnxruntime")
    if card.get("differs"):
        said = f"the export of {settings.model} differs from the original, so that the slower original is used"
        yield Diagnosis(_MODEL, "warning", said, "Name another by KB_MODEL, or set KB_ENCODER=sentence-transformers")
    else:
        yield Diagnosis(_MODEL, "ok", f"{settings.model}, exported, as it was written")


def articles(case: Case) -> Iterator[Diagnosis]:
    """The index over the content."""
    yield from _index(case, _Kind("index.db", "articles", build.FORMAT))


def incidents(case: Case) -> Iterator[Diagnosis]:
    """The index over the desk's records."""
    # Where nothing is there yet that is said once
    if any((case.settings.data / name).exists() for name in ("index.db", "incidents.db")):
        yield from _index(case, _Kind("incidents.db", "records", incident_index.FORMAT))


def caches(case: Case) -> Iterator[Diagnosis]:
    """Encoded texts, kept to save time."""
    for path in (case.settings.cache_folder / "vectors.db", case.settings.data / "incident-vectors.db"):
        if not path.exists():
            continue
        try:
            is_whole = look_into(path, lambda connection: ends_in_time(connection, lambda: _check(connection)))
        except sqlite3.DatabaseError as error:
            said = f"{path} cannot be read: {error}"
            yield Diagnosis(
                "vectors", "error", said, f"It is only a cache. With the service stopped, run: {_remove(path)}"
            )
        else:
            yield Diagnosis("vectors", "ok", f"{path.name}, {size(path.stat().st_size)}{_as_far(is_whole=is_whole)}")


def _identity(settings: Settings) -> str | None:
    """Of the encoder of the settings, as it will call itself; None where the model cannot be found."""
    if settings.encoder == "hashing":
        return HashingEncoder.identity
    try:
        own = model_hash(model_folder(settings.model, fetch=False))
        folder = export_folder(settings.cache_folder, own)
        is_plain = settings.encoder == "sentence-transformers"
        if is_plain or ((folder / "encoder.json").exists() and export_card(folder).get("differs")):
            return f"{own}:sentence-transformers-1"
    except EncoderError:
        return None
    return f"{own}:{EXPORT_RECIPE}"


def _index(case: Case, kind: _Kind) -> Iterator[Diagnosis]:
    path, again = case.settings.data / kind.file, case.kb("index", content=True)
    if not path.exists():
        if case.settings.data.is_dir():
            yield Diagnosis(kind.file, "warning", f"there is no {path}: no {kind.of} can be found", f"Run: {again}")
        return
    try:
        yield from look_into(path, lambda connection: [*_told(connection, case.settings, kind, path, again)])
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        remedy = f"It is made anew, and nothing is lost. With the service stopped, run: {_remove(path)} && {again}"
        yield Diagnosis(kind.file, "error", f"{path} is damaged: {error}", remedy)


def _told(
    connection: sqlite3.Connection, settings: Settings, kind: _Kind, path: Path, again: str
) -> Iterator[Diagnosis]:
    """Raises DatabaseError, ValueError and TypeError where it is damaged."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if version != SCHEMA_VERSION and tables:
        said = f"{path} is of another version of the program: it is made anew, and meanwhile little is found"
        yield Diagnosis(kind.file, "warning", said, f"Start the service, or run: {again}")
        return
    if "meta" not in tables or not int(meta(connection, "generation") or 0):
        yield Diagnosis(kind.file, "warning", f"{path} holds nothing yet", f"Run: {again}")
        return
    found = [*_maker(connection, settings, kind, again), *_vectors(connection, kind, path, again)]
    yield from found
    is_whole = ends_in_time(connection, lambda: _check(connection))
    if not found:
        every, _, there = counts(connection)
        (owners,) = connection.execute("SELECT count(*) FROM owners").fetchone()
        told = f"{owners} {kind.of}, {every} passages, {there} by meaning, {taken(connection)}"
        yield Diagnosis(kind.file, "ok", told + _as_far(is_whole=is_whole))


def _maker(connection: sqlite3.Connection, settings: Settings, kind: _Kind, again: str) -> Iterator[Diagnosis]:
    """Whether the settings' encoder made it, by this version's rules."""
    made_by, now = meta(connection, "made_by") or "", _identity(settings)
    if now is None:
        return
    if not made_by.startswith(f"{now}:"):
        said = f"another encoder made it ({made_by[:24]}…) than the settings name ({now[:12]}…): all is encoded anew"
        remedy = "If that is not meant, mend KB_ENCODER and KB_MODEL before the next start"
        yield Diagnosis(kind.file, "warning", said, remedy)
    elif not made_by.endswith(f":{kind.format}:{settings.language}"):
        said = "another version of the program cut its passages, or KB_LANGUAGE was another: all is read anew"
        yield Diagnosis(kind.file, "warning", said, f"Start the service, or run: {again}")


def _vectors(connection: sqlite3.Connection, kind: _Kind, path: Path, again: str) -> Iterator[Diagnosis]:
    """Whether the files of vectors are as they were written, and there is one for each text."""
    described = meta(connection, "base")
    if described:
        try:
            check_base(path.parent, BaseFile(**json.loads(described)))
        except IndexDamagedError as error:
            said = f"{error.problem}: a service that starts cannot search by meaning"
            yield Diagnosis(kind.file, "error", said, f"Its vectors are put back. Run: {again}")
    _, wanted, there = counts(connection)
    if there < wanted:
        said = f"{wanted - there} of {wanted} passages cannot be found by meaning yet"
        yield Diagnosis(kind.file, "warning", said, f"A service that runs goes on with them. Without one, run: {again}")


def _check(connection: sqlite3.Connection) -> None:
    """Raises DatabaseError where a page is not as it should be."""
    (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    # Some versions of SQLite cannot look into FTS5's own tables where nothing may be written
    if told != "ok" and not told.startswith("unable to validate"):
        raise sqlite3.DatabaseError(told)


def _remove(path: Path) -> str:
    return shlex.join(["rm", "-f", "--", *(f"{path}{ending}" for ending in ("", "-wal", "-shm"))])


def _as_far(*, is_whole: bool) -> str:
    return "" if is_whole else f"; looked through for {CHECK_SECONDS:.0f} s, not to its end"
