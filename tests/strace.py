"""A real strace for the tests of faults: one that is there, or else one that is installed.

``python -m tests.strace`` says which; it fails where none can be had and CI is set, and else says what is not run.
"""

import os
import shutil
import subprocess
import sys

from tests.debian import install_package


def strace() -> str | None:
    """The path of one that is there and may look into processes of ours."""
    named = shutil.which("strace")
    true = shutil.which("true")
    if named is None or true is None:
        return None
    tried = subprocess.run([named, "-o", os.devnull, true], check=False, capture_output=True)
    return named if tried.returncode == 0 else None


def main() -> int:
    """Find one or install one, and say so."""
    if strace() is None:
        print("There is no strace on the PATH: installing one", file=sys.stderr)
        install_package("strace")
    found = strace()
    if found:
        print(f"strace: {found}")
        return 0
    print(
        "\n*** NOT RUN: the tests of faults and kills at each step (tests/test_faults.py, tests/test_kills.py). There"
        " is no strace\n*** that may look into our own processes, and none could be installed. Install one (Debian:"
        " apt-get install strace);\n*** in a container allow it: docker run --cap-add SYS_PTRACE.\n",
        file=sys.stderr,
    )
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
