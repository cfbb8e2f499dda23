"""Numbers that belong to one person: telephone, payment card, bank account, national id, birth date.

Error codes, ticket numbers, dates, ports and versions are none: a check digit, a plus sign, a grouping or the word
before it must say what a number is.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_DATE = re.compile(r"(?<!\d)(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4})(?!\d)")
_IBAN_LENGTHS = {
    one[:2]: int(one[2:])
    for one in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 ES24 FI18 FO18 FR27 "
        "GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IS26 IT27 JO30 KW30 KZ20 LB28 LI21 LT20 LU20 LV21 MC27 MD24 "
        "ME22 MK19 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 SI19 SK24 SM27 TN24 TR26 UA29 VG24"
    ).split()
}
_IS = r"(?:[ ]?(?:no|nr|number|nummer|id)\b)?[.:#]*[ ]?(?:(?:is|at|on|under|unter)[ ])?[ ]?"
_EXTENSION = rf"(?i:\b(?:ext|extension|dect|durchwahl)\b{_IS})"
_PHONE = (
    r"(?i:\b(?:(?:tele)?phone|tel(?:efon)?|mobile|cell|handy|fax|whatsapp|reach(?:able)?|text me|rückruf|call(?:ed)?)\b"
    rf"(?: (?:me|him|her|them|us|user|caller|back))*{_IS})"
)
_ID_CARD = (
    r"(?i:\b(?:social security|national id|national insurance|passport|id card|identity card|driving licen[cs]e"
    rf"|driver'?s licen[cs]e|tax id|ssn|nino|steuer-?id|personalausweis|reisepass|bsn|personnummer|pesel)\b{_IS})"
)
_BORN = r"(?i:\b(?:born(?: on)?|date of birth|dob|birth ?date|birthday|geburtsdatum|geb\.)[:. ]+)"


@dataclass(frozen=True, slots=True)
class _Rule:
    """One kind of number: the pattern's group ``it``, of which the first ``letters`` are one; 0 where none is."""

    kind: str
    pattern: re.Pattern[str]
    letters: Callable[[str], int] = len


def numbers_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of each personal number of a text; they may overlap."""
    for rule in _RULES:
        for match in rule.pattern.finditer(text):
            start = match.start("it")
            length = rule.letters(match["it"])
            if length:
                yield rule.kind, start, start + length


def luhn(digits: str) -> bool:
    """Whether the last of these digits checks the others (ISO/IEC 7812, payment cards)."""
    doubled = (
        sum(divmod(int(digit) * 2, 10)) if place % 2 else int(digit) for place, digit in enumerate(reversed(digits))
    )
    return sum(doubled) % 10 == 0


def _card(run: str) -> int:
    """A card's number may have other digits behind it, its month of expiry for example."""
    for count in (16, 15, 14, 13, 19, 18, 17):
        end = _end_of(run, count)
        digits = re.sub(r"\D", "", run[:end])
        if end and len(set(digits)) > 1 and luhn(digits) and not run[end : end + 1].isdigit():
            return end
    return 0


def _iban(run: str) -> int:
    end = _end_of(run, _IBAN_LENGTHS.get(run[:2].upper(), 0))
    plain = re.sub(r"[^A-Z0-9]", "", run[:end].upper())
    right = end and int("".join(str(int(one, 36)) for one in plain[4:] + plain[:4])) % 97 == 1
    return end if right and not run[end : end + 1].isalnum() else 0


def _end_of(run: str, count: int) -> int:
    """Where the first so many letters and digits of a run end; 0 where there are fewer."""
    ends = [place for place, one in enumerate(run, 1) if one.isalnum()]
    return ends[count - 1] if 0 < count <= len(ends) else 0


def _phone_of(least: int) -> Callable[[str], int]:
    """A telephone number of at least so many digits; a date behind it is none of its digits."""

    def letters(run: str) -> int:
        date = _DATE.search(run)
        own = run[: date.start()].rstrip() if date else run
        return len(own) if sum(map(str.isdecimal, own)) >= least else 0

    return letters


def _spanish(run: str) -> int:
    plain = run.replace("-", "")
    digits = {"X": "0", "Y": "1", "Z": "2"}.get(plain[0], plain[0]) + plain[1:-1]
    return len(run) if "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == plain[-1] else 0


def _french(run: str) -> int:
    plain = run.replace(" ", "").replace("A", "0").replace("B", "0")
    return len(run) if "A" in run or "B" in run or int(plain[-2:]) == 97 - int(plain[:-2]) % 97 else 0


def _with_digits(run: str) -> int:
    return len(run) if sum(map(str.isdecimal, run)) >= 5 else 0


def _rule(kind: str, pattern: str, letters: Callable[[str], int] = len) -> _Rule:
    return _Rule(kind, re.compile(pattern), letters)


_RULES = (
    _rule("card", r"(?<![\w.-])(?P<it>(?:2[2-7]|3[04-9]|[456]\d)\d\d(?:[ -]?\d){9,18})", _card),
    _rule("bank account", r"(?<!\w)(?P<it>[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,33})", _iban),
    # United States, United Kingdom, Spain, Italy, France
    _rule("national id", r"(?<![\w-])(?P<it>(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4})(?![\w-])"),
    _rule(
        "national id",
        r"\b(?P<it>(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D])\b",
    ),
    _rule("national id", r"\b(?P<it>[XYZ\d]-?\d{7}-?[A-HJ-NP-TV-Z])\b", _spanish),
    _rule("national id", r"\b(?P<it>[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z])\b"),
    _rule(
        "national id",
        r"(?<!\w)(?P<it>[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d{2})(?!\w)",
        _french,
    ),
    _rule("national id", rf"{_ID_CARD}(?P<it>[A-Z0-9][A-Z0-9 /.-]{{4,20}}[A-Z0-9])(?!\w)", _with_digits),
    _rule("phone", r"(?<![\w+])(?P<it>\+[ ]?\d(?:[ ()/.-]{0,3}\d){7,14})(?!\w)", _phone_of(8)),
    _rule("phone", r"(?<![\w.-])(?P<it>00[1-9](?:[ ()/-]{0,2}\d){7,13})(?![\w-])", _phone_of(10)),
    _rule("phone", r"(?<![\w.-])(?P<it>(?:1[ .-])?(?:\([2-9]\d{2}\)[ ]?|[2-9]\d{2}[ .-])\d{3}[ .-]\d{4})(?![\w-])"),
    _rule("phone", r"(?<![\w.:/-])(?P<it>\(?0[1-9]\d{0,4}\)?[ /-]{1,3}\d(?:[ /-]?\d){5,10})(?![\w:-])", _phone_of(9)),
    _rule("phone", rf"{_PHONE}(?P<it>[+(]?\d(?:[ ()/.-]{{0,2}}\d){{3,14}})(?![\w:]|[.,]\d)", _phone_of(4)),
    _rule("phone", rf"{_EXTENSION}(?P<it>\d(?:[ -]?\d){{2,7}})(?![\w:]|[.,]\d)"),
    _rule("birth date", rf"{_BORN}(?P<it>\d{{1,4}}[-./ ]+[\dA-Za-z]{{1,9}}[-./ ]+\d{{2,4}})"),
)
