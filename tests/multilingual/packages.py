"""What programs say in several languages: files out of packages of Debian.

``python -m tests.multilingual.packages`` gets them. They are laid into the environment; nothing is installed, and
nothing of them is part of this repository.
"""

import os
import sys
from pathlib import Path

import pytest

from tests.debian import unpack

FOLDER = Path(sys.prefix) / "multilingual"
# Desktops, networks, printers, mail, disks and accounts: what service desks are asked about
WITH_CATALOGUES = (
    "apt", "coreutils", "deja-dup", "dolphin", "evolution-common", "evolution-data-server-common", "firewalld", "gdm3",
    "gnome-control-center-data", "gnome-disk-utility", "gnome-session-common", "gnome-software-common", "gvfs-common",
    "kmail", "libc-l10n", "libgtk-3-common", "nautilus-data", "network-manager", "network-manager-gnome", "packagekit",
    "plasma-desktop-data", "plasma-nm", "print-manager", "remmina-common", "seahorse", "sssd-common", "synaptic",
    "system-config-printer-common", "util-linux-locales", "xfce4-power-manager-data",
)  # fmt: skip
WITH_HELP = "gnome-user-docs"
_WANTED = {
    **dict.fromkeys(WITH_CATALOGUES, ("*/de/LC_MESSAGES/*.mo", "*/fr/LC_MESSAGES/*.mo")),
    WITH_HELP: ("*/gnome-help/*.page",),
}


def folder() -> Path:
    """Where the files lie. Skips the test where some are not there, and fails it where they must be."""
    if missing := _missing():
        why = f"there are no files of {', '.join(missing)}; python -m tests.multilingual.packages gets them"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    return FOLDER


def _missing() -> list[str]:
    return [name for name in _WANTED if not (FOLDER / "have" / name).exists()]


def main() -> int:
    """Get what is not there, and say so."""
    if missing := _missing():
        print(f"Getting what {len(missing)} packages of Debian say in several languages", file=sys.stderr)
    (FOLDER / "have").mkdir(parents=True, exist_ok=True)
    for name in missing:
        if unpack(name, FOLDER, _WANTED[name]):
            (FOLDER / "have" / name).touch()
    if not (missing := _missing()):
        print(f"What {len(_WANTED)} packages say in several languages: {FOLDER}")
        return 0
    print(f"\n*** NOT RUN: tests of languages: Debian's {', '.join(missing)} could not be had.\n", file=sys.stderr)
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
