"""Saying how far a long run is."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

Progress = Callable[[str, int, int], None]
"""Called with what is being done ("read", "encode"), how many are done, and how many there are."""


def unwatched(_what: str, _done: int, _of: int) -> None:
    """The progress of a run that nobody watches."""


def in_batches(items: Sequence[Item], size: int) -> Iterator[tuple[int, list[Item]]]:
    """The items in runs of ``size``, each with the number of items up to its end."""
    remaining = iter(items)
    done = 0
    while batch := list(islice(remaining, size)):
        done += len(batch)
        yield done, batch
