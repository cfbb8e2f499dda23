"""A content full of faults: each is found at its line, and what only looks like one is not."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from indexer import Encoder, VectorCache, WorkingTree
from indexer.check import Meaning, check_library
from indexer.check_rules import RULES
from indexer.findings import Finding
from indexer.library import read_library

CASES = (Path(__file__).parent / "cases" / "check.md").read_text("utf-8").replace("¦", "")
FILE = re.compile(r"^@ (?P<path>[^\n<]+?)(?: < (?P<former>\S+))?\n(?P<text>.*?)(?=\n\n@ |\Z)", re.S | re.M)
# Of each rule, as every fault of the cases is a clear one
LEAST = 1.0

Place = tuple[str, int, str]


def files() -> Iterator[tuple[str, str | None, str]]:
    """Path, former path and marked text of each file."""
    for match in FILE.finditer(CASES):
        yield match["path"], match["former"], match["text"]


def plain(text: str) -> str:
    """A file's text as it is written to the disk."""
    lines = (re.sub(r" ⟵.*", "", line) for line in text.split("\n"))
    return "\n".join(re.sub(r"^×(\d+) (.*)", lambda match: f"{match[2]} " * int(match[1]), line) for line in lines)


def marked() -> Counter[Place]:
    """Every fault that the cases say there is."""
    return Counter(
        (path, number, rule)
        for path, _, text in files()
        for number, line in enumerate(text.split("\n"), 1)
        for rule in (re.split(r", ", line.partition(" ⟵ ")[2]) if " ⟵ " in line else [])
    )


@pytest.fixture
def content(tmp_path: Path, git: Callable[..., str]) -> Path:
    """The cases as files in a repository, with the former names of those that were renamed."""
    folder = tmp_path / "repository" / "content"
    folder.mkdir(parents=True)
    git(folder.parent, "init", "-q")
    for was_renamed in (False, True):
        for path, former, text in files():
            file = folder / (path if was_renamed or former is None else former)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(plain(text), "utf-8")
            if was_renamed and former is not None:
                (folder / former).unlink()
        git(folder.parent, "add", "-A")
        git(folder.parent, "commit", "-q", "-m", "content")
    return folder


def found_in(content: Path, encoder: Encoder, model_cache: Path) -> list[Finding]:
    cache = VectorCache(model_cache / "vectors.db", encoder.identity)
    library = read_library(WorkingTree(content), date(2026, 7, 1))
    findings = check_library(library, meaning=Meaning(encoder, cache))
    cache.close()
    return findings


def test_each_fault_is_found_and_nothing_else(content: Path, encoder: Encoder, model_cache: Path) -> None:
    wanted = marked()
    found = Counter((one.path, one.line, one.rule) for one in found_in(content, encoder, model_cache))
    shares: list[float] = []
    for name in [*RULES, ""]:
        of_rule = [Counter({at: n for at, n in every.items() if name in {at[2], ""}}) for every in (wanted, found)]
        right = (of_rule[0] & of_rule[1]).total()
        if of_rule[0] or of_rule[1]:
            recall, precision = (right / (every.total() or 1) for every in of_rule)
            shares += [precision, recall]
            seeded = of_rule[0].total()
            print(f"{name or 'in all':24} {seeded:3} faults, precision {precision:.2f}, recall {recall:.2f}")
    assert wanted.total() >= 60
    assert min(shares) >= LEAST, f"no faults: {[*(found - wanted)]}; not found: {[*(wanted - found)]}"


def test_every_rule_but_those_of_the_network_has_faults_seeded() -> None:
    asked = {rule.name for rule in RULES.values() if rule.needs != "network"}
    assert {rule for _, _, rule in marked()} == asked


def test_every_file_of_the_cases_is_read() -> None:
    assert len(list(files())) == len(re.findall(r"^@ ", CASES, re.M))
