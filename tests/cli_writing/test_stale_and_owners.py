"""``kb stale`` and ``kb owners``: what is due for whom."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from indexer.catalogue import Catalogue
from kb_service.desk import Desk as Record
from kb_service.feedback import Feedback
from tests.cli_writing.written import Run, article
from tests.conftest import Desk


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
