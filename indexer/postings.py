"""The inverted index: which passages hold a term and how often, as lists in SQLite that numpy reads as they lie.

A list is kept in pieces that fit one page of the file each, so that to put a passage in or take one out writes little,
and to read half a million takes some milliseconds. (FTS5 keeps such lists too, but gives them out one by one, each in
1 µs, and cannot tell how long one is without going through it.) What is taken out is gone from the lists at once. Each
scope has lists of its own, so that what others may see is not even read and takes no time.
"""

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from indexer.posting_pieces import EMPTY, Keys, List, cut, damaged, has_room, lengthen, pack, unpack

# What has one number may be seen by the same people
Scope = int

# So many pieces a list can have; they lie one after another
_PIECES = 1 << 20
_OFTEN = 255
# So many terms are looked up at once
_TOGETHER = 500
# Of a large import so much is collected before it is written
_MOST_COLLECTED = 3_000_000


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
    """The list of a term in some scopes. Raises IndexDamagedError where it is not as it was written."""
    rows = connection.execute(
        "SELECT t.number, t.holders, p.id, p.first, p.list FROM terms t LEFT JOIN pieces p"
        f" ON p.id BETWEEN t.number * {_PIECES} AND t.number * {_PIECES} + {_PIECES - 1}"
        f" WHERE t.scope IN ({_marks(scopes)}) AND t.term = ?",
        (*scopes, term),
    )
    pieces, holders = [], {}
    for number, count, *piece in rows:
        pieces.append(unpack(*piece))
        holders[number] = count
    if sum(holders.values()) != sum(len(piece.keys) for piece in pieces):
        raise damaged(term)
    if len(pieces) < 2:
        return pieces[0] if pieces else EMPTY
    keys, counts = (np.concatenate(column) for column in zip(*pieces, strict=True))
    if len(scopes) > 1:
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
    return List(keys, counts)


def holders(connection: sqlite3.Connection, scopes: Sequence[Scope], terms: Sequence[str]) -> dict[str, int]:
    """How many passages hold each of the terms in some scopes, without their lists being read."""
    if not terms:
        return {}
    rows = connection.execute(
        f"SELECT term, sum(holders) FROM terms WHERE scope IN ({_marks(scopes)}) AND term IN ({_marks(terms)})"
        " GROUP BY term",
        (*scopes, *terms),
    )
    return dict.fromkeys(terms, 0) | dict(rows)


def check(connection: sqlite3.Connection) -> None:
    """Read every list. Raises IndexDamagedError where one is not as it was written."""
    counts: defaultdict[int, int] = defaultdict(int)
    for piece, first, packed in connection.execute("SELECT id, first, list FROM pieces"):
        counts[piece // _PIECES] += len(unpack(piece, first, packed).keys)
    for number, holders in connection.execute("SELECT number, holders FROM terms"):
        if counts.pop(number, 0) != holders:
            raise damaged(number)
    for number in counts:
        raise damaged(number)


class Changes:
    """What a transaction changes, collected so that each list is written once; ``write`` it before the end.

    Keys that are added are above all that were there.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._added: defaultdict[Scope, _Said] = defaultdict(_Said)
        self._gone: defaultdict[Scope, defaultdict[str, list[int]]] = defaultdict(_lists)
        self._collected = 0

    def add(self, scope: Scope, key: int, terms: str) -> None:
        """A passage that says these terms, with a space between, some perhaps several times; keys in rising order."""
        self._collected += self._added[scope].add(key, terms.split())
        if self._collected > _MOST_COLLECTED:
            self.write()

    def take_out(self, scope: Scope, key: int, terms: Iterable[str]) -> None:
        """A passage that said these terms."""
        lists = self._gone[scope]
        for term in set(terms):
            lists[term].append(key)

    def write(self) -> None:
        """Into the tables."""
        for scope, said in sorted(self._added.items()):
            new = said.lists()
            while some := dict(islice(new, _TOGETHER)):
                self._add(scope, some)
        # Last, so that what was put in and taken out at once is gone
        for scope, lists in sorted(self._gone.items()):
            for term in sorted(lists):
                self._take_out(scope, term, np.unique(np.array(lists[term], np.int64)))
        self._gone.clear()
        self._added.clear()
        self._collected = 0

    def _add(self, scope: Scope, lists: Mapping[str, List]) -> None:
        numbers = dict(
            self._connection.execute(
                f"SELECT term, number FROM terms WHERE scope = ? AND term IN ({_marks(lists)})", (scope, *lists)
            )
        )
        self._connection.executemany(
            "UPDATE terms SET holders = holders + ? WHERE number = ?",
            ((len(lists[term].keys), number) for term, number in numbers.items()),
        )
        for term, number in numbers.items():
            self._lengthen(number, lists[term])
        (last,) = self._connection.execute("SELECT coalesce(max(number), 0) FROM terms").fetchone()
        fresh = list(enumerate((term for term in lists if term not in numbers), last + 1))
        self._connection.executemany(
            "INSERT INTO terms VALUES (?, ?, ?, ?)",
            ((number, scope, term, len(lists[term].keys)) for number, term in fresh),
        )
        for number, term in fresh:
            self._put(number * _PIECES, lists[term])

    def _lengthen(self, number: int, new: List) -> None:
        """Put keys behind those that the list of a term has."""
        begin = number * _PIECES
        last = self._connection.execute(
            "SELECT id, first, list FROM pieces WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
            (begin, begin + _PIECES - 1),
        ).fetchone()
        if last is not None:
            begin, first, held = last
            if has_room(first, held, new):
                # Most of what a record changes
                longer = lengthen(begin, first, held, new)
                self._connection.execute("UPDATE pieces SET list = ? WHERE id = ?", (longer, begin))
                return
            old = unpack(begin, first, held)
            new = List(np.concatenate([old.keys, new.keys]), np.concatenate([old.counts, new.counts]))
        self._put(begin, new)

    def _put(self, begin: int, whole: List) -> None:
        """A list's pieces from the one with this number on."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO pieces VALUES (?, ?, ?)",
            ((begin + at, int(piece.keys[0]), pack(begin + at, piece)) for at, piece in enumerate(cut(whole))),
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
            held = unpack(*row)
            stays = ~np.isin(held.keys, left)
            count -= len(stays) - int(np.count_nonzero(stays))
            if stays.any():
                piece = List(held.keys[stays], held.counts[stays])
                self._connection.execute(
                    "UPDATE pieces SET first = ?, list = ? WHERE id = ?",
                    (int(piece.keys[0]), pack(row[0], piece), row[0]),
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


class _Numbers(dict[str, int]):
    """A number for each term, as they come."""

    def __missing__(self, term: str) -> int:
        self[term] = number = len(self)
        return number


class _Said:
    """What passages of one scope say: each term by its number, passage by passage."""

    def __init__(self) -> None:
        self._numbers = _Numbers()
        self._terms = array("i")
        self._keys, self._lengths = array("q"), array("i")

    def add(self, key: int, terms: Sequence[str]) -> int:
        """One passage; gives how many terms that are."""
        self._terms.extend(map(self._numbers.__getitem__, terms))
        self._keys.append(key)
        self._lengths.append(len(terms))
        return len(terms)

    def lists(self) -> Iterator[tuple[str, List]]:
        """Term by term, in order."""
        terms = np.frombuffer(self._terms, np.int32)
        keys = np.repeat(np.frombuffer(self._keys, np.int64), np.frombuffer(self._lengths, np.int32))
        order = np.argsort(terms, kind="stable")
        terms, keys = terms[order], keys[order]
        first = np.flatnonzero((np.diff(terms, prepend=-1) != 0) | (np.diff(keys, prepend=-1) != 0))
        counts = np.minimum(np.diff(first, append=len(terms)), _OFTEN).astype(np.uint8)
        terms, keys = terms[first], keys[first]
        bounds = np.searchsorted(terms, np.arange(len(self._numbers) + 1)).tolist()
        for term, number in sorted(self._numbers.items()):
            some = slice(bounds[number], bounds[number + 1])
            yield term, List(keys[some], counts[some])


def _lists() -> defaultdict[str, list[int]]:
    return defaultdict(list)


def _marks(values: Collection[object]) -> str:
    return ",".join("?" * len(values))
