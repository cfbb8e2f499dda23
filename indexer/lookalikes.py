"""Names that look alike to people and differ for programs: letters of other scripts, and what cannot be seen.

A small table of Unicode's confusables (UTS 39): the letters of Cyrillic and Greek that look like Latin ones. Letters
with accents stay what they are, and so do ``0`` and ``O``: people tell these apart, or write them on purpose.
"""

import re
import unicodedata
from itertools import zip_longest

_CYRILLIC = ("АВЕЅЗІЈКМНОРСТУХҮԌԚԜаеѕіјорсухһԁԛԝӏ", "ABES3IJKMHOPCTYXYGQWaesijopcyxhdqwl")
_GREEK = ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορυικϲϳγ", "ABEZHIKMNOPTYXavopuikcjy")
_LATIN = ("ɑɡıℓ", "agil")
_DASHES = ("‐‑‒–—―−﹘", "--------")
_TABLE = {
    ord(letter): like
    for letters, alike in (_CYRILLIC, _GREEK, _LATIN, _DASHES)
    for letter, like in zip(letters, alike, strict=True)
}
# Nothing is seen of them, though Unicode takes them for letters, marks or symbols; those of emoji have their use
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
_UNSEEN = re.compile(f"[{_BLANK}]")
_EMOJI = re.compile("[\ufe00-\ufe0f\u200b-\u200d\u2060\u00ad]")


def has_unseen(text: str) -> bool:
    """Whether a text has a character that cannot be seen or that turns the text around it."""
    return not text.isprintable() or _UNSEEN.search(text) is not None


def skeleton(text: str) -> str:
    """What texts have in common that look alike; a text of ASCII is its own."""
    if text.isascii():
        return text
    seen = _EMOJI.sub("", _UNSEEN.sub("", text))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).translate(_TABLE))


def unlike(text: str, other: str) -> str:
    """The first character of a text that another has not, where the two look alike, said so that it can be found."""
    if unicodedata.normalize("NFC", text) == unicodedata.normalize("NFC", other):
        return "its accents are written in another way"
    for one, its, whose in ((text, other, "it"), (other, text, "that")):
        pairs = zip_longest(one, its, fillvalue="")
        found = next((letter for letter, like in pairs if letter != like and not letter.isascii()), None)
        if found is not None:
            return f"{whose} has {unicodedata.name(found, 'a character')} (U+{ord(found):04X})"
    return "it is written otherwise"
