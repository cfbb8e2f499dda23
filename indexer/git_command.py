"""Runs git: fixed argument lists, within a time and a size, no hooks, no questions, and nothing in the environment that
points elsewhere.
"""

import os
import re
import resource
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Container, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, cast

from indexer.errors import KnowledgeBaseError

GIT_SECONDS = 60
# A few kilobytes pushed can hold a tree of ten thousand million files: git would list them until the memory is full
MOST_SAID_BYTES = 256 * 1024 * 1024
MOST_MEMORY_BYTES = 1024 * 1024 * 1024

# What git itself calls local: set inside a hook, they would lead every command to the hook's repository
_LOCAL = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS",
    "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
)  # fmt: skip
_ALWAYS = {
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "SSH_ASKPASS_REQUIRE": "never",
}
FIXED = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", "-c", "i18n.logOutputEncoding=UTF-8")


class GitError(KnowledgeBaseError):
    """Git is missing, took too long, or could not do what it was asked; carries what git said."""


class GitRefusedError(GitError):
    """Git ran to its end, and said that it could not do it."""


def environment() -> Mapping[str, str]:
    """The environment that git runs in."""
    return {**{name: value for name, value in os.environ.items() if name not in _LOCAL}, **_ALWAYS}


def without_credentials(text: str) -> str:
    """A URL as it may be shown, or a text that names some."""
    return re.sub(r"(?<=://)[^/\s]+@", "", text)


def unified_diff(before: str, after: str) -> str:
    """The hunks of a unified diff between two texts; empty where they are the same. Raises GitError."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("before", before), ("after", after)):
            (Path(folder) / name).write_text(text, "utf-8", newline="")
        how = ("--no-index", "--no-color", "--no-ext-diff", "--no-textconv", "--text")
        said = run_git("-C", folder, "diff", *how, "--", "before", "after", codes=(0, 1)).decode("utf-8", "replace")
    start = said.find("\n@@")
    return said[start + 1 :] if start >= 0 else ""


def run_git(
    *arguments: str, seconds: float = GIT_SECONDS, codes: Container[int] = (0,), most: int = MOST_SAID_BYTES
) -> bytes:
    """What git prints, where it ends with one of these codes after ``most`` bytes at most. Raises GitError."""
    with ExitStack() as stack:
        try:
            complaints = stack.enter_context(tempfile.TemporaryFile())
            process = subprocess.Popen(
                [*FIXED, *arguments],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise GitError("git is not there", "Install git, or put it on the PATH") from error
        except OSError as error:
            raise GitError(
                f"git cannot be run: {error.strerror}", "Look at the machine's memory, disk and processes"
            ) from error
        said, in_time = said_within(process, seconds, most)
        if not in_time:
            raise GitError(f"git took over {seconds:.0f} s ({_named(arguments)})", "Look at the disk or the remote")
        if len(said) > most:
            raise GitError(
                f"git said over {most >> 20} MiB ({_named(arguments)})",
                "Look at the repository: a tree in it may be many times too large",
            )
        if process.returncode not in codes:
            complaints.seek(0)
            complaint = _complaint(complaints.read()) or f"exit code {process.returncode}"
            kind = GitRefusedError if process.returncode > 0 else GitError
            raise kind(f"git could not do it ({_named(arguments)}): {complaint}", _remedy(complaint))
    return said


def said_within(process: subprocess.Popen[bytes], seconds: float, most: int) -> tuple[bytes, bool]:
    """What a process prints, one byte more than the most at most, and whether it ended in time."""
    if hasattr(resource, "prlimit"):
        with suppress(OSError):
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    late = threading.Event()

    def end() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        said = cast(IO[bytes], process.stdout).read(most + 1)
        if len(said) <= most:
            process.wait()
    finally:
        timer.cancel()
        with process:
            if process.poll() is None:
                _kill(process)
    return said, not late.is_set()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """With all that it runs: a helper that lives on, even after git, would keep what it prints to open.

    Its number is its own as long as nobody has waited for it.
    """
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _complaint(said: bytes) -> str:
    """The line that says what git could not do."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    line = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
    line = without_credentials(line.removeprefix("fatal: ").removeprefix("error: "))
    return "".join(letter if letter.isprintable() else " " for letter in line)


def _remedy(complaint: str) -> str:
    """What to do; git's own advice comes after the line that says what is wrong."""
    foreign = re.search(r"dubious ownership in repository at '(.+)'", complaint)
    if foreign is None:
        return "Mend what git says"
    # A user that a service runs as has no home to keep settings in
    by, scope = ("run", "--global") if os.access(Path.home(), os.W_OK) else ("as root run", "--system")
    trusting = shlex.join(["git", "config", scope, "--add", "safe.directory", foreign[1]])
    return f"It belongs to another user. If you trust it, {by}: {trusting}"


def _named(arguments: tuple[str, ...]) -> str:
    """The git command's name, for a message."""
    place = 0
    while arguments[place] in {"-C", "-c", "--git-dir"}:
        place += 2
    return arguments[place]
