"""Front matter as people write it: one key a line, plain where that is safe, else quoted."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date

# Far narrower than what YAML takes plain, so that nothing of it can be read otherwise
_PLAIN = re.compile(r"(?!null\b|Null\b|NULL\b)[^\W_](?:[\w .;!?'()/+&%@–—’-]*[\w.!?)])?")
_PLAIN_IN_LIST = re.compile(r"(?!null\b|Null\b|NULL\b)[^\W_](?:[\w .'()/+–—’-]*[\w.)])?")
_NOT_PRINTABLE = re.compile("[^ -~\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")

Value = str | date | Sequence[str] | None


def front_matter(values: Mapping[str, Value], hints: Mapping[str, str] | None = None) -> str:
    """The lines between and with the two ``---``. A key without a value is left blank, with its hint as a comment."""
    lines = []
    for key, value in values.items():
        hint = (hints or {}).get(key)
        if value in (None, "", (), []):
            lines.append(f"{key}:" + (f"  # {hint}" if hint else ""))
        elif isinstance(value, str | date):
            lines.append(f"{key}: {_scalar(str(value), _PLAIN)}")
        else:
            listed = value or ()
            lines.append(f"{key}: [{', '.join(_scalar(one, _PLAIN_IN_LIST) for one in listed)}]")
    return "\n".join(["---", *lines, "---", ""])


def _scalar(given: str, plain: re.Pattern[str]) -> str:
    # What a shell could not decode is no text that a file takes
    text = given.encode("utf-8", "replace").decode()
    if plain.fullmatch(text) and not _NOT_PRINTABLE.search(text):
        return text
    # What is a string in JSON is the same string in YAML
    return _NOT_PRINTABLE.sub(_escaped, json.dumps(text, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
