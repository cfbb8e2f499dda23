"""One target under atheris, in a process of its own: what is run is instrumented while it is imported.

``python -m tests.fuzz.guided FILE TARGET FLAG...``, where flags are libFuzzer's. A fault becomes a line of JSON in the
file as soon as it is found, since the engine ends the process as it likes.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import atheris

# What is guided: our readers, and those of theirs that are Python
INSTRUMENTED = ["indexer", "kb_service", "markdown_it", "mdit_py_plugins", "ruamel", "tests.fuzz"]


def main(faults: str, name: str, *flags: str) -> None:
    """Does not return."""
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import TARGETS
        from tests.fuzz.trial import Fault, Trial, bounded

    def write(fault: Fault) -> None:
        with Path(faults).open("a", encoding="utf-8") as file:
            file.write(json.dumps({**asdict(fault), "data": fault.data.hex()}) + "\n")

    with bounded():
        atheris.Setup([sys.argv[0], *flags], Trial(TARGETS[name].run, write))
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
