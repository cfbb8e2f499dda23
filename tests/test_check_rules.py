"""Every rule is documented by an example that it finds fault with, and by the same mended."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from indexer import Encoder, VectorCache, WorkingTree
from indexer.check import Meaning, check_library
from indexer.check_external import find_external
from indexer.check_options import Options
from indexer.check_rules import RULES
from indexer.findings import Rule
from indexer.frontmatter import FrontMatter, meant_by
from indexer.library import Library, read_library
from kb_service.check_formats import rule_lines
from tests.world import World, open_world

HANDOVER = """---
title: Hand over a shift
owner: service-desk
review_by: 2099-05-31
---
Write the note fifteen minutes before the end of the shift. Every open ticket has an owner before you go.
Read the note together, aloud, and hear what the next shift will do first.

## Whom to tell

Tell running bridges and suppliers who takes over.
"""


@pytest.fixture
def beside(tmp_path: Path, git: Callable[..., str]) -> Path:
    """What lies beside an example: an article that was once called otherwise, and a picture in two kinds."""
    folder = tmp_path / "content"
    (folder / "howto").mkdir(parents=True)
    (folder / "howto" / "shift-change.md").write_text(HANDOVER, "utf-8")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "write")
    git(folder, "mv", "howto/shift-change.md", "howto/hand-over-a-shift.md")
    git(folder, "commit", "-q", "-m", "rename")
    for name in ("board.png", "board.svg"):
        (folder / "howto" / name).write_bytes(b"")
    return folder


@pytest.fixture
def world() -> Iterator[World]:
    with open_world() as world:
        yield world


def written(rule: Rule, lines: str) -> tuple[str, str]:
    """Path and text of an article with the lines of an example, and nothing else that is wrong."""
    matter = {
        "title": "title: Book a meeting room?",
        "owner": "owner: service-desk",
        "review_by": "review_by: 2099-05-31",
    }
    if re.fullmatch(r"\S+\.md", lines):
        return lines, "\n".join(["---", *matter.values(), "---", "In the calendar."])
    key = lines.partition(":")[0]
    if key not in FrontMatter.model_fields and meant_by(key) is None:
        return rule.example.path, "\n".join(["---", *matter.values(), "---", lines])
    matter[key] = lines
    return rule.example.path, "\n".join(["---", *matter.values(), "---", "In the calendar."])


def fired(library: Library, rule: Rule, meaning: Meaning, world: World) -> set[str]:
    if rule.needs == "network":
        return {name for name, _ in find_external(library, Options(), allowed=world.allowed)}
    return {finding.rule for finding in check_library(library, meaning=meaning)}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_an_example_shows_its_rule_and_no_other(
    rule: Rule, beside: Path, encoder: Encoder, model_cache: Path, world: World
) -> None:
    cache = VectorCache(model_cache / "vectors.db", encoder.identity)
    for lines, expected in ((rule.example.fault, {rule.name}), (rule.example.mended, set())):
        path, text = written(rule, lines.replace("https://www.ietf.org", world.address))
        (beside / path).parent.mkdir(exist_ok=True)
        (beside / path).write_text(text, "utf-8")
        library = read_library(WorkingTree(beside), date(2026, 7, 1))
        assert fired(library, rule, Meaning(encoder, cache), world) == expected
        (beside / path).unlink()
    cache.close()


def test_rules_have_stable_names_and_one_line_each() -> None:
    for name, rule in RULES.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name) and name == rule.name  # noqa: PT018
        assert re.fullmatch(r"[^\n]{20,140}\.", rule.statement)
        assert (rule.find is None) == bool(rule.needs)


def test_options_that_a_rule_names_are_there() -> None:
    named = {option for rule in RULES.values() for option in re.findall(r"`([a-z]+_[a-z_]+)`", rule.statement)}
    assert named
    assert named <= set(Options.model_fields)


def test_a_rule_is_told_with_its_example() -> None:
    said = list(rule_lines(RULES["prose-command"]))
    assert said[0] == "prose-command (warning)"
    assert said[2:] == [
        "  - Run ipconfig /flushdns on the client.",
        "  + Run `ipconfig /flushdns` on the client.",
    ]
