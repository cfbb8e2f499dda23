"""``kb draft``: an article out of what was recorded of an incident."""

import json
from pathlib import Path

import pytest

from kb_service.desk import Desk as Record
from tests.cli_writing.conftest import INCIDENTS
from tests.cli_writing.written import BACKUP, Run, article
from tests.conftest import Desk

PERSONAL = ("Jane", "Doe", "jdoe", "1234567", "Winter2026", "acme")


def test_draft_takes_over_what_is_known_and_nothing_personal(recorded: Run, desk: Desk) -> None:
    done = recorded("draft", "INC1")
    assert done.returncode == 0, done.stderr
    (path,) = {file.relative_to(desk.content).as_posix() for file in desk.content.rglob("*.md")} - {
        "runbooks/backup-failed.md"
    }
    text = (desk.content / path).read_text("utf-8")
    one = article(desk, path)
    assert (one.workflow_state, one.owner, one.services) == ("draft", "platform-operations", ("archive",))
    assert one.title == "[redacted: name] cannot open the archive, error 0x8004230f"
    assert path == "runbooks/cannot-open-the-archive-error-0x8004230f.md"
    assert "INC1 (incident, closed" in text
    assert "INC5 (incident, closed" in text
    assert "INC3" not in text
    assert "INC4" not in text
    assert one.aliases == ("Archive does not open",)
    for gone in PERSONAL:
        assert gone not in text + done.stdout + done.stderr, gone
    assert "redacted: email (1), name (2), password (1), phone (1), user (1)" in done.stdout


def test_draft_says_which_article_to_improve_and_what_the_incident_adds(recorded: Run, desk: Desk) -> None:
    done = recorded("draft", "inc2")
    assert done.returncode == 0
    assert "Improve this one instead: Backup failed, since it resolved INC2" in done.stdout
    assert "Tape library needed a cleaning cartridge." in done.stdout
    assert "Nothing is written. For an article of its own: kb draft INC2 --anyway" in done.stdout
    assert len(list(desk.content.rglob("*.md"))) == 1
    written = recorded("draft", "INC2", "--anyway", "--type", "faq", "--path", "faq/tape.md")
    assert "Improve this one instead" in written.stdout
    one = article(desk, "faq/tape.md")
    assert (one.type, one.related) == ("faq", ("runbooks/backup-failed",))
    assert "Articles used: Backup failed (`runbooks/backup-failed`)" in one.body


def test_draft_takes_no_retired_article_for_one_to_improve(recorded: Run, desk: Desk) -> None:
    desk.write("runbooks/backup-failed.md", BACKUP.replace("type: runbook", "type: runbook\nworkflow_state: retired"))
    assert recorded("index").returncode == 0
    body = json.loads(recorded("draft", "INC2", "--json").stdout)
    assert body["improve"] is None
    assert body["written"] == "runbooks/backup-job-of-the-mail-archive-failed.md"


def test_draft_prints_without_writing_and_tells_in_json_what_it_wrote(recorded: Run, desk: Desk) -> None:
    body = json.loads(recorded("draft", "INC2", "--json").stdout)
    assert body.keys() == {
        "number", "type", "title", "written", "improve", "why", "adds", "found", "similar", "drawn_from", "redacted",
        "text",
    }  # fmt: skip
    assert (body["improve"], body["written"]) == ("runbooks/backup-failed", None)
    assert body["similar"][0]["id"] == "runbooks/backup-failed"
    assert body["adds"]["helped"] == ["Tape library needed a cleaning cartridge."]
    printed = recorded("draft", "INC2", "--print")
    assert printed.stdout == body["text"] + "\n"
    assert "Improve this one instead" in printed.stderr
    assert recorded("draft", "INC1", "--print").returncode == 0
    assert len(list(desk.content.rglob("*.md"))) == 1
    written = json.loads(recorded("draft", "INC1", "--json").stdout)
    assert (desk.content / written["written"]).read_text("utf-8") == written["text"]


def test_draft_of_a_sample_writes_nothing_unless_it_is_told_where(kb: Run, desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "incidents.jsonl"
    file.write_text(json.dumps(INCIDENTS[0]), "utf-8")
    demo = desk.data / "demo"
    kb("index", "--data", str(demo))
    kb("incidents", "import", str(file), "--data", str(demo))
    with Record(demo / "desk.db").writing() as connection:
        connection.execute("INSERT INTO meta (name, value) VALUES ('demo', 'sample records')")
    done = kb("draft", "INC1", "--demo")
    assert "since the record is a sample" in done.stdout
    assert "kb draft INC1 --demo --print, or with --path FILE" in done.stdout
    assert len(list(desk.content.rglob("*.md"))) == 1
    assert kb("draft", "INC1", "--demo", "--print").stdout.startswith("---")
    assert kb("draft", "INC1", "--demo", "--path", "faq/archive.md").returncode == 0
    assert (desk.content / "faq/archive.md").exists()


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("INC3", "INC3 is new: what resolves it is not known yet. Resolve it with close notes first"),
        ("INC9", "there is no incident 'INC9'. 'kb incidents export'"),
        ("\udcff", "there is no incident '?'"),
    ],
)
def test_draft_refuses_what_has_no_end(recorded: Run, number: str, says: str) -> None:
    done = recorded("draft", number)
    assert (done.returncode, says in done.stderr) == (3, True)
