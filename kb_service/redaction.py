"""What an article must not say of an incident: persons, their numbers, and secrets. A mark stands in its place.

Host names, and addresses that are private, documented as examples or of the machine itself, stay: a runbook needs
them. An address of the internet goes, since it may be somebody's home. Postal addresses, and names that nothing tells
to be names, are not found: a person reads the draft before it is published.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from indexer.credentials import credentials_in
from kb_service.people import People
from kb_service.personal_numbers import numbers_in

# Of our kinds only: what else an author puts so is text, and may be a name
MARK = re.compile(
    r"\[redacted: (?:name|user|email|phone|ip address|card|bank account|national id|birth date|(?:[A-Za-z]+ ){0,3}"
    r"(?:key|token|secret|password|address|header))\]"
)
NOBODY = People()

_EMAIL = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~.-]{1,64}@(?:[\w-]{1,63}\.){1,126}(?:[xX][nN]--[\w-]{2,59}|[^\W\d_]{2,63})(?![\w-])"
)
# "Password Winter2026! set": without a sign it may be prose, so that no check complains, but it must not be published
_PASSWORD = re.compile(
    r"(?i:\b(?:passwor[dt]|passwd|pwd|passphrase|passcode|kennwort|pin)[ ])(?!(?i:0x|(?:kb|inc|prb)\d|ora-))"
    r"[\"'`“‘(]?(?P<it>(?=\S*\d)(?=\S*[^\W\d_])[^\s,;\"'`”’]{6,}|(?<=[nN][ ])\d{4,8}\b)"
)
_ADDRESS = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)"
    r"|(?<![\w.:])(?=[\da-fA-F:]*:[\da-fA-F:]*:)[\da-fA-F:]{3,39}(?![\w:]|\.\d)"
)
_IS_VERSION = re.compile(r"(?i:\b(?:v|version|release|build|firmware|agent|client|driver)[ :=]{0,2}|\w/)\Z")


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text with its marks, and how many of each kind were set."""

    text: str
    counts: Mapping[str, int]


def redact(text: str, people: People = NOBODY) -> Redacted:
    """The text without what is personal or secret; ``people`` are known from elsewhere. Redacted again, it stays."""
    marks = [match.span() for match in MARK.finditer(text)]
    kept: list[str] = []
    counts: Counter[str] = Counter()
    at = 0
    for kind, start, end in _joined(_places(text, people)):
        # What stands in a mark of before was chosen by us
        if any(left <= start and end <= right for left, right in marks):
            continue
        kept += [text[at:start], f"[redacted: {kind}]"]
        counts[kind] += 1
        at = end
    return Redacted("".join([*kept, text[at:]]), counts)


def _places(text: str, people: People) -> Iterator[tuple[str, int, int]]:
    for secret in credentials_in(text):
        yield secret.kind, secret.start, secret.end
    for match in _PASSWORD.finditer(text):
        yield "password", *match.span("it")
    for match in _EMAIL.finditer(text):
        yield "email", *match.span()
    yield from numbers_in(text)
    for match in _ADDRESS.finditer(text):
        if _is_of_the_internet(match.group()) and not _IS_VERSION.search(
            text, max(0, match.start() - 12), match.start()
        ):
            yield "ip address", *match.span()
    yield from people.places(text)


def _joined(places: Iterable[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """In order, those that overlap made one, so that nothing of any is left; named after the first found."""
    found = list(enumerate(places))
    joined: list[tuple[int, str, int, int]] = []
    for rank, (kind, start, end) in sorted(found, key=lambda one: (one[1][1], -one[1][2], one[0])):
        if joined and start < joined[-1][3]:
            before = joined.pop()
            first = min((rank, kind), before[:2])
            joined.append((*first, before[2], max(end, before[3])))
        else:
            joined.append((rank, kind, start, end))
    return [(kind, start, end) for _, kind, start, end in joined]


def _is_of_the_internet(text: str) -> bool:
    try:
        return ip_address(text).is_global and not text.endswith(".0.0")
    except ValueError:
        return False
