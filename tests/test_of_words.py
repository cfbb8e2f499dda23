"""What is kept of words: as asked, once each, and never without end."""

import sys

from indexer import of_words as kept_words
from indexer.of_words import of_words


def test_a_function_is_asked_once_for_each_word() -> None:
    asked = []

    @of_words
    def length(word: str) -> int:
        asked.append(word)
        return len(word)

    assert list(map(length, ["disk", "full", "disk"])) == [4, 4, 4]
    assert asked == ["disk", "full"]


def test_what_is_too_long_for_a_word_is_not_kept() -> None:
    long = "x" * (kept_words.LONGEST_KEPT + 1)
    upper = of_words(str.upper)
    before = sys.getrefcount(long)
    assert upper(long) == long.upper()
    assert sys.getrefcount(long) == before


def test_words_without_end_do_not_fill_the_memory() -> None:
    words: list[object] = [object() for _ in range(2)]
    asked = 0

    @of_words
    def count(_: str) -> object:
        nonlocal asked
        asked += 1
        return words[asked % 2]

    most = kept_words._MOST_KEPT
    for number in range(3 * most):
        count(str(number))
    assert sys.getrefcount(words[0]) + sys.getrefcount(words[1]) < most + 100
