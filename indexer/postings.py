"""The inverted index: which passages hold a term and how often, as lists in SQLite that numpy reads as they lie.

A list is kept in pieces that fit one page of the file each, so that to put a passage in or take one out writes little,
and to read half a million takes a millisecond. (FTS5 keeps such lists too, but gives them out one by one, 1 µs each,
and cannot tell how long one is without going through it.) What is taken out is gone from the lists at once. Each scope
has lists of its own, so that what others may see is not even read and takes no time.
"""

import sqlite3
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]
Counts = NDArray[np.uint8]

# What has one number may be seen by the same people
Scope = int

# Four bytes say how far a key is from the first one, one how often the term is said: 4,000 of a page of 4,096
_MOST_IN_PIECE = 800
_FAR = 1 << 32
# So many pieces a list can have; they lie one after another
_PIECES = 1 << 20
_OFTEN = 255
_FEW = 64
# Of a large import so much is collected before it is written
_MOST_COLLECTED = 3_000_000


class List(NamedTuple):
    """Keys of passages, ``(n,)`` int64 in rising order, and how often each says the term, 255 for all that is more."""

    keys: Keys
    counts: Counts


EMPTY = List(np.zeros(0, np.int64), np.zeros(0, np.uint8))


def create_tables(connection: sqlite3.Connection) -> None:
    """The terms of each scope with the number of their holders, and the pieces of their lists."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS terms ("
        "number INTEGER PRIMARY KEY, scope INTEGER NOT NULL, term TEXT NOT NULL, holders INTEGER NOT NULL,"
        " UNIQUE (scope, term))"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS pieces (id INTEGER PRIMARY KEY, first INTEGER NOT NULL, list BLOB NOT NULL)"
    )


def read(connection: sqlite3.Connection, scopes: Sequence[Scope], term: str) -> List:
    """The list of a term in some scopes."""
    rows = connection.execute(
        "SELECT p.first, p.list FROM terms t CROSS JOIN pieces p"
        f" ON p.id BETWEEN t.number * {_PIECES} AND t.number * {_PIECES} + {_PIECES - 1}"
        f" WHERE t.scope IN ({_marks(scopes)}) AND t.term = ?",
        (*scopes, term),
    )
    pieces = [_unpacked(first, packed) for first, packed in rows]
    if len(pieces) < 2:
        return pieces[0] if pieces else EMPTY
    keys, counts = (np.concatenate(column) for column in zip(*pieces, strict=True))
    if len(scopes) > 1:
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
    return List(keys, counts)


def holders(connection: sqlite3.Connection, scopes: Sequence[Scope], terms: Sequence[str]) -> dict[str, int]:
    """How many passages hold each of the terms in some scopes, without their lists being read."""
    rows = connection.execute(
        f"SELECT term, sum(holders) FROM terms WHERE scope IN ({_marks(scopes)}) AND term IN ({_marks(terms)})"
        " GROUP BY term",
        (*scopes, *terms),
    )
    return dict.fromkeys(terms, 0) | dict(rows)


class Changes:
    """What a transaction changes, collected so that each list is written once; ``write`` it before the end.

    Keys that are added are above all that were there.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._added: defaultdict[Scope, defaultdict[str, array[int]]] = defaultdict(_lists)
        self._gone: defaultdict[Scope, defaultdict[str, array[int]]] = defaultdict(_lists)
        self._collected = 0

    def add(self, scope: Scope, key: int, terms: str) -> None:
        """A passage that says these terms, with a space between, some perhaps several times; keys in rising order."""
        lists = self._added[scope]
        said = terms.split()
        for term in said:
            lists[term].append(key)
        self._collected += len(said)
        if self._collected > _MOST_COLLECTED:
            self.write()

    def take_out(self, scope: Scope, key: int, terms: Iterable[str]) -> None:
        """A passage that said these terms."""
        lists = self._gone[scope]
        for term in set(terms):
            lists[term].append(key)

    def write(self) -> None:
        """Into the tables."""
        for scope, lists in sorted(self._added.items()):
            for term in sorted(lists):
                self._add(scope, term, lists[term])
        # Last, so that what was put in and taken out at once is gone
        for scope, lists in sorted(self._gone.items()):
            for term in sorted(lists):
                self._take_out(scope, term, np.unique(np.frombuffer(lists[term], np.int64)))
        self._gone.clear()
        self._added.clear()
        self._collected = 0

    def _add(self, scope: Scope, term: str, said: "array[int]") -> None:
        """Keys in rising order, each as often as its passage says the term."""
        # Counted one by one where they are few, as they are when a record is put in: numpy takes longer to begin
        new = Counter(said) if len(said) < _FEW else None
        many = None if new is not None else _counted(said)
        (number,) = self._connection.execute(
            "INSERT INTO terms (scope, term, holders) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET holders = holders + excluded.holders RETURNING number",
            (scope, term, len(new) if new is not None else len(many.keys if many else ())),
        ).fetchone()
        begin = number * _PIECES
        last = self._connection.execute(
            "SELECT id, first, list FROM pieces WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
            (begin, begin + _PIECES - 1),
        ).fetchone()
        if new is not None and last is not None and _fits(last[1], last[2], new, said[-1]):
            self._connection.execute(
                "UPDATE pieces SET list = ? WHERE id = ?", (_longer(last[1], last[2], new), last[0])
            )
            return
        added = many or List(np.fromiter(new or (), np.int64), _at_most(np.fromiter((new or {}).values(), np.int64)))
        if last is not None:
            begin, held = last[0], _unpacked(*last[1:])
            added = List(np.concatenate([held.keys, added.keys]), np.concatenate([held.counts, added.counts]))
        self._connection.executemany(
            "INSERT OR REPLACE INTO pieces VALUES (?, ?, ?)",
            ((begin + at, int(piece.keys[0]), _packed(piece)) for at, piece in enumerate(_cut(added))),
        )

    def _take_out(self, scope: Scope, term: str, keys: Keys) -> None:
        found = self._connection.execute(
            "SELECT number, holders FROM terms WHERE scope = ? AND term = ?", (scope, term)
        ).fetchone()
        if found is None:
            return
        number, count = found
        left = keys
        while len(left):
            row = self._connection.execute(
                "SELECT id, first, list FROM pieces WHERE id BETWEEN ? AND ? AND first <= ? ORDER BY id DESC LIMIT 1",
                (number * _PIECES, (number + 1) * _PIECES - 1, int(left[-1])),
            ).fetchone()
            if row is None:
                break
            held = _unpacked(*row[1:])
            stays = ~np.isin(held.keys, left)
            count -= len(stays) - int(np.count_nonzero(stays))
            if stays.any():
                piece = List(held.keys[stays], held.counts[stays])
                self._connection.execute(
                    "UPDATE pieces SET first = ?, list = ? WHERE id = ?",
                    (int(piece.keys[0]), _packed(piece), row[0]),
                )
            else:
                self._connection.execute("DELETE FROM pieces WHERE id = ?", (row[0],))
            left = left[left < held.keys[0]]
        if count:
            self._connection.execute("UPDATE terms SET holders = ? WHERE number = ?", (count, number))
        else:
            self._connection.execute("DELETE FROM terms WHERE number = ?", (number,))


def clear(connection: sqlite3.Connection) -> None:
    """Empty every list."""
    connection.execute("DELETE FROM terms")
    connection.execute("DELETE FROM pieces")


def _cut(whole: List) -> Iterator[List]:
    start = 0
    while start < len(whole.keys):
        end = min(start + _MOST_IN_PIECE, int(np.searchsorted(whole.keys, whole.keys[start] + _FAR)))
        yield List(whole.keys[start:end], whole.counts[start:end])
        start = end


def _counted(said: "array[int]") -> List:
    """Keys in rising order, each as often as it is there."""
    keys, counts = np.unique(np.frombuffer(said, np.int64), return_counts=True)
    return List(keys, _at_most(counts))


def _at_most(counts: NDArray[np.int64]) -> Counts:
    return np.minimum(counts, _OFTEN).astype(np.uint8)


def _fits(first: int, packed: bytes, new: Mapping[int, int], highest: int) -> bool:
    """Whether a piece has room for further keys."""
    return len(packed) // 5 + len(new) <= _MOST_IN_PIECE and highest - first < _FAR


def _longer(first: int, packed: bytes, new: Mapping[int, int]) -> bytes:
    """A piece with further keys, put between what is there."""
    count = len(packed) // 5
    keys = array("I", [key - first for key in new]).tobytes()
    counts = bytes(min(count, _OFTEN) for count in new.values())
    return b"".join((packed[: 4 * count], keys, packed[4 * count :], counts))


def _packed(piece: List) -> bytes:
    return b"".join(((piece.keys - piece.keys[0]).astype(np.uint32).tobytes(), piece.counts.tobytes()))


def _unpacked(first: int, packed: bytes) -> List:
    count = len(packed) // 5
    keys = np.frombuffer(packed, np.uint32, count).astype(np.int64) + first
    return List(keys, np.frombuffer(packed, np.uint8, count, offset=4 * count))


def _lists() -> "defaultdict[str, array[int]]":
    return defaultdict(_list)


def _list() -> "array[int]":
    return array("q")


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
