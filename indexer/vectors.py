"""vectors.db: vectors by encoder and text, so that no text is encoded twice. Only a cache: delete it and it refills."""

import hashlib
import logging
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.database import is_of_the_file, open_database, writing
from indexer.errors import IndexDamagedError

HalfVectors = NDArray[np.float16]
# Every number of half precision, by its bits: to look them up takes half as long as to have them worked out
_SINGLE = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
_MOST_VARIABLES = 900
_CHECK_BYTES = 4
# How rows with a check are told from those that were written without one
_CHECKED = ":crc32"

_log = logging.getLogger("kb.vectors")


def single(vectors: HalfVectors) -> NDArray[np.float32]:
    """The same in single precision, to the bit."""
    found = np.empty(vectors.shape, np.float32)
    return np.take(_SINGLE, vectors.view(np.uint16), out=found, mode="clip")


def text_hash(text: str) -> bytes:
    """The key of a text: 16 bytes of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def checked(key: int | bytes, vector: HalfVectors) -> bytes:
    """A vector as it is kept under a key: with its CRC-32, since SQLite reads a flipped bit without a word."""
    said = vector.tobytes()
    return said + _check_of(key, said)


def unchecked(key: int | bytes, kept: bytes) -> HalfVectors:
    """The vector that was kept under a key. Raises IndexDamagedError where it is not as it was written."""
    said = kept[:-_CHECK_BYTES]
    if kept[-_CHECK_BYTES:] != _check_of(key, said):
        raise IndexDamagedError("a vector is not as it was written", "Run 'kb index' to rebuild it")
    return np.frombuffer(said, np.float16)


def _check_of(key: int | bytes, said: bytes) -> bytes:
    begun = zlib.crc32(key if isinstance(key, bytes) else key.to_bytes(8, "little"))
    return zlib.crc32(said, begun).to_bytes(_CHECK_BYTES, "little")


class VectorCache:
    """Vectors of one encoder, ``(n, dimension)`` float16 as the index keeps them. A damaged one is as one not there."""

    def __init__(self, path: Path, encoder: str) -> None:
        self._path = path
        self._encoder = encoder
        try:
            self._connection = self._opened()
        except IndexDamagedError:
            self._make_anew("it is no database")

    def _opened(self) -> sqlite3.Connection:
        connection = open_database(self._path).conn
        try:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors (encoder TEXT, text_hash BLOB, vector BLOB NOT NULL,"
                " PRIMARY KEY (encoder, text_hash)) WITHOUT ROWID"
            )
        except sqlite3.DatabaseError as error:
            connection.close()
            if not is_of_the_file(error):
                raise
            raise IndexDamagedError(f"{self._path} is damaged: {error}", "Delete it: it refills") from error
        return connection

    def _make_anew(self, why: object) -> None:
        _log.warning("%s is damaged (%s); it is made anew, and texts are encoded again", self._path, why)
        for ending in ("", "-wal", "-shm"):
            self._path.with_name(f"{self._path.name}{ending}").unlink(missing_ok=True)
        self._connection = self._opened()

    def get(self, hashes: Sequence[bytes]) -> dict[bytes, HalfVectors]:
        """The vectors that are there, by hash."""
        found: dict[bytes, HalfVectors] = {}
        self._done(partial(self._get, hashes, found))
        return found

    def _get(self, hashes: Sequence[bytes], found: dict[bytes, HalfVectors]) -> None:
        for start in range(0, len(hashes), _MOST_VARIABLES):
            part = hashes[start : start + _MOST_VARIABLES]
            marks = ",".join("?" * len(part))
            query = f"SELECT text_hash, vector FROM vectors WHERE encoder = ? AND text_hash IN ({marks})"
            former = self._connection.execute(query, (self._encoder, *part))
            found.update((key, np.frombuffer(blob, np.float16)) for key, blob in former)
            for key, blob in self._connection.execute(query, (self._encoder + _CHECKED, *part)):
                with suppress(IndexDamagedError):
                    found[key] = unchecked(key, blob)

    def put(self, pairs: Iterable[tuple[bytes, HalfVectors]]) -> None:
        """Keep vectors; committed on return."""
        rows = [(self._encoder + _CHECKED, key, checked(key, vector)) for key, vector in pairs]
        if not self._done(partial(self._put, rows)):
            self._put(rows)

    def _put(self, rows: Sequence[tuple[str, bytes, bytes]]) -> None:
        with writing(self._connection):
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def forget_all_but(self, hashes: Collection[bytes]) -> None:
        """Delete every other vector, of any encoder, so that nothing of it is left in the file or its log."""
        self._done(partial(self._forget_all_but, hashes))

    def _forget_all_but(self, hashes: Collection[bytes]) -> None:
        self._connection.execute("PRAGMA secure_delete=ON")
        with writing(self._connection):
            every = self._connection.execute("SELECT DISTINCT text_hash FROM vectors").fetchall()
            self._connection.executemany(
                "DELETE FROM vectors WHERE text_hash = ?", ((key,) for (key,) in every if key not in hashes)
            )
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _done(self, work: Callable[[], None]) -> bool:
        """Whether it could be done; a damaged file is an empty one then."""
        try:
            work()
        except sqlite3.DatabaseError as error:
            if not is_of_the_file(error):
                raise
            with suppress(sqlite3.Error):
                self._connection.close()
            self._make_anew(error)
            return False
        return True

    def close(self) -> None:
        self._connection.close()
