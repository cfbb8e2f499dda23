"""Programs that a service runs beside, so that what the README says of them is tried in earnest.

Each is one on the PATH, or else Debian's, whose files are laid into the environment: nothing is installed, and no other
service begins to run. ``python -m tests.programs NAME ...`` gets them; it fails where one cannot be had and CI is set,
and else says what is not run.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.debian import unpack

# Each with Debian's package of it
PACKAGES = {"nginx": "nginx", "prometheus": "prometheus", "promtool": "prometheus", "qemu-x86_64": "qemu-user"}
FOLDER = Path(sys.prefix) / "programs"
_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", f"{FOLDER}/usr/bin", f"{FOLDER}/usr/sbin"])


def program(name: str) -> str:
    """The path of one, for a test. Skips where there is none, and fails where there must be one."""
    if found := _found(name):
        return found
    why = f"there is no {name}; python -m tests.programs {name} gets one"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def _found(name: str) -> str | None:
    return shutil.which(name, path=_PLACES)


def main(names: Sequence[str]) -> int:
    """Find each or get it, and say so."""
    for name in names:
        if _found(name) is None:
            print(f"There is no {name} on the PATH: getting one", file=sys.stderr)
            unpack(PACKAGES[name], FOLDER)
        if found := _found(name):
            print(f"{name}: {found}")
    missing = [name for name in names if _found(name) is None]
    if not missing:
        return 0
    print(
        f"\n*** NOT RUN: the tests with {', '.join(missing)}, since none could be had. Put them on the PATH"
        f" (Debian: apt-get install {' '.join(sorted({PACKAGES[name] for name in missing}))}).\n",
        file=sys.stderr,
    )
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
