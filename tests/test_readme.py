"""The README is true."""

import re
from pathlib import Path

import pytest

from tests import readme

TEXT = readme.README.read_text("utf-8")


@pytest.mark.parametrize("name", ["settings", "commands", "rules", "metrics", "github", "gitlab"])
def test_generated_parts_are_as_generated(name: str) -> None:
    assert readme.part(TEXT, name) == getattr(readme, name)(), "run: make readme"


def test_the_search_shown_is_what_a_search_shows(model_cache: Path) -> None:
    def hits(text: str) -> list[str]:
        return re.findall(r"^ ?\d+\. .*$", text, re.M)

    assert hits(readme.part(TEXT, "search")) == hits(readme.search(model_cache)) != [], "run: make readme"


@pytest.mark.parametrize("name", ["triage", "draft"])
def test_what_is_shown_of_the_sample_is_what_the_shell_shows(model_cache: Path, name: str) -> None:
    # Another processor rounds vectors otherwise: a probability or the nearest of two passages may differ by a hair
    def told(text: str) -> list[str]:
        alike = re.sub(r"\d+%|meaning: [^;\n]*", "…", text)
        return [line for line in alike.splitlines() if not re.fullmatch(r"[\d.]+ ms", line.strip())]

    assert told(readme.part(TEXT, name)) == told(getattr(readme, name)(model_cache)), "run: make readme"


def test_the_map_points_at_rooms_that_exist() -> None:
    rooms = re.findall(r"`((?:indexer|kb_service|tests)/[\w/.]+)`", TEXT)
    assert len(rooms) > 20
    for room in rooms:
        assert (readme.REPOSITORY / room).exists(), room


def test_every_module_is_on_the_map_or_is_the_edge() -> None:
    modules = {path.relative_to(readme.REPOSITORY).as_posix() for path in readme.REPOSITORY.glob("indexer/*.py")}
    beside = {
        "indexer/__init__.py",
        "indexer/check.py",
        "indexer/database.py",
        "indexer/errors.py",
        "indexer/progress.py",
    }
    assert modules - beside <= set(re.findall(r"`(indexer/[\w.]+)`", TEXT))


def test_the_python_example_runs(model_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    monkeypatch.setenv("KB_CACHE", str(model_cache))
    monkeypatch.chdir(readme.REPOSITORY)
    exec(compile(code.replace('Path("data")', f'Path("{tmp_path}")'), "README.md", "exec"), {})  # noqa: S102
