"""Arrays that are added to at their end while others read what was there: nothing is copied, and no row moves.

Only the latest of an array's lengths may be added to, by one thread at a time.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)

NONE = -1
_SPARE = 0.25
_LEAST_SPARE = 1_000


def grown(values: NDArray[T], new: NDArray[T]) -> NDArray[T]:
    """The same array with more at its end. Who holds the shorter one sees no difference."""
    count, length = len(values), len(values) + len(new)
    room = values if values.base is None else values.base
    if not isinstance(room, np.ndarray) or len(room) < length:
        spare = max(_LEAST_SPARE, int(length * _SPARE))
        room = np.empty((length + spare, *values.shape[1:]), values.dtype)
        room[:count] = values
    room[count:length] = new
    longer: NDArray[T] = room[:length]
    return longer


def numbered(table: NDArray[np.int32], keys: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.int32]:
    """A table that gives a number for each key, with those of some keys; ``NONE`` is that of a key that has none."""
    if not len(keys):
        return table
    if int(keys.min()) < len(table):
        table = table.copy()
    longer = grown(table, np.full(max(0, int(keys.max()) + 1 - len(table)), NONE, np.int32))
    longer[keys] = numbers
    return longer


def number_of(table: NDArray[np.int32], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers of these keys."""
    inside = keys < len(table)
    numbers = np.full(len(keys), NONE, np.int64)
    numbers[inside] = table[keys[inside]]
    return numbers
