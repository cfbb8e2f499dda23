"""What git tells of the past, whatever was merged, copied or set up."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.git import Repository
from indexer.history import History, history, last_change, revisions
from tests.authored import Authored
from tests.conftest import Desk

Git = Callable[..., str]
LINES = [f"line {number} of many\n" for number in range(20)]


@pytest.fixture
def authored(desk: Desk, git: Git) -> Authored:
    return Authored(desk, git)


def said(authored: Authored, path: str) -> list[tuple[str, str, str]]:
    """A file's revisions, newest first: subject, change, path."""
    return [(one.subject, one.change, one.path) for one in revisions(Repository(authored.clone), "HEAD", path)]


def edited(authored: Authored, path: str, *lines: tuple[int, str]) -> None:
    text = [*LINES]
    for number, line in lines:
        text[number] = f"{line}\n"
    authored.write(path, "".join(text))


def test_a_copy_s_past_is_not_that_of_what_it_was_copied_from(authored: Authored) -> None:
    edited(authored, "vpn.md")
    authored.push("vpn")
    edited(authored, "mail.md", (3, "copied"))
    authored.push("mail")
    assert said(authored, "mail.md") == [("mail", "added", "mail.md")]


def test_what_only_a_merge_says_is_a_revision(authored: Authored) -> None:
    edited(authored, "a.md")
    authored.push("first")
    authored.git("checkout", "-qb", "side")
    edited(authored, "a.md", (0, "side"))
    authored.push("side")
    authored.git("checkout", "-q", "main")
    edited(authored, "a.md", (19, "main"))
    authored.push("main", force=True)
    authored.git("merge", "-q", "-m", "merge", "side")
    live = authored.git("rev-parse", "HEAD:a.md")
    edited(authored, "a.md", (0, "after"))
    authored.push("after")
    listed = revisions(Repository(authored.clone), "HEAD", "a.md")
    assert [one.subject for one in listed] == ["after", "merge", "main", "first"], "the side's own was never live"
    assert listed[1].blob == live


def test_what_a_branch_did_is_one_revision_by_its_merge(authored: Authored) -> None:
    edited(authored, "old.md")
    authored.push("first")
    authored.git("checkout", "-qb", "side")
    authored.git("mv", "old.md", "new.md")
    authored.push("rename", date="2026-01-02T00:00:00Z")
    edited(authored, "new.md", (0, "side"))
    authored.push("edit", date="2026-01-03T00:00:00Z")
    authored.git("checkout", "-q", "main")
    authored.write("b.md", "# Beside")
    authored.push("beside", force=True, date="2026-01-04T00:00:00Z")
    authored.git("merge", "-q", "--no-ff", "-m", "merge", "side", date="2026-01-05T00:00:00Z")
    before = [("merge", "renamed", "new.md"), ("first", "added", "old.md")]
    assert said(authored, "new.md") == before
    authored.write("old.md", "# Another file under the name it had")
    authored.push("another", date="2026-01-06T00:00:00Z")
    assert said(authored, "new.md") == before


def test_a_merge_of_a_rename_and_an_edit(authored: Authored) -> None:
    edited(authored, "old.md")
    authored.push("first")
    authored.git("checkout", "-qb", "side")
    authored.git("mv", "old.md", "new.md")
    authored.push("rename", date="2026-01-02T00:00:00Z")
    edited(authored, "new.md", (0, "side"))
    authored.push("edit", date="2026-01-03T00:00:00Z")
    authored.git("checkout", "-q", "main")
    edited(authored, "old.md", (19, "main"))
    authored.push("main", force=True, date="2026-01-04T00:00:00Z")
    authored.git("merge", "-q", "-m", "merge", "side", date="2026-01-05T00:00:00Z")
    listed = revisions(Repository(authored.clone), "HEAD", "new.md")
    assert [(one.subject, one.path) for one in listed] == [("merge", "new.md"), ("main", "old.md"), ("first", "old.md")]
    assert listed[0].blob == authored.git("rev-parse", "HEAD:new.md")


def test_a_file_that_only_a_merge_brought(authored: Authored) -> None:
    authored.push("first")
    authored.git("checkout", "-qb", "side")
    authored.push("side")
    authored.git("checkout", "-q", "main")
    authored.push("main", force=True)
    authored.git("merge", "-q", "--no-commit", "-s", "ours", "side")
    authored.write("a.md", "# Brought")
    authored.push("merge")
    assert said(authored, "a.md") == [("merge", "added", "a.md")]


def test_an_author_s_settings_change_nothing(authored: Authored, tmp_path: Path) -> None:
    signer = tmp_path / "signer"
    signer.write_text("#!/bin/sh\necho 'gpg: Good signature' >&2\necho '[GNUPG:] GOODSIG 1 a'\n")
    signer.chmod(0o755)
    authored.write("a.md", "# A")
    authored.push("first")
    signed = authored.git("cat-file", "commit", "HEAD").replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n a\n -----END PGP SIGNATURE-----\n\n", 1
    )
    (tmp_path / "commit").write_text(f"{signed}\n")
    commit = authored.git("hash-object", "-t", "commit", "-w", str(tmp_path / "commit"))
    for name, value in (("gpg.program", str(signer)), ("log.showSignature", "true"), ("log.showRoot", "false")):
        authored.git("config", name, value)
    repository = Repository(authored.clone)
    told = history(repository, commit)
    assert told.created["a.md"].year == 2026
    assert [one.subject for one in revisions(repository, commit, "a.md")] == ["first"]
    assert last_change(repository, commit, "a.md") == told.created["a.md"]


def test_a_shallow_clone_has_no_whole_history(authored: Authored, tmp_path: Path) -> None:
    for number in range(2):
        authored.write("a.md", f"# A {number}")
        authored.push()
    shallow = tmp_path / "shallow.git"
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=1", f"file://{authored.bare}", str(shallow)], check=True)
    assert not history(Repository(shallow), "HEAD").whole
    assert history(Repository(authored.bare), "main").whole


def test_one_file_renamed_many_times() -> None:
    renames = [(f"{turn}", f"{turn + 1}") for turn in range(20_000)]
    started = time.process_time()
    latest = History(renames=tuple(renames)).latest_names()
    assert time.process_time() - started < 1
    assert set(latest.values()) == {"20000"}


def test_a_name_taken_back_and_one_taken_over() -> None:
    back = History(renames=(("a", "b"), ("b", "a"))).latest_names()
    assert back == {"b": "a"}
    over = History(renames=(("a", "b"), ("c", "b"), ("b", "d"), ("x", "a"))).latest_names()
    assert over == {"b": "d", "c": "d", "x": "a"}
