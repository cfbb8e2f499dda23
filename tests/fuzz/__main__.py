"""Try what comes from outside with inputs that nobody wrote: ``python -m tests.fuzz TARGET|all``.

With atheris (``pip install '.[fuzz]'``; Linux) by what each input reached, else by chance. A fault is told with its
input as a Python literal, so that it can stand in a test, and ends the program with 1.
"""

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.mutations import MOST_BYTES, mutated
from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.trial import Fault, Trial, bounded

_EDGES = re.compile(r"cov: (\d+)")
_DONE = re.compile(r"^Done (\d+) runs", re.MULTILINE)
# What an input may take: megabytes, and seconds by the clock where not even a signal can stop it
_MOST_MEMORY = 4096
_MOST_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a target, in seconds of the processor. ``edges`` are branches reached, where they are counted."""

    executions: int
    seconds: float
    edges: int | None
    faults: list[Fault]

    def __str__(self) -> str:
        rate = f"{self.executions / max(self.seconds, 0.001):,.0f} a second of the processor"
        edges = "" if self.edges is None else f"{self.edges:,} edges, "
        return f"{self.executions:,} executions, {rate}, {edges}{len(self.faults)} faults"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("target", choices=[*TARGETS, "all"])
    parser.add_argument("--runs", type=int, default=None, help="so many inputs for each target (default: 10,000)")
    parser.add_argument("--seconds", type=float, default=None, help="so long for each target")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers")
    parser.add_argument("--plain", action="store_true", help="by chance, also where atheris is installed")
    asked = parser.parse_args()
    guided = find_spec("atheris") is not None and not asked.plain
    if not guided and not asked.plain:
        print("atheris is not installed, so inputs are made by chance; pip install '.[fuzz]' has them guided")
    runs = 10_000 if asked.runs is None and asked.seconds is None else asked.runs
    found = 0
    for name in TARGETS if asked.target == "all" else [asked.target]:
        run = (
            _guided(name, runs, asked.seconds, asked.seed) if guided else _plain(name, runs, asked.seconds, asked.seed)
        )
        print(f"{name}: {run}", *run.faults, sep="\n", flush=True)
        found += len(run.faults)
    return 1 if found else 0


def _plain(name: str, runs: int | None, seconds: float | None, seed: int) -> Outcome:
    target, faults = TARGETS[name], list[Fault]()
    trial, started, before = Trial(target.run, faults.append), time.monotonic(), time.process_time()
    made = chain(target.seeds(), mutated(list(target.seeds()), target.words, random.Random(seed)))  # noqa: S311
    tried = 0
    with bounded():
        for data in made if runs is None else islice(made, runs):
            trial(data)
            tried += 1
            if seconds is not None and time.monotonic() - started > seconds:
                break
    return Outcome(tried, time.process_time() - before, None, faults)


def _guided(name: str, runs: int | None, seconds: float | None, seed: int) -> Outcome:
    with TemporaryDirectory() as folder:
        found, corpus, words = Path(folder) / "faults", Path(folder) / "corpus", Path(folder) / "words"
        _write(TARGETS[name], corpus, words)
        flags = [
            f"-seed={seed}",
            f"-max_len={MOST_BYTES}",
            f"-rss_limit_mb={_MOST_MEMORY}",
            f"-timeout={_MOST_SECONDS}",
        ]
        # A seed that is longer than it must be has more to change
        flags += ["-keep_seed=1", "-reduce_inputs=0", f"-artifact_prefix={folder}/", f"-dict={words}", str(corpus)]
        flags += [f"-runs={runs}"] if runs is not None else []
        flags += [f"-max_total_time={max(1, round(seconds))}"] if seconds is not None else []
        before = _children_s_seconds()
        # What targets leave in temporary folders goes with ours
        ended = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.guided", str(found), name, *flags],
            check=False, env={**os.environ, "TMPDIR": folder}, stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        seconds, log = _children_s_seconds() - before, ended.stderr
        done = _DONE.search(log)
        if ended.returncode or done is None:
            inputs = [path.read_bytes() for path in Path(folder).glob("*-*")]
            raise SystemExit(f"{name}: the engine ended by {ended.returncode}, at {inputs!r}\n{log[-3000:]}")
        lines = found.read_text("utf-8").splitlines() if found.exists() else []
    said = [json.loads(line) for line in lines]
    faults = [Fault(bytes.fromhex(one["data"]), one["error"], one["place"]) for one in said]
    return Outcome(int(done[1]), seconds, max(map(int, _EDGES.findall(log)), default=None), faults)


def _children_s_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _write(target: Target, corpus: Path, words: Path) -> None:
    """What libFuzzer begins with: a file for each seed, and its dictionary."""
    corpus.mkdir()
    for number, seed in enumerate(target.seeds()):
        (corpus / str(number)).write_bytes(seed[:MOST_BYTES])
    quoted = ("".join(f"\\x{byte:02x}" for byte in word) for word in target.words)
    words.write_text("".join(f'"{word}"\n' for word in quoted), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
