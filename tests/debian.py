"""Programs and files that the tests need and that no wheel has: of the system, where we may."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

_INSTALL_SECONDS = 600


def install_package(name: str) -> bool:
    """Whether apt has installed a package of Debian; only root may."""
    return refresh() and run_in_time(["apt-get", "install", "-q", "-y", "--no-install-recommends", name])


def unpack(name: str, into: Path, only: Sequence[str] = ()) -> bool:
    """Whether files of a package of Debian lie in a folder now, all or those of some patterns, of each at least one."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return False
    with tempfile.TemporaryDirectory() as scratch:
        get = ["apt-get", "download", "-q", name]
        if not run_in_time(get, Path(scratch)) and not (refresh() and run_in_time(get, Path(scratch))):
            return False
        for file in Path(scratch).glob("*.deb"):
            archive, patterns = Path(scratch) / "files.tar", ["--wildcards", *only] if only else []
            with archive.open("wb") as files:
                subprocess.run(["dpkg-deb", "--fsys-tarfile", file], stdout=files, check=True)
            into.mkdir(parents=True, exist_ok=True)
            if not run_in_time(["tar", "-xf", str(archive), "-C", str(into), *patterns]):
                return False
    return True


def refresh() -> bool:
    """Whether we may ask apt for its packages; then it has been told to look which there are."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    # Some of its sources may be down, and the package of another
    run_in_time(["apt-get", "update", "-q"])
    return True


def run_in_time(command: Sequence[str], folder: Path | None = None) -> bool:
    """Whether a command that gets something did; what it says goes to stderr."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=quiet, cwd=folder, timeout=_INSTALL_SECONDS, check=False, stdout=sys.stderr)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{' '.join(command)}: {error}", file=sys.stderr)
        return False
    return done.returncode == 0
