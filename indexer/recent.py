"""What was read of the live generation lately, so that what is shown again and again is read once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by key, all of one generation, the latest used ones. One serves all threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._generation = 0
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, generation: int, keys: Iterable[K], read: Callable[[list[K]], Mapping[K, V]]) -> dict[K, V]:
        """The values of these keys; those that are not kept are read, all at once."""
        wanted = dict.fromkeys(keys)
        with self._lock:
            if generation != self._generation:
                self._generation = generation
                self._kept.clear()
            found = {key: self._kept[key] for key in wanted if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        missing = [key for key in wanted if key not in found]
        if missing:
            fresh = read(missing)
            found.update(fresh)
            with self._lock:
                if generation == self._generation:
                    self._kept.update(fresh)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return found
