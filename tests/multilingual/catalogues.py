"""What programs say in English, and the same in another language: message catalogues, as gettext compiles them."""

import gettext
import re
from collections.abc import Iterator

from tests.multilingual import packages

LANGUAGES = ("de", "fr")
_LONGEST = 160
# Markup, the places of values, and marks of a menu's keys
_NOT_SAID = re.compile(r"<[^>]+>|%[-\w.$*]*[a-zA-Z%]|\{[^}]*\}")
_KEYS = re.compile(r"[_&](?=\w)")
_CONTEXT = "\x04"


def said_alike(language: str) -> list[tuple[str, str]]:
    """Texts in English, each with the same in the language, in the order of the files."""
    return list(dict.fromkeys(_said_alike(language)))


def _said_alike(language: str) -> Iterator[tuple[str, str]]:
    for file in sorted(packages.folder().rglob(f"{language}/LC_MESSAGES/*.mo")):
        with file.open("rb") as opened:
            said = gettext.GNUTranslations(opened)._catalog  # type: ignore[attr-defined]  # nothing public lists it
        for key, translated in said.items():
            # One of several forms, by number
            named = key[0] if isinstance(key, tuple) else key
            english, other = _plain(named.rpartition(_CONTEXT)[2]), _plain(translated)
            if english and other and english != other and len(english) <= _LONGEST:
                yield english, other


def _plain(text: str) -> str:
    return " ".join(_KEYS.sub("", _NOT_SAID.sub(" ", text)).split()).strip(" .:…")
