"""Options are found upwards from the content, and a mistake in them is said."""

from pathlib import Path

import pytest

from indexer.check_config import ConfigError, find_options
from indexer.check_options import Options


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "repository" / "docs" / "content"
    folder.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    return folder


def test_without_a_file_the_defaults_hold(content: Path) -> None:
    assert find_options(content) == Options()


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize(("name", "table"), [("kb.toml", "[check]"), ("pyproject.toml", "[tool.kb.check]")])
def test_the_nearest_file_that_has_options_counts(content: Path, depth: int, name: str, table: str) -> None:
    folder = [content, *content.parents][depth]
    (folder / name).write_text(f"{table}\nsection_most_tokens = 500\n[tool.other]\nx = 1\n")
    (content.parents[1] / "pyproject.toml").touch()
    assert find_options(content).section_most_tokens == 500


def test_a_file_without_options_is_passed_over_and_kb_toml_comes_first(content: Path) -> None:
    (content / "pyproject.toml").write_text("[tool.ruff]\n")
    (content.parent / "kb.toml").write_text("[check]\nreview_grace_days = 1\n")
    (content.parent / "pyproject.toml").write_text("[tool.kb.check]\nreview_grace_days = 2\n")
    assert find_options(content).review_grace_days == 1


def test_nothing_above_the_repository_is_read(content: Path) -> None:
    (content.parents[2] / "kb.toml").write_text("[check]\nreview_grace_days = 1\n")
    assert find_options(content) == Options()


def test_every_kind_of_option_is_taken(content: Path) -> None:
    (content / "kb.toml").write_text(
        """
        [check]
        disable = ["prose-command"]
        known_abbreviations = ["ZDX"]
        undated_types = ["glossary", "template"]
        near_duplicate = 0.9
        [check.severity]
        missing-owner = "error"
        [check.ignore]
        "templates/*" = ["missing-owner"]
        "old/*" = ["*"]
        """
    )
    options = find_options(content)
    assert options.disable == ("prose-command",)
    assert options.ignore == {"templates/*": ("missing-owner",), "old/*": ("*",)}
    assert options.severity == {"missing-owner": "error"}


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("disable = ['prose-comand']", "disable: there is no rule 'prose-comand'", "'prose-command' was meant?"),
        ("disable = ['xyz']", "disable: there is no rule 'xyz'", "'kb check --rules' lists them"),
        ("ignore = {'a/*' = ['brokenlink']}", "ignore: there is no rule 'brokenlink'", "'broken-link'"),
        ("severity = {secrets = 'note'}", "severity: there is no rule 'secrets'", "'secret' was meant?"),
        ("severity = {secret = 'fatal'}", "severity.secret: Input should be 'error', 'warning' or 'note'", "Mend"),
        ("disabled = []", "there is no option 'disabled'", "'disable' was meant?"),
        ("zzz = 1", "there is no option 'zzz'", "One of disable, ignore, severity"),
        ("review_grace_days = -1", "review_grace_days: Input should be greater than or equal to 0", "Mend"),
        ("disable = '*'", "disable: Input should be a valid tuple", "Mend 'disable'"),
    ],
)
def test_a_mistake_is_said_with_what_was_meant(content: Path, text: str, problem: str, remedy: str) -> None:
    file = content / "kb.toml"
    file.write_text(f"[check]\n{text}\n")
    with pytest.raises(ConfigError) as error:
        find_options(content)
    assert error.value.problem.startswith(f"{file}: [check] {problem}")
    assert remedy in error.value.remedy


@pytest.mark.parametrize("text", ["[check", "check = 1", '[check]\nx = "\\xff"'])
def test_a_file_that_is_no_toml_or_no_table_is_said(content: Path, text: str) -> None:
    (content / "kb.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"kb\.toml"):
        find_options(content)
