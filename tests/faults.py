"""A process of ours whose n-th call to the disk fails, or is its last: strace puts a real error or a kill in its place.

A first run is watched, which gives every place where a fault can be put; each is then tried in a run of its own. Runs
are forked from a process that has imported everything (``python -m tests.faults``), so that one costs no second.
"""

import ctypes
import gc
import importlib
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, NoReturn

import httpx2
import pytest

from tests.conftest import WAIT_SECONDS, eventually
from tests.strace import strace

# Of each system call that an index, a record or git makes on files, the errors that it can have
ERRORS: Mapping[str, tuple[str, ...]] = {
    "pwrite64": ("ENOSPC", "EIO"),
    "write": ("ENOSPC", "EIO"),
    "pread64": ("EIO",),
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
_ONLY_FILES = frozenset(ERRORS) - {"write", "fcntl", "mmap", "openat"}
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
        return self.is_lock or self.call in {"pread64", "openat", "mmap"}

    def failing(self, error: str, *, lasting: bool = False) -> list[str]:
        """Options of strace: it fails once, or from then on."""
        return self._inject(f"error={error}", "+" if lasting else "")

    def killing(self) -> list[str]:
        """Options of strace: it is not done any more."""
        return self._inject("signal=KILL", "")

    def _inject(self, what: str, on: str) -> list[str]:
        only = ["-P", self.path] if self.path else []
        return ["-e", f"trace={self.call}", "-e", f"inject={self.call}:{what}:when={self.nth}{on}", *only]


def fault_of(place: Place, chance: random.Random) -> tuple[str, bool, list[str]]:
    """One of its errors, once or from then on, and the options of strace for it. A lock is lost for a moment only."""
    error = chance.choice(ERRORS[place.call])
    lasting = not place.is_lock and chance.random() < 0.5
    return error, lasting, place.failing(error, lasting=lasting)


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
    """strace at a process, its threads and what it starts, until the block or the process ends."""
    command = [str(strace()), "-f", "-y", "-p", str(pid), "-o", str(log), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert "attached" in said, said
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


@dataclass(frozen=True, slots=True)
class Run:
    """A forked ``kb``, stopped before its first step."""

    pid: int
    out: Path
    err: Path
    _fork: "Fork"

    def go(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def wait(self) -> int:
        """Its exit code, or less a signal's number."""
        return self._fork.ended(self.pid)

    def said(self) -> str:
        return self.out.read_text("utf-8")

    def complained(self) -> str:
        return self.err.read_text("utf-8")


class Fork:
    """The process that runs are forked from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._read() == "ready"

    @classmethod
    @contextmanager
    def of(cls, folder: Path) -> Iterator["Fork"]:
        """In a folder for what the runs print. Skips where there is no strace, and fails where there must be one."""
        if strace() is None:
            why = "there is no strace; python -m tests.strace installs one"
            pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
        made = cls(folder)
        try:
            yield made
        finally:
            made.close()

    def begin(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        constants: Mapping[str, int] | None = None,
        name: str = "run",
    ) -> Run:
        """``kb`` with arguments; ``constants`` are those of our modules, by dotted name."""
        out, err = self._folder / f"{name}.out", self._folder / f"{name}.err"
        told = {"arguments": arguments, "out": str(out), "err": str(err), "constants": constants or {}}
        settings = {"KB_ENCODER": "hashing", "KB_PORT": "0", "KB_POLL_SECONDS": "0", **environment}
        return Run(int(self._ask({**told, "environment": settings})), out, err, self)

    def ended(self, pid: int) -> int:
        assert self._process.stdin is not None
        self._tell({"pid": pid})
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], _RUN_SECONDS)[0]:
            os.kill(pid, signal.SIGKILL)
            self._read()
            pytest.fail(f"not ended within {_RUN_SECONDS:.0f} s")
        return int(self._read())

    def close(self) -> None:
        self._process.communicate()

    def _ask(self, told: Mapping[str, Any]) -> str:
        self._tell(told)
        return self._read()

    def _tell(self, told: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class Serving:
    """A forked ``kb serve`` over a data folder."""

    def __init__(self, fork: Fork, folder: Path, **settings: str) -> None:
        self._fork, self._settings = fork, {"KB_DATA": str(folder), **settings}
        self.pid, self.said = 0, ""

    @contextmanager
    def running(self, *, how: signal.Signals = signal.SIGTERM) -> Iterator[httpx2.Client]:
        """Started and answering; ended by a signal, unless something else has ended it."""
        run = self._fork.begin(["serve"], self._settings, name="serve")
        self.pid = run.pid
        run.go()
        try:
            eventually(lambda: "Ctrl+C" in run.said(), f"it answers: {run.complained()}")
            found = re.search(r"http://\S+:\d+", run.said())
            assert found is not None
            with httpx2.Client(base_url=found[0], timeout=WAIT_SECONDS) as client:
                yield client
        finally:
            os.kill(run.pid, how)
            run.wait()
            self.said = run.complained()


def _main() -> None:
    import faiss  # noqa: F401
    import uvicorn  # noqa: F401
    import uvloop  # noqa: F401

    from kb_service import app, cli, slow_clients  # noqa: F401

    # What is imported is not gone through again by each run
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        if "pid" in told:
            _, status = os.waitpid(told["pid"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        pid = os.fork()
        if not pid:
            _become(told)
            _end(cli.main)
        os.waitpid(pid, os.WUNTRACED)
        print(pid, flush=True)


def _become(told: Mapping[str, Any]) -> None:
    """The run that is asked for, up to its first step."""
    for descriptor, name in ((0, os.devnull), (1, told["out"]), (2, told["err"])):
        opened = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.update(told["environment"])
    for dotted, value in told["constants"].items():
        module, _, name = dotted.rpartition(".")
        setattr(importlib.import_module(module), name, value)
    sys.argv = ["kb", *told["arguments"]]
    with suppress(OSError, AttributeError):
        # Where only a process's parent may look into it
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)


def _end(run: Callable[[], None]) -> NoReturn:
    """As an interpreter ends, files closed, but for taking down what was imported: that takes longer than most runs."""
    code: Any = 0
    try:
        run()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _main()
