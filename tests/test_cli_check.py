"""``kb check`` as an editor, a hook and a pipeline call it."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from kb_service.cli import app
from tests import forked
from tests.conftest import REPOSITORY, Desk

OWNED = "---\nowner: service-desk\nreview_by: 2099-01-01\n---\n"
Run = Callable[..., Result]


@pytest.fixture
def kb(desk: Desk, monkeypatch: pytest.MonkeyPatch, git: Callable[..., str]) -> Run:
    """Runs the command from the top of a repository whose content lies in ``content``."""
    git(desk.content.parent, "init", "-q")
    monkeypatch.chdir(desk.content.parent)
    desk.write("good.md", f"{OWNED}# Good")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["check", *arguments], env={"KB_ENCODER": "hashing"})

    return run


def test_a_clean_content_has_no_problems(kb: Run) -> None:
    done = kb()
    assert (done.exit_code, done.stdout) == (0, "No problems\n")


def test_errors_fail_and_warnings_only_when_asked_for(kb: Run, desk: Desk) -> None:
    desk.write("a.md", "---\nreview_by: 2099-01-01\n---\n# A")
    done = kb()
    assert done.exit_code == 0
    assert re.match(
        r"content/a\.md:1: warning missing-owner: nobody owns this article\. Name .*\n1 warning\n", done.stdout
    )
    assert kb("--strict").exit_code == 1
    desk.write("b.md", f"{OWNED}[x](y.md)")
    assert kb().exit_code == 1
    assert kb("--disable", "broken-link").exit_code == 0


def test_options_of_the_repository_count(kb: Run, desk: Desk) -> None:
    desk.write("a.md", "# A\n\nRun ipconfig /all first.")
    (desk.content.parent / "pyproject.toml").write_text(
        "[tool.kb.check]\ndisable = ['missing-owner', 'missing-review-date']\nseverity = {prose-command = 'error'}\n"
    )
    assert re.match(r"content/a\.md:3: error prose-command: .*\n1 error\n", kb().stdout)
    (desk.content.parent / "pyproject.toml").write_text("[tool.kb.check]\ndisable = ['prose-comand']\n")
    done = forked.kb(["check"], os.environ)
    assert done.returncode == 3
    assert "there is no rule 'prose-comand'. 'prose-command' was meant?" in done.stderr


def test_files_given_are_reported_and_no_others(kb: Run, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "deep/b", "deep/c"):
        desk.write(f"{name}.md", f"{OWNED}[x](none.md) [y](../good.md)")

    def reported(*paths: str) -> list[str]:
        return re.findall(r"^(\S+?):\d+:", kb(*paths).stdout, re.M)

    assert reported("content/a.md") == ["content/a.md", "content/a.md"]
    assert reported(str(desk.content / "deep" / "b.md")) == ["content/deep/b.md"]
    assert reported("content/deep") == ["content/deep/b.md", "content/deep/c.md"]
    (desk.content.parent / "README.md").write_text("[x](none.md)")
    done = kb("README.md")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "No problems\n", "None of these files is content\n")
    assert json.loads(kb("README.md", "--json").stdout)["findings"] == []
    assert reported("README.md", "content/deep/c.md") == ["content/deep/c.md"]
    monkeypatch.chdir(desk.content / "deep")
    assert reported("b.md", "--content", "..") == ["b.md"]
    assert reported("../a.md", "--content", "..") == ["../a.md", "../a.md"]
    assert len(reported("..", "--content", "..")) == 4
    assert len(reported(".", "--content", "..")) == 2


def test_paths_are_those_that_programs_know(kb: Run, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor opens what it reads from the current folder on, GitHub and SARIF from the repository's top on."""
    desk.write("a.md", f"{OWNED}[x](none.md)")
    monkeypatch.chdir(desk.content)
    where = ["--content", str(desk.content)]
    assert kb(*where).stdout.startswith("a.md:5: ")
    assert json.loads(kb("--json", *where).stdout)["findings"][0]["path"] == "a.md"
    assert kb("--format", "github", *where).stdout.startswith("::error file=content/a.md,line=5,title=broken-link::")
    log: Any = json.loads(kb("--format", "sarif", *where).stdout)
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "content/a.md", "uriBaseId": "%SRCROOT%"}


def test_machine_formats_print_nothing_else(kb: Run) -> None:
    assert json.loads(kb("--json").stdout) == {"findings": [], "errors": 0, "warnings": 0, "notes": 0}
    assert kb("--format", "github").stdout == ""
    assert json.loads(kb("--format", "sarif").stdout)["runs"][0]["results"] == []


def test_wrong_use_is_said(kb: Run) -> None:
    assert kb("content/none.md").exit_code == 2
    Path("elsewhere").mkdir()
    done = kb("elsewhere")
    assert (done.exit_code, "nothing of the content lies in elsewhere" in done.stderr) == (2, True)
    Path("elsewhere/README.md").write_text("[x](none.md)")
    assert kb("elsewhere", "content/good.md").exit_code == 2
    assert kb("--disable", "nothing").exit_code == 2
    assert kb("--format", "xml").exit_code == 2


@pytest.mark.usefixtures("kb")
def test_likeness_needs_no_model_where_nothing_is_compared(desk: Desk) -> None:
    done = CliRunner().invoke(app, ["check"], env={"KB_ENCODER": "onnx", "KB_MODEL": "no/such-model"})
    assert done.exit_code == 0
    desk.write("a.md", f"{OWNED}# Another")
    arguments = ["check", "--disable", "near-duplicate"]
    done = CliRunner().invoke(app, arguments, env={"KB_ENCODER": "onnx", "KB_MODEL": "no/such-model"})
    assert done.exit_code == 0


def test_links_to_elsewhere_are_asked_only_when_told_to(kb: Run, desk: Desk) -> None:
    desk.write("a.md", f"{OWNED}[x](http://127.0.0.1:9/)")
    assert kb().stdout == "No problems\n"
    done = kb("--external")
    assert done.exit_code == 0
    assert (
        "note unchecked-external-link: http://127.0.0.1:9/ could not be checked: 127.0.0.1 has an address"
        in done.stdout
    )


def test_rules_are_printed_with_their_examples(kb: Run) -> None:
    said = kb("--rules").stdout
    assert "\nprose-command (warning)\n" in said
    assert "  + Run `ipconfig /flushdns` on the client." in said
    assert {"name", "severity", "needs", "statement", "example"} == json.loads(kb("--rules", "--json").stdout)[0].keys()


def test_the_hook_runs_the_command_that_there_is(kb: Run, desk: Desk) -> None:
    hooks = YAML(typ="safe").load((REPOSITORY / ".pre-commit-hooks.yaml").read_text("utf-8"))
    (hook,) = [hook for hook in hooks if hook["id"] == "kb-check"]
    assert hook["language"] == "python"
    name, command, *arguments = hook["entry"].split()
    assert (name, command) == ("kb", "check")
    matching = [path for path in ("a.md", "b.markdown", "c.txt", "d.md.bak") if re.search(hook["files"], path)]
    assert matching == ["a.md", "b.markdown"]
    desk.write("a.md", f"{OWNED}[x](none.md)")
    assert kb(*arguments, "content/a.md").exit_code == 1
    assert kb(*arguments, "content/good.md").exit_code == 0


def test_nothing_is_written_but_below_data(kb: Run, desk: Desk, tmp_path: Path) -> None:
    desk.write("a.md", f"{OWNED}# Another\n\n{'Something is said here, and it is long enough. ' * 3}")
    before = set(tmp_path.rglob("*"))
    kb()
    assert {path.relative_to(tmp_path).parts[:2] for path in set(tmp_path.rglob("*")) - before} == {("desk", "data")}
