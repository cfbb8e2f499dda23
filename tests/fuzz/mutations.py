"""Inputs made of others at random: no engine is needed, and one seed of the numbers gives the same ones again."""

from collections.abc import Iterator, Sequence
from random import Random
from zlib import crc32

MOST_BYTES = 1_024
# One input of so many is made as long as this by repeating a piece of it
_FEW, _LONG = 512, 30_000
_MOST_CHANGES = 6
# Where programs tend to err
_EDGES = (0, 1, 9, 10, 13, 32, 34, 39, 45, 47, 48, 58, 92, 126, 127, 128, 191, 192, 224, 240, 254, 255)


def mutated(seeds: Sequence[bytes], words: Sequence[bytes], numbers: Random) -> Iterator[bytes]:
    """Inputs without end, each a few changes away from one of the seeds."""
    while True:
        made = bytearray(numbers.choice(seeds))
        for _ in range(numbers.randint(1, _MOST_CHANGES)):
            _change(made, seeds, words, numbers)
        yield bytes(made[:MOST_BYTES])


def _change(made: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], numbers: Random) -> None:
    """Put in, take out, overwrite, repeat or splice a piece, at a place of no meaning."""
    at = numbers.randint(0, len(made))
    end = min(len(made), at + numbers.choice((1, 2, 4, 16, 64)))
    match numbers.randrange(6):
        case 0:
            del made[at:end]
        case 1:
            made[at:at] = numbers.choice(words) if words else bytes([numbers.choice(_EDGES)])
        case 2:
            made[at:end] = numbers.choice(words) if words else numbers.randbytes(end - at)
        case 3:
            made[at : at + 1] = bytes([numbers.choice((numbers.choice(_EDGES), numbers.randrange(256)))])
        case 4:
            made[at:at] = made[at:end] * numbers.choice((1, 2, 8, 100))
        case _:
            other = numbers.choice(seeds)
            start = numbers.randint(0, len(other))
            made[at:end] = other[start : start + numbers.choice((4, 16, 64, 256))]


def stretched(data: bytes) -> bytes:
    """Some inputs with a piece of a few bytes repeated until they are long, the others as they are.

    So it shows where a text takes the square of its length.
    """
    sign = crc32(data)
    if not data or sign % _FEW:
        return data
    at, size = sign // _FEW % len(data), 1 + sign // 7 % 4
    piece = data[at : at + size]
    return data[:at] + piece * (_LONG // len(piece)) + data[at:]
