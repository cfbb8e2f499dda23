"""The command over one article, and over incidents."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kb_service.cli import run as run_command
from tests.cli_writing.written import BACKUP, Done, Run
from tests.conftest import Desk

INCIDENTS: list[dict[str, Any]] = [
    {
        "number": "INC1",
        "short_description": "Jane Doe cannot open the archive, error 0x8004230f",
        "description": "Writes to jane.doe@acme.com, phone +49 30 1234567.\nRegards,\nJane Doe",
        "service": "archive",
        "assignment_group": "Platform Operations",
        "state": "closed",
        "close_notes": "Right for user jdoe renewed, password Winter2026!x reset.",
        "caller_id": "Jane Doe",
    },
    {
        "number": "INC2",
        "short_description": "Backup job of the mail archive failed",
        "state": "closed",
        "close_notes": "Tape library needed a cleaning cartridge.",
        "articles": [{"article": "runbooks/backup-failed", "resolved_by": True}],
    },
    {
        "number": "INC3",
        "short_description": "Badge reader is dark",
        "state": "new",
        "close_notes": "It may be the fuse.",
        "parent_incident": "INC1",
    },
    {
        "number": "INC4",
        "short_description": "Archive is shut",
        "state": "canceled",
        "close_notes": "A mistake.",
        "parent_incident": "INC1",
    },
    {
        "number": "INC5",
        "short_description": "Archive does not open",
        "state": "closed",
        "close_notes": "As INC1.",
        "parent_incident": "INC1",
    },
]


@pytest.fixture
def kb(desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command over one article, in this process."""
    desk.write("runbooks/backup-failed.md", BACKUP)
    for name, value in {"KB_ENCODER": "hashing", "KB_CONTENT": str(desk.content), "KB_DATA": str(desk.data)}.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["kb", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run_command()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def recorded(kb: Run, tmp_path: Path) -> Run:
    """With the articles indexed and the incidents imported."""
    file = tmp_path / "incidents.jsonl"
    file.write_text("\n".join(map(json.dumps, INCIDENTS)), "utf-8")
    assert kb("index").returncode == 0
    assert kb("incidents", "import", str(file)).stdout == "5 created, 0 updated, 0 unchanged, 0 refused\n"
    return kb


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """No encoder can be opened."""
    monkeypatch.setenv("KB_ENCODER", "onnx")
    monkeypatch.setenv("KB_MODEL", "no/such-model")
