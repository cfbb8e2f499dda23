"""vectors.db: vectors by encoder and text, so that no text is encoded twice. Only a cache: delete it and it refills."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.database import open_database, writing

HalfVectors = NDArray[np.float16]
_MOST_VARIABLES = 900


def text_hash(text: str) -> bytes:
    """The key of a text: 16 bytes of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


class VectorCache:
    """Vectors of one encoder, ``(n, dimension)`` float16 as the index keeps them."""

    def __init__(self, path: Path, encoder: str) -> None:
        self._connection = open_database(path).conn
        self._encoder = encoder
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (encoder TEXT, text_hash BLOB, vector BLOB NOT NULL,"
            " PRIMARY KEY (encoder, text_hash)) WITHOUT ROWID"
        )

    def get(self, hashes: Sequence[bytes]) -> dict[bytes, HalfVectors]:
        """The vectors that are there, by hash."""
        found: dict[bytes, HalfVectors] = {}
        for start in range(0, len(hashes), _MOST_VARIABLES):
            part = hashes[start : start + _MOST_VARIABLES]
            marks = ",".join("?" * len(part))
            rows = self._connection.execute(
                f"SELECT text_hash, vector FROM vectors WHERE encoder = ? AND text_hash IN ({marks})",
                (self._encoder, *part),
            )
            found.update((key, np.frombuffer(blob, np.float16)) for key, blob in rows)
        return found

    def put(self, pairs: Iterable[tuple[bytes, HalfVectors]]) -> None:
        """Keep vectors; committed on return."""
        with writing(self._connection):
            self._connection.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                ((self._encoder, key, vector.tobytes()) for key, vector in pairs),
            )

    def forget_all_but(self, hashes: Collection[bytes]) -> None:
        """Delete every other vector, of any encoder, so that nothing of it is left in the file or its log."""
        self._connection.execute("PRAGMA secure_delete=ON")
        with writing(self._connection):
            every = self._connection.execute("SELECT DISTINCT text_hash FROM vectors").fetchall()
            self._connection.executemany(
                "DELETE FROM vectors WHERE text_hash = ?", ((key,) for (key,) in every if key not in hashes)
            )
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._connection.close()
