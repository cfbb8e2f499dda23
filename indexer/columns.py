"""What a search looks at of every owner and passage, as columns in memory, taken up from the tables change by change.

A row is added at the end and never moves: what has changed gets a new one, and its former is dead. So the columns of a
generation cost what changed since the one before, whatever the size, and who still reads that one is not disturbed.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.growing import NONE, grown, number_of, numbered

Numbers = NDArray[np.int64]
Figures = NDArray[np.float64]
Mask = NDArray[np.bool_]

# All are read anew where so many rows are dead or changed at once, and this share of them
_MANY = 1_000
_MOST_CHANGED = 0.1
_MOST_DEAD = 0.3
_READ_AT_ONCE = 50_000
_OWNERS = "SELECT key, id, scope, facets, coalesce(valid_from, -9e999), coalesce(valid_to, 9e999) FROM owners"
_PASSAGES = (
    "SELECT key, owner, length, role IN ('title', 'name'), role = 'resolution', text_hash IS NOT NULL FROM passages"
)


@dataclass(frozen=True, slots=True)
class Owners:
    """One row each, at its place. ``alive`` says which count; the lists may go on beyond this generation.

    ``facets_of`` says which of the ``texts`` has its facets. Its passages lie from ``starts`` to ``ends``, and have
    ``length`` terms.
    """

    alive: Mask
    ids: list[str]
    texts: list[str]
    numbers: dict[str, int]
    scope_of: NDArray[np.int32]
    facets_of: NDArray[np.int32]
    valid_from: Figures
    valid_to: Figures
    starts: Numbers
    ends: Numbers
    length: NDArray[np.float32]
    place_of: NDArray[np.int32]
    """By key."""

    def __len__(self) -> int:
        return len(self.alive)


@dataclass(frozen=True, slots=True)
class Passages:
    """One row each, at its position; those of an owner lie together, by rising keys. ``owner_of`` is its place."""

    keys: Numbers
    owner_of: Numbers
    length: NDArray[np.float32]
    is_name: Mask
    is_outcome: Mask
    is_meant: Mask
    """Whether it is to have a vector."""
    position_of: NDArray[np.int32]
    """By key."""

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class Columns:
    """Those of one generation; ``seq`` is the last change that they know of."""

    seq: int
    owners: Owners
    passages: Passages

    def places(self, connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, int]:
        """Where the owners of these ids are, as far as there are any."""
        asked = json.dumps([*ids])
        rows = connection.execute(
            "SELECT id, key FROM owners WHERE id IN (SELECT value FROM json_each(?))", (asked,)
        ).fetchall()
        places = number_of(self.owners.place_of, np.array([key for _, key in rows], np.int64))
        return {owner_id: place for (owner_id, _), place in zip(rows, places.tolist(), strict=True) if place != NONE}


def read_columns(connection: sqlite3.Connection) -> Columns:
    """All that is there. Takes some 2 µs a row."""
    none, real, small = np.zeros(0, np.int64), np.zeros(0, np.float64), np.zeros(0, np.int32)
    flag, length = np.zeros(0, np.bool_), np.zeros(0, np.float32)
    owners = Owners(flag, [], [], {}, small, small, real, real, none, none, length, small)
    empty = Columns(_last_change(connection), owners, Passages(none, none, length, flag, flag, flag, small))
    return _with(empty, connection, None)


def columns_after(before: Columns, connection: sqlite3.Connection) -> tuple[Columns, bool]:
    """Those of a later generation, which the connection sees; and whether they go on from these, row for row."""
    # Asked for both at once SQLite goes through all
    (first,) = connection.execute("SELECT coalesce(min(seq), 0) FROM changed").fetchone()
    last = _last_change(connection)
    rows = connection.execute("SELECT DISTINCT owner FROM changed WHERE seq > ?", (before.seq,)).fetchall()
    changed = np.array([key for (key,) in rows], np.int64)
    count = len(before.owners)
    dead = count - int(np.count_nonzero(before.owners.alive)) + len(changed)
    if (
        first > before.seq + 1
        # Another line of changes than the one that was followed
        or last < before.seq
        or len(changed) > max(_MANY, count * _MOST_CHANGED)
        or dead > max(_MANY, count * _MOST_DEAD)
    ):
        return read_columns(connection), False
    alive = before.owners.alive.copy()
    places = number_of(before.owners.place_of, changed)
    alive[places[places != NONE]] = False
    left = replace(before, seq=last, owners=replace(before.owners, alive=alive))
    return _with(left, connection, ",".join(map(str, changed.tolist()))), True


def _last_change(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM changed").fetchone()[0])


def _with(before: Columns, connection: sqlite3.Connection, keys: str | None) -> Columns:
    """With the rows of the owners of these keys at the end; of all for none."""
    old, first = before.owners, len(before.owners)
    # What was begun with and came to nothing
    del old.ids[first:]
    which = "" if keys is None else f"WHERE key IN ({keys})"
    owner_keys, ids, scope_of, facets, valid_from, valid_to = _columns(
        connection, f"{_OWNERS} {which} ORDER BY key", (np.int64, None, np.int32, None, np.float64, np.float64)
    )
    old.ids.extend(ids)
    for text in dict.fromkeys(facets):
        if old.numbers.setdefault(text, len(old.texts)) == len(old.texts):
            old.texts.append(text)
    place_of = numbered(old.place_of, owner_keys, first + np.arange(len(owner_keys)))

    which = which.replace("key IN", "owner IN")
    of_passage = _columns(
        connection,
        f"{_PASSAGES} {which} ORDER BY key",
        (np.int64, np.int64, np.float32, np.bool_, np.bool_, np.bool_),
    )
    of_passage[1] = number_of(place_of, of_passage[1])
    order = np.argsort(of_passage[1], kind="stable")
    passage_keys, owner_of, length, is_name, is_outcome, is_meant = (column[order] for column in of_passage)
    bounds = np.searchsorted(owner_of, first + np.arange(len(owner_keys) + 1)) + len(before.passages)
    article_length = np.bincount(owner_of - first, length, len(owner_keys)).astype(np.float32)
    held = before.passages
    return replace(
        before,
        owners=Owners(
            alive=grown(old.alive, np.ones(len(owner_keys), np.bool_)),
            ids=old.ids,
            texts=old.texts,
            numbers=old.numbers,
            scope_of=grown(old.scope_of, scope_of),
            facets_of=grown(old.facets_of, np.array([old.numbers[text] for text in facets], np.int32)),
            valid_from=grown(old.valid_from, valid_from),
            valid_to=grown(old.valid_to, valid_to),
            starts=grown(old.starts, bounds[:-1]),
            ends=grown(old.ends, bounds[1:]),
            length=grown(old.length, article_length),
            place_of=place_of,
        ),
        passages=Passages(
            keys=grown(held.keys, passage_keys),
            owner_of=grown(held.owner_of, owner_of),
            length=grown(held.length, length),
            is_name=grown(held.is_name, is_name),
            is_outcome=grown(held.is_outcome, is_outcome),
            is_meant=grown(held.is_meant, is_meant),
            position_of=numbered(held.position_of, passage_keys, len(held) + np.arange(len(passage_keys))),
        ),
    )


def _columns(connection: sqlite3.Connection, query: str, kinds: Sequence[type[np.generic] | None]) -> list[Any]:
    """What a query gives, column by column: arrays of these kinds, lists where there is none."""
    parts: list[list[Any]] = [[] for _ in kinds]
    cursor = connection.execute(query)
    while rows := cursor.fetchmany(_READ_AT_ONCE):
        for kind, column, part in zip(kinds, zip(*rows, strict=True), parts, strict=True):
            part.append(column if kind is None else np.array(column, kind))
    return [
        [*chain.from_iterable(part)] if kind is None else np.concatenate([np.zeros(0, kind), *part])
        for kind, part in zip(kinds, parts, strict=True)
    ]
