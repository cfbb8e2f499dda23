"""A posting list in bytes: pieces that fit one page of the file each, every one with a checksum of its own."""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamagedError

Keys = NDArray[np.int64]
Counts = NDArray[np.uint8]

# Four bytes say how far a key is from the first one, one how often the term is said: 4,000 of a page of 4,096, after
# a CRC-32 of all that
_CHECK_BYTES = 4
_MOST_IN_PIECE = 800
_FAR = 1 << 32


class List(NamedTuple):
    """Keys of passages, ``(n,)`` int64 in rising order, and how often each says the term, 255 for all that is more."""

    keys: Keys
    counts: Counts


EMPTY = List(np.zeros(0, np.int64), np.zeros(0, np.uint8))


def cut(whole: List) -> Iterator[List]:
    """The parts of a list that a piece each can hold."""
    if len(whole.keys) <= _MOST_IN_PIECE and whole.keys[-1] - whole.keys[0] < _FAR:
        # Most are short
        yield whole
        return
    start = 0
    while start < len(whole.keys):
        end = min(start + _MOST_IN_PIECE, int(np.searchsorted(whole.keys, whole.keys[start] + _FAR)))
        yield List(whole.keys[start:end], whole.counts[start:end])
        start = end


def pack(piece: int, part: List) -> bytes:
    """A part of a list as the piece of that number holds it; its first key is kept beside."""
    first = int(part.keys[0])
    return _with_check(piece, first, (part.keys - first).astype(np.uint32).tobytes() + part.counts.tobytes())


def unpack(piece: int, first: int, packed: bytes | None) -> List:
    """What a piece holds. Raises IndexDamagedError where it is not as it was written, or not there."""
    held = _checked(piece, first, packed)
    count = len(held) // 5
    keys = np.frombuffer(held, np.uint32, count).astype(np.int64) + first
    return List(keys, np.frombuffer(held, np.uint8, count, offset=4 * count))


def has_room(first: int, packed: bytes, new: List) -> bool:
    """Whether a piece can hold further keys, above all that it has."""
    return len(packed) // 5 + len(new.keys) <= _MOST_IN_PIECE and bool(new.keys[-1] - first < _FAR)


def lengthen(piece: int, first: int, packed: bytes, new: List) -> bytes:
    """A piece with further keys, put between what is there without reading it. Raises IndexDamagedError."""
    held = _checked(piece, first, packed)
    count = len(held) // 5
    keys = (new.keys - first).astype(np.uint32).tobytes()
    return _with_check(piece, first, b"".join((held[: 4 * count], keys, held[4 * count :], new.counts.tobytes())))


def damaged(what: object) -> IndexDamagedError:
    """What is raised of a list, by its term or the number of its piece."""
    said = f"a list of the words index is not as it was written ({what})"
    return IndexDamagedError(said, "Run 'kb index', which makes it anew; a service that runs does so by itself")


def _with_check(piece: int, first: int, held: bytes) -> bytes:
    return _check_of(piece, first, held) + held


def _checked(piece: int, first: int, packed: bytes | None) -> bytes:
    if packed is None or packed[:_CHECK_BYTES] != _check_of(piece, first, packed[_CHECK_BYTES:]):
        raise damaged(piece)
    return packed[_CHECK_BYTES:]


def _check_of(piece: int, first: int, held: bytes) -> bytes:
    return zlib.crc32(held, zlib.crc32(b"%d %d" % (piece, first))).to_bytes(_CHECK_BYTES, "little")
