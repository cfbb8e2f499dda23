"""Compounds: words that some languages write as one, taken apart into words that are known by themselves."""

from collections.abc import Callable, Sequence

# A part of fewer letters is one by chance
LEAST_PART_LETTERS = 4
LEAST_COMPOUND_LETTERS = 2 * LEAST_PART_LETTERS
# What is longer is no word that anybody wrote
_MOST_LETTERS = 60


def parts_of(word: str, joins: Sequence[str], is_known: Callable[[str], bool]) -> tuple[str, ...]:
    """The parts of a compound, ``druckerwarteschlange`` -> ``drucker``, ``warteschlange``; none where it is none.

    ``word`` is folded. Of several ways the one with the longest last part, which says what it is, and with as few
    parts as may be. ``joins`` are the letters that may stand between two.
    """
    if not joins or not word.isalpha() or len(word) > _MOST_LETTERS:
        return ()
    return _parts_of(word, ("", *joins), is_known, {})


def _parts_of(
    word: str, joins: Sequence[str], is_known: Callable[[str], bool], done: dict[str, tuple[str, ...]]
) -> tuple[str, ...]:
    if word in done:
        return done[word]
    done[word] = ()
    for at in range(LEAST_PART_LETTERS, len(word) - LEAST_PART_LETTERS + 1):
        if not is_known(word[at:]):
            continue
        heads = [word[: at - len(join)] for join in joins if word[:at].endswith(join)]
        head = next((head for head in heads if len(head) >= LEAST_PART_LETTERS and is_known(head)), None)
        first = (head,) if head else next(filter(None, (_parts_of(one, joins, is_known, done) for one in heads)), ())
        if first and (not done[word] or len(first) + 1 < len(done[word])):
            done[word] = (*first, word[at:])
    return done[word]
