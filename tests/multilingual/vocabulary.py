"""Words that a model of English does not know, each with the English word that it most often stands for.

By Dice's coefficient: twice the texts that say both, by the texts that say one plus those that say the other.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

_WORD = re.compile(r"[^\W\d_]+")
_LEAST_SAID, _LEAST_LETTERS = 2, 2


def words_of(text: str) -> set[str]:
    """Its words as an uncased BERT reads them: in small letters, without accents."""
    apart = unicodedata.normalize("NFD", text.lower())
    return set(_WORD.findall("".join(letter for letter in apart if not unicodedata.combining(letter))))


def new_words(pairs: Iterable[tuple[str, str]], known: Collection[str]) -> Mapping[str, str]:
    """Of pairs of English and another language the other's words that are not known, each with its English one."""
    of_english, of_other = Counter[str](), Counter[str]()
    together = Counter[tuple[str, str]]()
    for english, other in pairs:
        theirs, ours = words_of(other), words_of(english)
        of_english.update(ours)
        of_other.update(theirs)
        together.update((word, beside) for word in theirs if word not in known for beside in ours)
    best: dict[str, tuple[float, str]] = {}
    for (word, beside), count in together.items():
        if of_other[word] >= _LEAST_SAID and len(word) >= _LEAST_LETTERS:
            alike = 2 * count / (of_other[word] + of_english[beside])
            best[word] = max(best.get(word, (0.0, "")), (alike, beside))
    return {word: english for word, (_, english) in sorted(best.items())}
