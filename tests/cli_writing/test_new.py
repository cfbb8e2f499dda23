"""``kb new`` as a person and a script use it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer import KnowledgeObject, parse
from indexer.skeletons import PENCIL
from tests import forked
from tests.cli_writing.written import BACKUP, Run, article
from tests.conftest import Desk
from tests.test_cli import environment


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
        (["draft", "INC1"], 3, "there is no record in"),
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
