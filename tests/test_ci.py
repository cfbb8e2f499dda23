"""The files for GitHub Actions and GitLab CI: each command in them runs, and the comment gets to where it should."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ruamel.yaml import YAML

from kb_service.preview_markdown import MARKER
from tests.conftest import REPOSITORY
from tests.test_preview import MAIL, Branch, Git

GITHUB: dict[str, Any] = YAML(typ="safe").load(REPOSITORY / ".github" / "workflows" / "content.yml")
GITLAB: dict[str, Any] = YAML(typ="safe").load(REPOSITORY / ".gitlab-ci.yml")["content"]
STEPS = GITHUB["jobs"]["content"]["steps"]
BROKEN = "---\ntitle: a: b\n---\n"

Bash = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def branch(tmp_path: Path, git: Git) -> Branch:
    """A clone as CI makes it: the branch checked out, the remote's main beside it."""
    origin = Branch.begun(tmp_path / "origin", git)
    branch = Branch(tmp_path / "clone", git)
    subprocess.run(["git", "clone", "-q", str(origin.folder), str(branch.folder)], check=True)
    branch.write({"mail.md": MAIL})
    branch.commit()
    return branch


@pytest.fixture
def bash(branch: Branch, tmp_path: Path) -> Bash:
    """Runs lines as CI does, in the clone; ``pip`` does nothing, as kb is there."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "pip").write_text("#!/bin/sh\n")
    (tools / "pip").chmod(0o755)

    def run(script: str, **settings: str) -> subprocess.CompletedProcess[str]:
        path = f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "KB_ENCODER": "hashing", "KB_CACHE": ".kb-cache", **settings}
        command = ["bash", "-eo", "pipefail", "-c", script]
        return subprocess.run(command, cwd=branch.folder, env=environment, capture_output=True, text=True, check=False)

    return run


def kb_lines() -> list[str]:
    lines = [*(step["run"] for step in STEPS if "run" in step), *GITLAB["script"], *GITLAB["after_script"]]
    return [line for text in lines for line in text.splitlines() if line.lstrip().startswith("kb ")]


def test_only_check_and_preview_are_used() -> None:
    assert {line.split()[1] for line in kb_lines()} == {"check", "preview"}
    assert len(kb_lines()) == 4


def test_both_bring_the_whole_history_and_keep_what_was_encoded() -> None:
    checkout = next(step for step in STEPS if step.get("uses", "").startswith("actions/checkout@"))
    assert (checkout["with"]["fetch-depth"], GITLAB["variables"]["GIT_DEPTH"]) == (0, "0")
    kept = next(step for step in STEPS if step.get("uses", "").startswith("actions/cache@"))["with"]["path"]
    assert kept == GITHUB["env"]["KB_CACHE"] == GITLAB["variables"]["KB_CACHE"]
    assert GITLAB["cache"]["paths"] == [kept]


def github_steps(bash: Bash, tmp_path: Path) -> tuple[list[int], str]:
    """The exit codes of every step but the comment's, and the summary."""
    summary = tmp_path / "summary.md"
    summary.touch()
    steps = [step["run"] for step in STEPS if "run" in step and "gh api" not in step["run"]]
    done = [bash(one, GITHUB_BASE_REF="main", GITHUB_STEP_SUMMARY=str(summary), PACKAGE=".") for one in steps]
    return [one.returncode for one in done], summary.read_text("utf-8")


def test_the_steps_of_github_run(bash: Bash, tmp_path: Path) -> None:
    codes, summary = github_steps(bash, tmp_path)
    assert codes == [0] * len(codes)
    assert summary.startswith(f"{MARKER}\n")
    assert "Compared with `origin/main`" in summary
    assert "articles: 1 added" in summary


def test_the_summary_of_github_is_there_when_the_preview_fails(branch: Branch, bash: Bash, tmp_path: Path) -> None:
    branch.write({"bad.md": BROKEN})
    codes, summary = github_steps(bash, tmp_path)
    assert codes == [0, 1, 1, 0]
    assert "Fails: 1 refused file" in summary
    later = STEPS[[step.get("run", "").startswith("kb preview") for step in STEPS].index(True) :]
    assert all("!cancelled()" in step["if"] for step in later), "what follows a failed step runs all the same"


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ("", "api --silent --method POST repos/desk/kb/issues/7/comments --field body=@preview.md"),
        ("41\n99\n", "api --silent --method PATCH repos/desk/kb/issues/comments/41 --field body=@preview.md"),
    ],
)
def test_the_comment_at_github_is_made_once_and_then_changed(
    branch: Branch, bash: Bash, tmp_path: Path, known: str, asked: str
) -> None:
    # gh prints the ids that its --jq finds
    gh = tmp_path / "tools" / "gh"
    gh.write_text('#!/bin/sh\necho "$*" >> "$ASKED"\ncase "$*" in *--jq*) printf %s "$KNOWN";; esac\n')
    gh.chmod(0o755)
    (branch.folder / "preview.md").write_text(MARKER)
    (step,) = (step for step in STEPS if "gh api" in step.get("run", ""))
    settings = {"GITHUB_REPOSITORY": "desk/kb", "NUMBER": "7", "KNOWN": known, "ASKED": str(tmp_path / "asked")}
    done = bash(step["run"], **settings)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = (tmp_path / "asked").read_text().splitlines()
    assert first.startswith("api --paginate repos/desk/kb/issues/7/comments --jq .[] | select(")
    assert MARKER in first
    assert second == asked


@pytest.mark.parametrize(("files", "code"), [({}, 0), ({"bad.md": BROKEN}, 1)])
def test_the_script_of_gitlab_runs(branch: Branch, bash: Bash, files: Mapping[str, str], code: int) -> None:
    branch.write(dict(files))
    done = bash("\n".join(GITLAB["script"]), CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main", PACKAGE=".")
    assert done.returncode == code, done.stderr
    said = (branch.folder / "preview.md").read_text("utf-8")
    assert said.startswith(f"{MARKER}\n")
    assert said in done.stdout
    assert GITLAB["artifacts"]["paths"] == ["preview.md"]


class Notes(BaseHTTPRequestHandler):
    """GitLab's notes of a merge request: lists some, and remembers what it was asked."""

    notes: ClassVar[list[dict[str, Any]]]
    asked: ClassVar[list[tuple[str, str, str, str]]]

    def do_GET(self) -> None:
        self._answer(json.dumps(self.notes))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = BytesParser().parsebytes(f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode() + body)
        parts = form.get_payload()
        assert isinstance(parts, list)
        (part,) = parts
        assert isinstance(part, Message)
        name = str(part.get_param("name", header="content-disposition"))
        text = part.get_payload(decode=True)
        assert isinstance(text, bytes)
        self.asked.append((self.command, self.path, name, text.decode()))
        self._answer("{}")

    do_PUT = do_POST  # noqa: N815 (the server's name for it)

    def _answer(self, body: str) -> None:
        self.send_response(200 if self.headers["PRIVATE-TOKEN"] == "secret" else 401)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def gitlab() -> Iterator[tuple[type[Notes], str]]:
    class Own(Notes):
        notes: ClassVar[list[dict[str, Any]]] = []
        asked: ClassVar[list[tuple[str, str, str, str]]] = []

    server = HTTPServer(("127.0.0.1", 0), Own)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Own, f"http://127.0.0.1:{server.server_port}/api/v4"
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")
def test_the_comment_at_gitlab_is_made_once_and_then_changed(
    branch: Branch, bash: Bash, gitlab: tuple[type[Notes], str]
) -> None:
    notes, url = gitlab
    said = f"{MARKER}\n`; type=text/html` é @x\n"
    (branch.folder / "preview.md").write_text(said, "utf-8")
    settings = {"CI_API_V4_URL": url, "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "7", "COMMENT_TOKEN": "secret"}
    (script,) = GITLAB["after_script"]
    done = bash(script, **settings)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    notes.notes = [{"id": 5, "body": "looks good"}, {"id": 8, "body": f"{MARKER}\nbefore"}]
    assert bash(script, **settings).returncode == 0
    path = "/api/v4/projects/3/merge_requests/7/notes"
    assert notes.asked == [("POST", path, "body", said), ("PUT", f"{path}/8", "body", said)]
    without = bash(script, **{**settings, "COMMENT_TOKEN": ""})
    assert (without.returncode, len(notes.asked)) == (0, 2)
    assert bash(script, **{**settings, "COMMENT_TOKEN": "wrong"}).returncode != 0
