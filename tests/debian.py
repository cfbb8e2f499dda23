"""Programs that the tests need and that no wheel has: installed by the system, where we may."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

_INSTALL_SECONDS = 600


def install_package(name: str) -> bool:
    """Whether apt has installed a package of Debian; only root may."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run_in_time(["apt-get", "update", "-q"], quiet)
    return run_in_time(["apt-get", "install", "-q", "-y", "--no-install-recommends", name], quiet)


def run_in_time(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a command that installs something did; what it says goes to stderr."""
    try:
        done = subprocess.run(command, env=environment, timeout=_INSTALL_SECONDS, check=False, stdout=sys.stderr)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{' '.join(command)}: {error}", file=sys.stderr)
        return False
    return done.returncode == 0
