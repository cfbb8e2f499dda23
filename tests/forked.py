"""Processes of ours that start at once: forked from one that has imported everything (``python -m tests.forked``).

Each has its own arguments, environment, files and signals, and ends as an interpreter does. Only the imports, a second
and more of each start, are had once for all.
"""

import atexit
import ctypes
import gc
import importlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

_RUN_SECONDS = 100.0
_LOOK_SECONDS = 0.004
_PR_SET_PTRACER = 0x59616D61


class Run:
    """A forked ``kb``, to be waited for and signalled as a ``subprocess.Popen``."""

    def __init__(self, server: "_Server", pid: int, out: Path, err: Path) -> None:
        self._server = server
        self.pid, self.out, self.err = pid, out, err
        self.returncode: int | None = None

    def go(self) -> None:
        """On from where it was held."""
        self.send_signal(signal.SIGCONT)

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Its exit code, or less a signal's number; None while it runs."""
        if self.returncode is None:
            said = self._server.ask({"ended": self.pid})
            self.returncode = int(said) if said else None
        return self.returncode

    def wait(self, seconds: float = _RUN_SECONDS) -> int:
        """Its exit code. Raises ``subprocess.TimeoutExpired`` where it takes longer, and ends it."""
        end, turn = time.monotonic() + seconds, threading.Event()
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired("kb", seconds, self.said(), self.complained())
            turn.wait(_LOOK_SECONDS)
        return code

    def said(self) -> str:
        return self.out.read_text("utf-8")

    def complained(self) -> str:
        return self.err.read_text("utf-8")


def begin(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    out: Path | None = None,
    err: Path | None = None,
    constants: Mapping[str, int] | None = None,
    held: bool = False,
) -> Run:
    """``kb`` with arguments and nothing but this environment, in this folder; it writes to ``out`` and ``err``.

    ``constants`` are those of our modules, by dotted name. Held, it waits before its first step.
    """
    return _server().begin(arguments, environment, out, err, constants or {}, held=held)


def kb(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """``kb`` from its start to its end, whatever comes of it."""
    run = begin(arguments, environment)
    code = run.wait()
    return subprocess.CompletedProcess(["kb", *arguments], code, run.said(), run.complained())


class _Server:
    """The process that runs are forked from, and what is said to it: a line of JSON, answered by a line."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="kb-forked-"))
        self._numbers = itertools.count()
        self._one_by_one = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked"],
            cwd=Path(__file__).parent.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._read() == "ready"

    def begin(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        out: Path | None,
        err: Path | None,
        constants: Mapping[str, int],
        *,
        held: bool,
    ) -> Run:
        number = next(self._numbers)
        out, err = out or self._folder / f"{number}.out", err or self._folder / f"{number}.err"
        # Nothing of an earlier run is read
        for file in (out, err):
            file.write_text("")
        told = {
            "arguments": arguments,
            "environment": dict(environment),
            "out": out,
            "err": err,
            "constants": constants,
        }
        told |= {"folder": Path.cwd(), "held": held}
        return Run(self, int(self.ask(told)), out, err)

    def ask(self, told: Mapping[str, Any]) -> str:
        with self._one_by_one:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(told, default=str) + "\n")
            self._process.stdin.flush()
            return self._read()

    def close(self) -> None:
        self._process.communicate()
        shutil.rmtree(self._folder)

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@cache
def _server() -> _Server:
    server = _Server()
    atexit.register(server.close)
    return server


def _main() -> None:
    import faiss  # noqa: F401
    import uvicorn  # noqa: F401
    import uvloop  # noqa: F401

    from kb_service import app, cli, slow_clients  # noqa: F401

    # What is imported is not gone through again by each run
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    running: set[int] = set()
    for line in sys.stdin:
        told = json.loads(line)
        if "ended" in told:
            print(_ended(told["ended"], running), flush=True)
            continue
        pid = os.fork()
        if not pid:
            _become(told)
            _end(cli.main)
        running.add(pid)
        if told["held"]:
            os.waitpid(pid, os.WUNTRACED)
        print(pid, flush=True)
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def _ended(pid: int, running: set[int]) -> str:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return ""
    running.discard(pid)
    return str(os.waitstatus_to_exitcode(status))


def _become(told: Mapping[str, Any]) -> None:
    """The run that is asked for, up to its first step."""
    for descriptor, name in ((0, os.devnull), (1, told["out"]), (2, told["err"])):
        opened = os.open(name, os.O_RDWR)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["environment"])
    for dotted, value in told["constants"].items():
        module, _, name = dotted.rpartition(".")
        setattr(importlib.import_module(module), name, value)
    sys.argv = ["kb", *told["arguments"]]
    with suppress(OSError, AttributeError):
        # Where only a process's parent may look into it
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    if told["held"]:
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
