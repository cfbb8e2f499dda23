"""``kb new``, ``kb draft``, ``kb stale`` and ``kb owners`` as a person and a script use them."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from indexer import KnowledgeObject, parse
from indexer.catalogue import Catalogue
from indexer.skeletons import PENCIL
from kb_service.cli import run as run_command
from kb_service.desk import Desk as Record
from kb_service.feedback import Feedback
from tests import forked
from tests.conftest import Desk
from tests.test_cli import environment

Run = Callable[..., "Done"]
BACKUP = """---
title: Backup failed
type: runbook
services: [backup]
owner: platform-operations
---
## Symptoms

The backup job of the mail archive failed with warnings.

## Steps

Renew the credential and run the job again.
"""
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
PERSONAL = ("Jane", "Doe", "jdoe", "1234567", "Winter2026", "acme")


@dataclass(frozen=True, slots=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


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


def article(desk: Desk, path: str) -> KnowledgeObject:
    parsed = parse(path, (desk.content / path).read_bytes())
    assert isinstance(parsed, KnowledgeObject), parsed
    return parsed


def test_new_writes_a_draft_that_no_search_finds(kb: Run, desk: Desk) -> None:
    assert kb("index").returncode == 0
    done = kb("new", "runbook", "Backup failed:", '"tape" full', "--service", "backup", "--tier", "L2", "--tag", "tape")
    assert (done.returncode, done.stderr) == (0, "")
    assert "runbooks/backup-failed.md" in done.stdout
    assert f"{desk.content}/runbooks/backup-failed-tape-full.md  a draft" in done.stdout
    one = article(desk, "runbooks/backup-failed-tape-full.md")
    assert one.title == 'Backup failed: "tape" full'
    assert (one.owner, one.tier, one.services, one.tags) == ("platform-operations", "L2", ("backup",), ("tape",))
    assert one.workflow_state == "draft"
    kb("index")
    found = json.loads(kb("search", "tape full", "--json").stdout)["hits"]
    assert [hit["id"] for hit in found if "tape" in hit["id"]] == []
    again = kb("new", "faq", "Backup failed: tape full", "--print")
    assert "runbooks/backup-failed-tape-full.md" in again.stderr
    assert "draft" in again.stderr


def test_new_never_writes_over_an_article(kb: Run, desk: Desk) -> None:
    done = kb("new", "runbook", "Backup failed")
    assert done.returncode == 3
    assert "runbooks/backup-failed.md ('Backup failed') is there already. Improve that one" in done.stderr
    assert (desk.content / "runbooks/backup-failed.md").read_text("utf-8") == BACKUP


def test_new_prints_only_the_article_and_says_why_nothing_similar_is_shown(kb: Run, desk: Desk) -> None:
    before = sorted(desk.content.rglob("*"))
    (desk.data / "index.db").unlink()
    done = kb("new", "known-error", "--print", "--audience", "public", "--", "-1 is shown")
    assert done.returncode == 0
    parsed = parse("x.md", done.stdout.encode())
    assert isinstance(parsed, KnowledgeObject)
    assert (parsed.title, parsed.type, parsed.audience) == ("-1 is shown", "known-error", "public")
    assert PENCIL in parsed.body
    assert "Similar articles were not looked for: nothing is indexed" in done.stderr
    assert sorted(desk.content.rglob("*")) == before


def test_new_looks_among_the_articles_of_a_demo_desk(kb: Run, desk: Desk) -> None:
    (desk.data / "index.db").unlink()
    kb("index", "--data", str(desk.data / "demo"))
    assert "Run 'kb index' first, or look among the sample's by --demo" in kb("new", "howto", "Backup failed").stderr
    done = kb("new", "howto", "Backup has failed", "--demo")
    assert "runbooks/backup-failed.md" in done.stdout
    assert "not looked for" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["new", "runbok", "T"], 2, "none of faq, runbook"),
        (["new", "runbook", "T", "--tier", "L9"], 2, "none of L1, L2, L3"),
        (["new", "runbook", " "], 3, "the title is empty"),
        (["new", "runbook", "T", "--path", "../t.md"], 3, "outside of the content"),
        (["draft", "INC1"], 3, "there are no records in"),
        (["draft", "INC1", "--demo"], 3, "Start one by 'kb serve --demo'"),
        (["triage", "INC1", "--demo"], 3, "Start one by 'kb serve --demo'"),
        (["draft", "INC1", "--type", "policy"], 2, "none of known-error, runbook, faq, howto"),
        (["stale", "--owner", "platform"], 2, "there are platform-operations"),
        (["stale", "--days", "-1"], 2, "greater than or equal to 0"),
        (["owners", "--format", "json", "--write", "x"], 2, "are of CODEOWNERS"),
        (["owners", "--check", "x", "--write", "x"], 2, "one of them at a time"),
        (["owners", "--with-consulted"], 2, "--with-consulted is of CODEOWNERS"),
        (["owners", "--with-consulted", "--format", "json"], 2, "--with-consulted is of CODEOWNERS"),
    ],
)
def test_wrong_use_and_what_could_not_be_done(kb: Run, desk: Desk, arguments: list[str], code: int, says: str) -> None:
    desk.data.joinpath("index.db").unlink()
    done = kb(*arguments)
    assert done.returncode == code, done.stderr
    assert says in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert [path.name for path in desk.content.rglob("*.md")] == ["backup-failed.md"]


def test_a_bare_repository_holds_no_files_to_write(tmp_path: Path, git: Callable[..., str]) -> None:
    bare = tmp_path / "content.git"
    git(tmp_path, "init", "-q", "--bare", str(bare))
    command = ["new", "faq", "T", "--content", str(bare), "--data", str(tmp_path / "data")]
    done = forked.kb(command, environment())
    assert (done.returncode, "Clone it, and name the clone" in done.stderr) == (3, True)


def test_a_content_that_is_fetched_is_written_in_a_clone(kb: Run, monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
    monkeypatch.setenv("KB_CONTENT_REMOTE", "https://git.example.com/kb.git")
    refused = kb("new", "faq", "T")
    assert (refused.returncode, "read from a repository" in refused.stderr) == (3, True)
    assert "Clone it, and name the clone by --content" in refused.stderr
    assert kb("new", "faq", "T", "--content", str(desk.content)).returncode == 0


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


@pytest.mark.usefixtures("no_model")
def test_stale_lists_by_owner_with_what_readers_say_and_needs_no_model(kb: Run, desk: Desk) -> None:
    due = (datetime.now(UTC).date() - timedelta(days=3)).isoformat()
    soon = (datetime.now(UTC).date() + timedelta(days=20)).isoformat()
    desk.write("old.md", f"---\ntitle: Old one\nowner: net\nreview_by: {due}\n---\n")
    desk.write("soon.md", f"---\ntitle: Soon\nowner: net\nreview_by: {soon}\n---\n")
    desk.write("broken.md", "---\ntype: nonsense\naudience: nobody\n---\n")
    record = Record(desk.data / "desk.db")
    revision = article(desk, "old.md").revision
    Feedback(record).add("old", revision, "flag", comment="wrong port")
    done = kb("stale")
    assert (done.returncode, "1 file cannot be read: see 'kb check'" in done.stderr) == (0, True)
    assert done.stdout == (
        f"net  1\n   {due}  overdue by 3 days  old.md  Old one  1 flag open\n"
        "platform-operations  1\n   ––––––––––  no review date  runbooks/backup-failed.md  Backup failed\n"
        "2 of 3 articles are due or have no review date\n"
    )
    body = json.loads(kb("stale", "--json", "--days", "30", "--owner", "NET").stdout)
    assert body["refused"] == 1
    assert [group["owner"] for group in body["owners"]] == ["net"]
    first, second = body["owners"][0]["articles"]
    assert (first["id"], first["days_overdue"], first["flags"], second["days_overdue"]) == ("old", 3, 1, -20)


@pytest.mark.usefixtures("no_model")
def test_stale_knows_former_ids_by_the_index_and_does_without_them_where_it_is_damaged(kb: Run, desk: Desk) -> None:
    revision = article(desk, "runbooks/backup-failed.md").revision
    Feedback(Record(desk.data / "desk.db")).add("backup", revision, "flag", comment="wrong port")
    catalogue = Catalogue(desk.index.connection)
    catalogue.create_tables()
    catalogue.rename("backup", "runbooks/backup-failed")
    assert "1 flag open" in kb("stale").stdout
    for file in desk.data.glob("index.db*"):
        file.unlink()
    (desk.data / "index.db").write_bytes(b"damaged" * 1000)
    damaged = kb("stale")
    assert (damaged.returncode, "flag" in damaged.stdout) == (0, False)
    assert "index.db cannot be read (file is not a database)" in " ".join(damaged.stderr.split())


def test_stale_makes_no_record_of_its_own(kb: Run, desk: Desk) -> None:
    assert kb("stale").returncode == 0
    assert not (desk.data / "desk.db").exists()


@pytest.mark.usefixtures("no_model")
def test_owners_as_a_table_and_as_json(kb: Run, desk: Desk) -> None:
    desk.write("faq/a.md", "---\ntitle: Why?\nresponsible: [l1, l2]\nreviewers: sec\ninformed: all\n---\n")
    table = kb("owners")
    assert [line.split() for line in table.stdout.splitlines()] == [
        ["Article", "Accountable", "Responsible", "Consulted", "Informed"],
        ["faq/a.md", "–", "l1,", "l2", "sec", "all"],
        ["runbooks/backup-failed.md", "platform-operations", "the", "same", "–", "–"],
    ]
    assert "1 of 2 articles have no owner" in table.stderr
    rows = json.loads(kb("owners", "--format", "json").stdout)["articles"]
    assert rows[1]["responsible"] == ["platform-operations"]


@pytest.mark.usefixtures("no_model")
def test_owners_writes_code_owners_and_checks_it(kb: Run, desk: Desk, git: Callable[..., str]) -> None:
    top = desk.content.parent
    git(top, "init", "-q")
    (top / "kb.toml").write_text('[owners]\nplatform-operations = "@acme/platform"\n', "utf-8")
    desk.write("faq/a.md", "---\ntitle: Why?\nowner: nobody-knows\n---\n")
    file = top / ".github" / "CODEOWNERS"
    assert kb("owners", "--check", str(file)).returncode == 1
    written = kb("owners", "--write", str(file))
    assert (written.returncode, written.stdout) == (0, "")
    assert "'nobody-knows' has no handle (1 article): add it to [owners] of kb.toml" in written.stderr
    lines = file.read_text("utf-8").splitlines()
    assert lines[1:-1] == [
        "/content/runbooks/ @acme/platform",
        "# /content/faq/a.md  'nobody-knows' has no handle",
    ]
    assert kb("owners", "--format", "codeowners").stdout.splitlines() == lines
    assert kb("owners", "--check", str(file)).returncode == 0
    by_hand = b"* @acme/all # caf\xe9\n"
    file.write_bytes(by_hand + b"\n" + file.read_bytes())
    assert kb("owners", "--check", str(file)).returncode == 0
    desk.write("runbooks/other.md", "---\ntitle: Other\nowner: nobody-knows\n---\n")
    differs = kb("owners", "--check", str(file))
    assert differs.returncode == 1
    assert "+/content/runbooks/backup-failed.md @acme/platform" in differs.stdout
    assert f"run 'kb owners --write {file}'" in differs.stderr
    kb("owners", "--write", str(file))
    assert file.read_bytes().startswith(by_hand)
    assert b"/content/runbooks/backup-failed.md @acme/platform" in file.read_bytes()
