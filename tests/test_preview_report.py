"""A preview in the terminal and as JSON, its exit codes, and where it is written."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import forked
from tests.test_preview import CROWD, MAIL, VPN, Branch, Git, queries

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def branch(tmp_path: Path, git: Git) -> Branch:
    return Branch.begun(tmp_path / "clone", git)


@pytest.fixture
def kb(branch: Branch) -> Run:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        where = ["--content", str(branch.content), "--data", str(branch.settings.data)]
        return forked.kb(["preview", *arguments, *where], {**os.environ, "KB_ENCODER": "hashing"})

    return run


def test_nothing_changed(branch: Branch, kb: Run) -> None:
    done = kb()
    assert done.returncode == 0
    commit = branch.git("rev-parse", "main")[:12]
    compared, empty, passes, asked = done.stdout.splitlines()
    assert (compared, empty, passes) == (f"Compared with main at {commit}: nothing changes for readers.", "", "Passes")
    assert asked.startswith("Asked: 0 golden queries; ")


def test_what_is_wrong_comes_first_and_fails(branch: Branch, kb: Run) -> None:
    branch.on_main({"queries.yaml": queries(("badge lamp", "b"), ("spooler", "printer"), ("lamp", "vpn"))})
    branch.recorded({"INC1": "tunnel [tunnel]", "INC2": "mail"}, ["tunnel", "tunnel"])
    branch.write({**CROWD, "vpn.md": VPN.replace("tunnel", "line"), "bad.md": "---\ntitle: a: b\n---\n"})
    branch.write({"queries.yaml": queries(("badge lamp", "b"), ("spooler", "nowhere"), ("lamp", "vpn"))})
    done = kb("main")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].endswith(": articles: 3 added, 1 changed; 1 golden query new; 1 golden query no longer asked for.")
    assert [line.split(":")[0] for line in lines[1:6]] == [
        "refused bad.md", "wrong queries.yaml", "broken queries.yaml", "failed before, too queries.yaml",
        "no longer asked 'spooler' for printer",
    ]  # fmt: skip
    assert lines[3].startswith("broken queries.yaml:1: 'badge lamp' does not find b among the first three: 1 ")
    at = lines.index("changed VPN fails  vpn")
    assert lines[at + 1] == "   changed: Symptoms, Steps"
    assert lines[at + 2] == "   answers 2 fewer"
    assert lines[at + 3].startswith("   - INC1 tunnel [tunnel]  1 strong → ")
    assert lines[at + 4].startswith("   - 'tunnel', searched 2 times  1 strong → ")
    assert "Articles that this branch does not touch" in lines
    assert lines[-2] == "Fails: 1 refused file, 1 fault in queries.yaml, 1 golden query broken"
    assert lines[-1].startswith("Asked: 3 golden queries, the latest 2 of 2 incidents, 1 search of the last 90 days; ")


def test_a_terminal_is_sent_no_control_characters(branch: Branch, kb: Run) -> None:
    branch.recorded({"INC1": "mailbox \x1b[31mred\x07"}, ["outbox mailbox \x1b[31m\x07"])
    branch.write({"mail.md": MAIL.replace("Mail is late", "Mail \u202eis late")})
    done = kb()
    assert done.returncode == 0
    assert "added Mail is late  mail" in done.stdout
    assert "INC1 mailbox [31mred " in done.stdout
    assert "'outbox mailbox [31m'" in done.stdout
    assert all(letter.isprintable() or letter == "\n" for letter in done.stdout)


def test_json_for_programs(branch: Branch, kb: Run) -> None:
    branch.on_main({"queries.yaml": queries(("tunnel", "vpn"))})
    branch.recorded({"INC1": "mail outbox"})
    branch.write({"mail.md": MAIL})
    done = kb("--json", "--most", "10")
    body = json.loads(done.stdout)
    assert (done.returncode, done.stderr, body["fails"], body["changes_nothing"]) == (0, "", False, False)
    assert body["base"] == {"name": "main", "commit": branch.git("rev-parse", "main")}
    assert body["looked_at"] | {"seconds": 0} == {
        "golden": 1, "incidents": 1, "of_incidents": 1, "searches": 0, "is_sample": False, "seconds": 0,
    }  # fmt: skip
    (golden,) = body["golden"]
    assert (golden["outcome"], golden["article"], golden["before"]["rank"]) == ("held", "vpn", 1)
    (change,) = body["changes"]
    assert (change["kind"], change["id"], change["lost"], change["kept"]) == ("added", "mail", [], 0)
    (move,) = change["gained"]
    assert (move["question"]["number"], move["before"], move["after"]["rank"]) == ("INC1", None, 1)
    assert kb("--format", "json", "--most", "10").stdout[:20] == done.stdout[:20]


@pytest.mark.parametrize(("form", "begins"), [("markdown", "<!-- kb preview -->\n"), ("text", "Compared with main")])
def test_it_is_written_to_a_file_and_the_conclusion_said(
    branch: Branch, kb: Run, form: str, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    branch.recorded({}, ["outbox mailbox Doe"])
    branch.write({"mail.md": MAIL, "bad.md": "---\ntitle: a: b\n---\n"})
    file = branch.folder / "preview.out"
    done = kb("--format", form, "--output", str(file))
    assert (done.returncode, done.stdout) == (1, f"Fails: 1 refused file. Written to {file}\n")
    said = file.read_text("utf-8")
    assert said.startswith(begins)
    assert "\x1b" not in said
    assert ("Doe" in said) == (form == "text")
    kb("--format", form, "--with-searches", "--output", str(file))
    assert "Doe" in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nowhere"], 3, "kb: there is no commit 'nowhere' here. Name a branch, tag or commit that is here"),
        (["--most", "-1"], 2, "--most"),
        (["--format", "html"], 2, "--format"),
        (
            ["--output", "/nowhere/at/all"],
            3,
            "kb: [Errno 2] No such file or directory: '/nowhere/at/all'. Mend the path",
        ),
    ],
)
def test_what_cannot_be_done_is_said(kb: Run, arguments: list[str], code: int, said: str) -> None:
    done = kb(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
