"""A process of ours whose n-th call to the disk fails, or is its last: strace puts a real error or a kill in its place.

A first run is watched, which gives every place where a fault can be put; each is then tried in a run of its own.
"""

import os
import random
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

import pytest

from tests.strace import strace

# Of each system call that an index, a record or git makes on files, the errors that it can have
ERRORS: Mapping[str, tuple[str, ...]] = {
    "pwrite64": ("ENOSPC", "EIO"),
    "write": ("ENOSPC", "EIO"),
    "pread64": ("EIO",),
    "read": ("EIO",),
    "fsync": ("EIO",),
    "fdatasync": ("EIO",),
    "ftruncate": ("ENOSPC",),
    "openat": ("ENOSPC", "EIO"),
    "mkdir": ("ENOSPC",),
    "rename": ("EIO",),
    "link": ("EIO",),
    "unlink": ("EIO",),
    "flock": ("ENOLCK",),
    "fcntl": ("ENOLCK",),
    "mmap": ("ENOMEM",),
}
# What changes something on the disk: between any two of these a kill leaves another state
STEPS = ("pwrite64", "write", "fsync", "fdatasync", "ftruncate", "openat", "mkdir", "rename", "link", "unlink")
_ONLY_FILES = frozenset(ERRORS) - {"read", "write", "fcntl", "mmap", "openat"}
# Names that are others in each run
_UNLIKE = re.compile(r"tmp_|before-restore|/objects/|session\.key\.")
_CALL = re.compile(r"(\d+) +(\w+)\((.*)")
_RUN_SECONDS = 100.0
_DETACH_SECONDS = 10.0
_PR_SET_PTRACER = 0x59616D61


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The ``nth`` time that a thread makes a call on the file ``path``; without one, on whatever file."""

    call: str
    path: str
    nth: int

    def __str__(self) -> str:
        return f"{self.call} {self.nth} of {Path(self.path).name or 'any file'}"

    @property
    def is_lock(self) -> bool:
        return self.call in {"flock", "fcntl"}

    @property
    def reads(self) -> bool:
        """Whether who reads needs it too, so that nothing can be answered while it fails."""
        return self.is_lock or self.call in {"pread64", "read", "openat", "mmap"}

    @property
    def is_of_sqlite(self) -> bool:
        """Whether the file is a database, or beside one; not a copy that is put there as a whole."""
        return self.path.endswith((".db", ".db-wal", ".db-shm", ".db-journal"))

    def failing(self, error: str, *, lasting: bool = False) -> list[str]:
        """Options of strace: it fails once, or from then on."""
        return self._inject(f"error={error}", "+" if lasting else "")

    def killing(self) -> list[str]:
        """Options of strace: it is not done any more."""
        return self._inject("signal=KILL", "")

    def _inject(self, what: str, on: str) -> list[str]:
        only = ["-P", self.path] if self.path else []
        return ["-e", f"trace={self.call}", "-e", f"inject={self.call}:{what}:when={self.nth}{on}", *only]


@dataclass(frozen=True, slots=True)
class Fault:
    """An error at a place, once or from then on."""

    place: Place
    error: str
    lasting: bool

    @property
    def options(self) -> list[str]:
        """Of strace."""
        return self.place.failing(self.error, lasting=self.lasting)

    def __str__(self) -> str:
        return f"{self.place}, {self.error}{', lasting' if self.lasting else ''}"


def faults_of(place: Place) -> list[Fault]:
    """Each of its errors, once and from then on. A lock is lost for a moment only."""
    return [
        Fault(place, error, lasting)
        for error in ERRORS[place.call]
        for lasting in ([False] if place.is_lock else [False, True])
    ]


def some_of(places: Sequence[Place], count: int, chance: random.Random) -> list[Place]:
    """So many, of one kind of call after the other, so that what is called seldom has its turn too."""
    by_call: dict[str, list[Place]] = {}
    for place in chance.sample(places, len(places)):
        by_call.setdefault(place.call, []).append(place)
    calls = chance.sample(sorted(by_call), len(by_call))
    turns = (one for turn in zip_longest(*(by_call[call] for call in calls)) for one in turn if one is not None)
    return list(islice(turns, count))


def places_in(log: Path, folder: Path) -> list[Place]:
    """Every place below a folder where a watched run called the system, in no order."""
    named: Counter[tuple[str, str, str]] = Counter()
    every: Counter[tuple[str, str]] = Counter()
    found: set[Place] = set()
    for line in log.read_text("utf-8", "replace").splitlines():
        match = _CALL.match(line)
        if match is None:
            continue
        thread, call, said = match.groups()
        every[thread, call] += 1
        path = _path_in(call, said)
        if not path.startswith(f"{folder}/") or (call == "fcntl" and "F_SETLK" not in said):
            continue
        named[thread, call, path] += 1
        if not _UNLIKE.search(path):
            found.add(Place(call, path, named[thread, call, path]))
        elif call in _ONLY_FILES:
            found.add(Place(call, "", every[thread, call]))
    return sorted(found)


def _path_in(call: str, said: str) -> str:
    """The file that a call is about: named by its descriptor, or in quotes."""
    quoted = call in {"openat", "mkdir", "rename", "link", "unlink"}
    match = re.search(r'"(/[^"]*)"' if quoted else r"\d+<(/[^>]*)>", said)
    return match[1].removesuffix(" (deleted)") if match else ""


WATCHING = ["-e", f"trace={','.join(ERRORS)}"]


@contextmanager
def traced(pid: int, log: Path, options: list[str]) -> Iterator[None]:
    """strace at a process, its threads and what it starts, until the block or the process ends.

    Skips where there is no strace, and fails where there must be one.
    """
    tracer = strace()
    if tracer is None:
        why = "there is no strace; python -m tests.strace installs one"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    command = [str(tracer), "-f", "-y", "-p", str(pid), "-o", str(log), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        while "attached" not in (said := process.stderr.readline()):
            # Of a path that ends with a slash it says first that it will look for both
            assert "resolved into" in said, said
        try:
            yield
        finally:
            # Asked to end while the last of its threads are dying, it would wait for one that waits for another
            if not has_ended(pid):
                process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=_DETACH_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def has_ended(pid: int) -> bool:
    """Whether a process is dead, though its parent may not have asked yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in {"Z", "X"}


def met_at(log: Path) -> str | None:
    """The call that failed, or was the last; None where it was never made."""
    text = log.read_text("utf-8", "replace")
    if "(INJECTED)" in text:
        return _calls(line for line in text.splitlines() if "(INJECTED)" in line)
    return _calls(reversed(text.splitlines())) if "killed by SIGKILL" in text else None


def _calls(lines: Iterable[str]) -> str | None:
    found = (re.match(r"\d+ +(?:<\.\.\. )?(\w+)", line) for line in lines)
    return next((match[1] for match in found if match and match[1] in ERRORS), None)
