"""What the program stands on: Python, SQLite, the packages, git, and how many files may be open."""

import platform
import resource
import shlex
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from importlib import metadata

from packaging.requirements import Requirement

from indexer.git_command import GitError, run_git
from indexer.model_files import INSTALLED
from kb_service.content import is_ref
from kb_service.diagnosis import Case, Diagnosis

_PACKAGE = "kb-service"
# RETURNING
_LEAST_SQLITE = (3, 35)
# "rev-parse --end-of-options"
_LEAST_GIT = (2, 30)
_LEAST_FILES = 1024
# Where that was done at installation nothing else takes them
_FOR_EXPORT = frozenset({"onnx", "sentence-transformers", "torch"})


def program(_: Case) -> Iterator[Diagnosis]:
    """The versions of what it runs on, and whether the packages are those that it needs."""
    name = "program"
    try:
        version, requires = metadata.version(_PACKAGE), metadata.requires(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        version, requires = "(not installed as a package)", []
    if INSTALLED.exists():
        requires = [one for one in requires if Requirement(one).name not in _FOR_EXPORT]
    wrong = [*_sqlite(), *_unmet_as_diagnosis(requires)]
    yield from wrong
    if not wrong:
        faiss, onnx = (_version(package) for package in ("faiss-cpu", "onnxruntime"))
        python = platform.python_version()
        yield Diagnosis(
            name,
            "ok",
            f"kb {version}, Python {python}, SQLite {sqlite3.sqlite_version}, FAISS {faiss}, ONNX Runtime {onnx}",
        )


def unmet(requires: Iterable[str], version: Callable[[str], str | None]) -> list[tuple[str, str]]:
    """Of requirements as packages state them those that are not met, each with what is there instead."""
    found = []
    for requirement in map(Requirement, requires):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        there = version(requirement.name)
        if there is None or not requirement.specifier.contains(there, prereleases=True):
            found.append((f"{requirement.name}{requirement.specifier}", there or "not installed"))
    return found


def git(case: Case) -> Iterator[Diagnosis]:
    """Git is needed where a ref is followed; for files as they lie it tells their history."""
    try:
        said = run_git("--version", seconds=5).decode("utf-8", "replace").split()
    except GitError as error:
        needed = is_ref(case.settings)
        what = f"{error.problem}: " + ("the content cannot be read" if needed else "articles have no history")
        yield Diagnosis("git", "error" if needed else "warning", what, error.remedy)
        return
    version = said[2] if len(said) > 2 else "?"
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < _LEAST_GIT:
        least = ".".join(map(str, _LEAST_GIT))
        yield Diagnosis("git", "error", f"git is of version {version}", f"Install {least} or newer")
    else:
        yield Diagnosis("git", "ok", f"version {version}")


def file_limit(_: Case, most: int | None = None) -> Iterator[Diagnosis]:
    """How many files a process may have open: each connection is one. The service raises its own to the most."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1] if most is None else most
    if hard == resource.RLIM_INFINITY:
        yield Diagnosis("open files", "ok", "as many as wanted")
    elif hard < _LEAST_FILES:
        yield Diagnosis(
            "open files", "warning", f"a process may have only {hard} files open here, and the service perhaps too",
            "Each connection is one. Raise it for the service: LimitNOFILE=65536 in its systemd unit, or ulimit -Hn",
        )  # fmt: skip
    else:
        yield Diagnosis("open files", "ok", f"up to {hard}")


def _sqlite() -> Iterator[Diagnosis]:
    if sqlite3.sqlite_version_info < _LEAST_SQLITE:
        least = ".".join(map(str, _LEAST_SQLITE))
        yield Diagnosis("SQLite", "error", f"it is of version {sqlite3.sqlite_version}", f"Use a Python with {least}")
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE words USING fts5(word)")
        except sqlite3.OperationalError as error:
            yield Diagnosis("SQLite", "error", f"it has no FTS5: {error}", "Use a Python whose SQLite has it")


def _unmet_as_diagnosis(requires: Iterable[str]) -> Iterator[Diagnosis]:
    if wrong := unmet(requires, _version):
        told = ", ".join(f"{wanted} is needed, {there} is there" for wanted, there in wrong)
        install = shlex.join([sys.executable, "-m", "pip", "install", *(wanted for wanted, _ in wrong)])
        yield Diagnosis("packages", "error", told.replace("not installed is there", "none is there"), f"Run: {install}")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
