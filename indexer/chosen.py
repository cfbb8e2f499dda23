"""Passages that a search by meaning may choose from: by position for a few, as bits by key for FAISS."""

from collections.abc import Callable
from functools import cached_property

import faiss
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Bits = NDArray[np.uint8]


class Chosen:
    """``count`` passages; one serves many searches. Found when they are asked for, and then kept."""

    def __init__(self, keys: Numbers, count: int, find: Callable[[], Numbers], bits: Bits | None = None) -> None:
        """``keys`` are those of all passages, ``find`` gives the positions of the chosen ones among them."""
        self.count = count
        self._every_key, self._find, self._bits = keys, find, bits

    @cached_property
    def positions(self) -> Numbers:
        """In order."""
        return self._find()

    @property
    def keys(self) -> Numbers:
        """In the order of the positions."""
        return self._every_key[self.positions]

    @cached_property
    def bits(self) -> Bits:
        """A bit for each key, the lowest of a byte first."""
        if self._bits is not None:
            return self._bits
        marked = np.zeros(int(self._every_key.max(initial=0)) + 1, np.bool_)
        marked[self._every_key[self._find()]] = True
        return np.packbits(marked, bitorder="little")

    @cached_property
    def selector(self) -> faiss.IDSelectorBitmap:
        """The same for FAISS."""
        return faiss.IDSelectorBitmap(self.bits)

    def has(self, keys: Numbers) -> NDArray[np.bool_]:
        """Which of some keys are among them."""
        bits = self.bits
        inside = keys >> 3 < len(bits)
        here = np.zeros(len(keys), np.bool_)
        here[inside] = bits[keys[inside] >> 3] >> (keys[inside] & 7).astype(np.uint8) & 1
        return here

    def changed(self, gone: Numbers, come: Numbers, keys: Numbers, find: Callable[[], Numbers]) -> "Chosen":
        """Without those at some positions and with others, of ``keys`` that begin with the same ones."""
        bits = None
        if "bits" in vars(self) or self._bits is not None:
            more = int(keys[come].max(initial=0)) // 8 + 1 - len(self.bits)
            bits = np.append(self.bits, np.zeros(max(0, more), np.uint8))
            # A passage that stays while its owner changes goes and comes
            for positions, change in ((gone, np.bitwise_and), (come, np.bitwise_or)):
                bit = np.left_shift(1, keys[positions] & 7).astype(np.uint8)
                change.at(bits, keys[positions] >> 3, ~bit if change is np.bitwise_and else bit)
        return Chosen(keys, self.count - len(gone) + len(come), find, bits)
