"""What must match as it stands: error codes, alert names, hosts, ports, KB and INC numbers.

Also the one place that takes names apart (``KubePodCrashLooping`` -> kube, pod, crash, looping), for the words lane
and for titles alike.
"""

import re
from functools import cache, lru_cache

# Each kind with the sign that any text must have that holds one: what cannot be there is not looked for
_KINDS = (
    ("0-9", r"(?P<hex>\b0x[0-9a-f]{2,16}\b)"),  # 0x80070005
    ("0-9", r"(?P<dated>\b[a-z]{2,8}-\d{4}-\d{3,8}\b)"),  # CVE-2021-44228
    ("0-9", r"(?P<coded>\b[a-z]{1,12}[-_]?\d{3,10}\b)"),  # ORA-01017, KB00023583, E1234
    # 192.0.2.7, 192.0.2.7:443, 10.0.0.0/8
    ("0-9", r"(?P<address>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?:/\d{1,2})?\b)"),
    (".", r"(?P<host>\b[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}\.[a-z]{2,24}\b)"),  # mail.example.com
    ("_", r"(?P<snake>\b[a-z0-9]+(?:_[a-z0-9]+)+\b)"),  # ERR_CONNECTION_REFUSED, max_connections
)
# Written so that a text can match in one way only: else what nearly matches takes ages
_CAMEL = re.compile(r"\b(?:[A-Z]+[a-z0-9]+|[a-z]+[0-9]*)[A-Z][a-z0-9]*[A-Z][A-Za-z0-9]*\b")
_HUMPED = re.compile(r"[a-z0-9][A-Z]")
_DIGIT = re.compile(r"\d")
_EVERY_SIGN = frozenset(sign for sign, _ in _KINDS)
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
    found: set[str] = set()
    has_digit = _DIGIT.search(text) is not None
    signs = frozenset(sign for sign, there in (("0-9", has_digit), (".", "." in text), ("_", "_" in text)) if there)
    # Without its case an ASCII text is read in half the time; of others some letters would become two
    plain = text.isascii()
    for match in _codes(signs, plain).finditer(text.lower() if plain else text) if signs else ():
        code = match.group().casefold()
        found.add(code)
        if match.lastgroup == "coded" and (digits := _DIGITS.fullmatch(code)):
            found |= {digits[1], code.lstrip("abcdefghijklmnopqrstuvwxyz-_")}
    if _HUMPED.search(text):
        found.update(match.group().casefold() for match in _CAMEL.finditer(text))
    if has_digit:
        found.update(match[1] for match in _NAMED_NUMBER.finditer(text))
        if _ONLY_DIGITS.fullmatch(text):
            found |= {text.strip(), text.strip().lstrip("0")}
        found.update(number for number in _LONG_NUMBER.findall(text) if not _YEAR.fullmatch(number))
    return frozenset(found)


@cache
def _codes(signs: frozenset[str], is_lower: bool) -> re.Pattern[str]:
    flags = re.NOFLAG if is_lower else re.IGNORECASE
    return re.compile("|".join(pattern for sign, pattern in _KINDS if sign in signs), flags)


def is_code(identifier: str) -> bool:
    """Whether an identifier is a code or number that somebody assigned (0x80070005, ORA-01017, CVE-2021-44228).

    Hosts, addresses, plain numbers, and names that programs have are not.
    """
    match = _codes(_EVERY_SIGN, False).fullmatch(identifier)
    return match is not None and match.lastgroup in {"hex", "dated", "coded"}


def words_of_name(name: str) -> list[str]:
    """A file's or alert's name as words: ``KubePodCrashLooping`` -> ``['Kube', 'Pod', 'Crash', 'Looping']``."""
    return _HUMP.findall(name)
