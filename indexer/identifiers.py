"""What must match as it stands: error codes, alert names, hosts, ports, KB and INC numbers.

Also the one place that takes names apart (``KubePodCrashLooping`` -> kube, pod, crash, looping), for the words lane
and for titles alike.
"""

import re
from functools import lru_cache
from itertools import chain

from indexer.of_words import of_words

# What each could match holds no space and one of these signs
_KINDS = "|".join(
    (
        r"(?P<hex>\b0x[0-9a-f]{2,16}\b)",  # 0x80070005
        r"(?P<dated>\b[a-z]{2,8}-\d{4}-\d{3,8}\b)",  # CVE-2021-44228
        r"(?P<coded>\b[a-z]{1,12}[-_]?\d{3,10}\b)",  # ORA-01017, KB00023583, E1234
        # 192.0.2.7, 192.0.2.7:443, 10.0.0.0/8
        r"(?P<address>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?:/\d{1,2})?\b)",
        r"(?P<host>\b[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}\.[a-z]{2,24}\b)",  # mail.example.com
        r"(?P<snake>\b[a-z0-9]+(?:_[a-z0-9]+)+\b)",  # ERR_CONNECTION_REFUSED, max_connections
    )
)
_SIGN = re.compile(r"[\d._]")
_CODE = re.compile(_KINDS, re.IGNORECASE)
# Without its case an ASCII text is read in half the time; of others some letters would become two
_LOWER_CODE = re.compile(_KINDS)
# Written so that a text can match in one way only: else what nearly matches takes ages
_CAMEL = re.compile(r"\b(?:[A-Z]+[a-z0-9]+|[a-z]+[0-9]*)[A-Z][a-z0-9]*[A-Z][A-Za-z0-9]*\b")
_HUMPED = re.compile(r"[a-z0-9][A-Z]")
_DIGIT = re.compile(r"\d")
_NAMED_NUMBER = re.compile(
    r"\b(?:port|error|code|status|http|event(?:\s+id)?|stop)s?(?:\s+(?:code|number|id))?[\s:#]{1,3}(\d{2,6})\b",
    re.IGNORECASE,
)
_LONG_NUMBER = re.compile(r"(?<![\d.,:-])\d{4,12}(?![\d]|[.,:-]\d)")
_ONLY_DIGITS = re.compile(r"\s*0*[1-9][0-9]{1,11}\s*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DIGITS = re.compile(r"[a-z]+[-_]?0*(\d{3,10})")
_HUMP = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")


@lru_cache(maxsize=16)
def identifiers(text: str) -> frozenset[str]:
    """The identifiers a text holds, case-folded.

    A number behind letters counts by itself too: ``KB00023583`` is also ``00023583`` and ``23583``; so does a text
    that is nothing but a number.
    """
    found = set(chain.from_iterable(map(_in_word, text.split())))
    if _DIGIT.search(text):
        found.update(match[1] for match in _NAMED_NUMBER.finditer(text))
        if _ONLY_DIGITS.fullmatch(text):
            found |= {text.strip(), text.strip().lstrip("0")}
    return frozenset(found)


@of_words
def _in_word(word: str) -> tuple[str, ...]:
    """What is in a piece of text without spaces."""
    found: list[str] = []
    if _SIGN.search(word):
        for match in _LOWER_CODE.finditer(word.lower()) if word.isascii() else _CODE.finditer(word):
            code = match.group().casefold()
            found.append(code)
            if match.lastgroup == "coded" and (digits := _DIGITS.fullmatch(code)):
                found += digits[1], code.lstrip("abcdefghijklmnopqrstuvwxyz-_")
        found += (number for number in _LONG_NUMBER.findall(word) if not _YEAR.fullmatch(number))
    if _HUMPED.search(word):
        found += (match.group().casefold() for match in _CAMEL.finditer(word))
    return tuple(found)


def is_code(identifier: str) -> bool:
    """Whether an identifier is a code or number that somebody assigned (0x80070005, ORA-01017, CVE-2021-44228).

    Hosts, addresses, plain numbers, and names that programs have are not.
    """
    match = _CODE.fullmatch(identifier)
    return match is not None and match.lastgroup in {"hex", "dated", "coded"}


def words_of_name(name: str) -> list[str]:
    """A file's or alert's name as words: ``KubePodCrashLooping`` -> ``['Kube', 'Pod', 'Crash', 'Looping']``."""
    return _HUMP.findall(name)
