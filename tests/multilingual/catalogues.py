"""What programs say in English, and the same in another language: message catalogues out of packages of Debian.

``python -m tests.multilingual.catalogues`` gets the packages. Their files are laid into the environment; nothing is
installed, and nothing of them is part of this repository.
"""

import gettext
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.debian import unpack

FOLDER = Path(sys.prefix) / "catalogues"
LANGUAGES = ("de", "fr")
# Of desktops, networks, printers, mail, disks and accounts: what service desks are asked about
PACKAGES = (
    "apt", "coreutils", "deja-dup", "dolphin", "evolution-common", "evolution-data-server-common", "firewalld", "gdm3",
    "gnome-control-center-data", "gnome-disk-utility", "gnome-session-common",
    "gnome-software-common", "gvfs-common", "kmail", "libc-l10n", "libgtk-3-common",
    "nautilus-data", "network-manager", "network-manager-gnome", "packagekit", "plasma-desktop-data",
    "plasma-nm", "print-manager", "remmina-common", "seahorse", "sssd-common", "synaptic",
    "system-config-printer-common", "util-linux-locales", "xfce4-power-manager-data",
)  # fmt: skip
_LONGEST = 160
# Markup, the places of values, and marks of a menu's keys
_NOT_SAID = re.compile(r"<[^>]+>|%[-\w.$*]*[a-zA-Z%]|\{[^}]*\}")
_KEYS = re.compile(r"[_&](?=\w)")
_CONTEXT = "\x04"


def said_alike(language: str) -> list[tuple[str, str]]:
    """Texts in English, each with the same in the language, in the order of the files.

    Skips the test where there are no packages, and fails it where there must be.
    """
    found = list(dict.fromkeys(_in(language)))
    if not found:
        why = "there are no message catalogues; python -m tests.multilingual.catalogues gets them"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    return found


def _in(language: str) -> Iterator[tuple[str, str]]:
    for file in sorted(FOLDER.rglob(f"{language}/LC_MESSAGES/*.mo")):
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


def main() -> int:
    """Get what is not there, and say so."""
    have = FOLDER / "have"
    have.mkdir(parents=True, exist_ok=True)
    missing = [name for name in PACKAGES if not (have / name).exists()]
    if missing:
        print(f"Getting the message catalogues of {len(missing)} packages", file=sys.stderr)
    for name in missing:
        if unpack(name, FOLDER, [f"*/{language}/LC_MESSAGES/*.mo" for language in LANGUAGES]):
            (have / name).touch()
    missing = [name for name in PACKAGES if not (have / name).exists()]
    print(f"Message catalogues: of {len(PACKAGES) - len(missing)} packages, in {FOLDER}")
    if not missing:
        return 0
    print(f"\n*** NOT RUN: the tests with a multilingual model: Debian's {', '.join(missing)} could not be had.\n")
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
