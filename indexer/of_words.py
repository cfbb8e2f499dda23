"""What a function gives of words, kept, since the words of one text are those of others too."""

from collections.abc import Callable
from typing import TypeVar

Given = TypeVar("Given")

# Some ten megabytes
_MOST_KEPT = 1 << 16
# What is longer is no word that anybody says twice, and may be a megabyte
LONGEST_KEPT = 64


class _OfWords(dict[str, Given]):
    def __init__(self, function: Callable[[str], Given]) -> None:
        self._function = function

    def __missing__(self, word: str) -> Given:
        given = self._function(word)
        if len(word) <= LONGEST_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[word] = given
        return given


def of_words(function: Callable[[str], Given]) -> Callable[[str], Given]:
    """The function, which is asked for a word when it is new; for use on any thread."""
    # Called by ``map`` it takes a tenth of what a function in Python does
    return _OfWords(function).__getitem__
