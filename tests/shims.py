"""Libraries that lie between a process and the system, compiled for a test: they answer some of its calls otherwise."""

import shutil
import subprocess
from pathlib import Path

import pytest


def settings_for(source: str, folder: Path, file: Path) -> dict[str, str]:
    """The environment of processes that have a library of C before the system's; it finds a file by ``SHIM``.

    Skips where there is no compiler.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    code, library = folder / f"{file.name}.c", folder / f"{file.name}.so"
    code.write_text(source, "utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, code, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "SHIM": str(file)}
