"""A commit as content: what it holds, what changed since another, and what a hostile one cannot do."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer import Report, update
from indexer.errors import ContentMissingError
from indexer.git import GitError, Repository
from indexer.git_ref import GitRef
from indexer.history import History
from tests.conftest import Desk
from tests.hostile import Entry, Store
from tests.test_build import article, catalogue, found

Git = Callable[..., str]


class Authored:
    """An author's clone with a bare repository beside it, new or a copy, and the desk that reads the latter."""

    def __init__(self, desk: Desk, git: Git, folder: str = "") -> None:
        self.desk, self._git, self.folder = desk, git, folder
        self.bare = desk.data.parent / "bare.git"
        self.clone = desk.data.parent / "clone"
        if self.clone.exists():
            git(self.clone, "remote", "set-url", "origin", str(self.bare))
            return
        self.clone.mkdir()
        git(self.clone, "init", "-q", "-b", "main")
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.bare)], check=True)
        git(self.clone, "remote", "add", "origin", str(self.bare))

    def git(self, *arguments: str, date: str = "2026-01-01T00:00:00Z") -> str:
        return self._git(self.clone, *arguments, date=date).strip()

    def write(self, path: str, text: str) -> None:
        file = self.clone / self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def push(self, subject: str = "change", *, force: bool = False, date: str = "2026-01-01T00:00:00Z") -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", subject, "--allow-empty", date=date)
        self.git("push", "-q", *(["--force"] if force else []), "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def update(self, ref: str = "main") -> list[str]:
        """Publish, and give what is refused."""
        content = GitRef(Repository(self.bare, self.folder), ref)
        try:
            report = update(content, self.desk.index, self.desk.encoder, self.desk.cache)
        finally:
            content.close()
        return [str(problem) for problem in report.refusals]


@pytest.fixture
def authored(desk: Desk, git: Git) -> Authored:
    return Authored(desk, git)


def objects(desk: Desk) -> list[str]:
    return [one.id for one in catalogue(desk).objects()]


def test_a_bare_repository_is_read_and_only_what_changed_is_parsed(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "restart the client"))
    authored.write("b.md", article("Mail", "empty the outbox"))
    authored.push()
    assert authored.update() == []
    assert objects(authored.desk) == ["a", "b"]
    authored.write("a.md", article("VPN", "restart the laptop"))
    commit = authored.push()
    read: list[int] = []
    content = GitRef(Repository(authored.bare), "main")
    update(
        content, authored.desk.index, authored.desk.encoder, authored.desk.cache,
        lambda what, _done, of: read.append(of) if what == "read" else None,
    )  # fmt: skip
    content.close()
    assert read == [1]
    assert found(authored.desk, "laptop") == ["a"]
    assert authored.desk.index.meta("revision") == commit


def test_what_is_not_committed_is_not_seen(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "committed words"))
    authored.push()
    authored.write("a.md", article("VPN", "half written"))
    content = GitRef(Repository(authored.clone), "main")
    update(content, authored.desk.index, authored.desk.encoder, authored.desk.cache)
    content.close()
    assert found(authored.desk, "committed") == ["a"]
    assert found(authored.desk, "half") == []


@pytest.mark.parametrize("bare", [True, False])
def test_a_folder_of_a_repository(desk: Desk, git: Git, *, bare: bool) -> None:
    authored = Authored(desk, git, "docs/content")
    authored.write("a.md", article("VPN", "text"))
    authored.write("../README.md", "# Not an article")
    authored.push(date="2025-03-01T00:00:00Z")
    repository = Repository(authored.bare, "docs/content") if bare else Repository(authored.clone / "docs" / "content")
    content = GitRef(repository, "main")
    assert update(content, desk.index, desk.encoder, desk.cache).objects == 1
    content.close()
    (only,) = catalogue(desk).objects()
    assert (only.id, only.path) == ("a", "a.md")
    assert only.updated is not None
    assert only.updated.isoformat() == "2025-03-01T00:00:00+00:00"


def test_a_folder_that_is_not_there_is_said(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "text"))
    authored.push()
    with pytest.raises(ContentMissingError, match="no folder 'nothing'"):
        GitRef(Repository(authored.bare, "nothing"), "main").scan()
    with pytest.raises(ContentMissingError, match="no ref 'nothing'"):
        GitRef(Repository(authored.bare), "nothing")
    with pytest.raises(GitError, match="not a git repository"):
        Repository(authored.desk.data)


def test_a_rename_a_deletion_and_dates_over_several_commits(authored: Authored) -> None:
    authored.write("old/vpn.md", article("VPN", "one line", "two", "three"))
    authored.write("gone/mail.md", article("Mail", "text"))
    authored.push(date="2025-01-01T00:00:00Z")
    authored.update()
    authored.git("mv", "old", "new")
    authored.push(date="2025-02-01T00:00:00Z")
    authored.write("new/vpn.md", "---\ntitle: All else\n---\nquite another text\n")
    authored.git("rm", "-rq", "gone")
    last = authored.push(date="2025-03-01T00:00:00Z")
    assert authored.update() == []
    live = catalogue(authored.desk).get("old/vpn")
    assert live is not None
    assert (live.id, live.created and live.created.month, live.updated and live.updated.month) == ("new/vpn", 1, 3)
    tombstone = catalogue(authored.desk).tombstone("gone/mail")
    assert tombstone is not None
    assert (tombstone.after, tombstone.at.month, tombstone.title) == (last, 3, "Mail")
    assert found(authored.desk, "mail") == []


def test_a_whole_build_knows_former_names_dates_and_what_was_deleted(authored: Authored) -> None:
    authored.write("old.md", article("VPN", "one line", "two"))
    authored.write("gone.md", "---\ntitle: Mail\nid: KB7\naudience: public\n---\ntext")
    authored.push(date="2025-01-01T00:00:00Z")
    authored.git("mv", "old.md", "new.md")
    authored.push(date="2025-02-01T00:00:00Z")
    authored.git("rm", "-q", "gone.md")
    authored.push(date="2025-03-01T00:00:00Z")
    authored.update()
    live = catalogue(authored.desk).get("old")
    assert live is not None
    assert (live.id, live.created and live.created.month, live.updated and live.updated.month) == ("new", 1, 1)
    tombstone = catalogue(authored.desk).tombstone("KB7")
    assert tombstone is not None
    assert (tombstone.path, tombstone.audience, tombstone.at.month) == ("gone.md", "public", 3)


def test_a_force_push_is_followed_and_so_is_its_undoing(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "first words"))
    first = authored.push(date="2025-01-01T00:00:00Z")
    authored.write("a.md", article("VPN", "second words"))
    authored.write("b.md", article("Mail", "text"))
    second = authored.push(date="2025-02-01T00:00:00Z")
    authored.update()
    authored.git("reset", "-q", "--hard", first)
    authored.push("other", force=True, date="2025-03-01T00:00:00Z")
    authored.update()
    assert (objects(authored.desk), found(authored.desk, "first")) == (["a"], ["a"])
    live = catalogue(authored.desk).get("a")
    assert live is not None
    assert live.updated is not None
    assert live.updated.month == 1
    authored.git("reset", "-q", "--hard", second)
    authored.push("back", force=True)
    authored.update()
    assert (objects(authored.desk), found(authored.desk, "second")) == (["a", "b"], ["a"])


def test_a_force_push_whose_past_was_collected(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "first words"))
    authored.push()
    authored.update()
    authored.git("checkout", "-q", "--orphan", "fresh")
    authored.write("a.md", article("VPN", "other words"))
    authored.push(force=True)
    subprocess.run(["git", "-C", authored.bare, "reflog", "expire", "--expire=now", "--all"], check=True)
    subprocess.run(["git", "-C", authored.bare, "gc", "-q", "--prune=now"], check=True)
    assert authored.update() == []
    assert found(authored.desk, "other") == ["a"]


def test_a_merge_brings_both_sides_with_their_dates(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "text"))
    authored.push(date="2025-01-01T00:00:00Z")
    authored.update()
    authored.git("checkout", "-qb", "side")
    authored.write("side.md", article("Side", "sidewards"))
    authored.git("add", "-A")
    authored.git("commit", "-qm", "side", date="2025-02-01T00:00:00Z")
    authored.git("checkout", "-q", "main")
    authored.write("main.md", article("Main", "straight"))
    authored.push(date="2025-03-01T00:00:00Z")
    authored.git("merge", "-q", "--no-edit", "side", date="2025-04-01T00:00:00Z")
    authored.push()
    authored.update()
    side = catalogue(authored.desk).get("side")
    assert side is not None
    assert (side.updated and side.updated.month, found(authored.desk, "straight")) == (2, ["main"])


def test_a_shallow_clone(authored: Authored, tmp_path: Path) -> None:
    for number in range(3):
        authored.write("a.md", article("VPN", f"text {number}"))
        authored.push()
    shallow = tmp_path / "shallow.git"
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=1", f"file://{authored.bare}", str(shallow)], check=True)
    content = GitRef(Repository(shallow), "main")
    assert update(content, authored.desk.index, authored.desk.encoder, authored.desk.cache).objects == 1
    content.close()
    authored.write("a.md", article("VPN", "text 4"))
    authored.push()
    subprocess.run(["git", "-C", shallow, "fetch", "-q", "--depth=1", "origin", "+main:main"], check=True)
    content = GitRef(Repository(shallow), "main")
    update(content, authored.desk.index, authored.desk.encoder, authored.desk.cache)
    content.close()
    assert found(authored.desk, "4") == ["a"]


BROKEN = "---\ntitle: a: b\n---\n"


def test_the_last_good_version_is_found_again_after_a_rebuild(authored: Authored, git: Git) -> None:
    authored.write("a.md", article("VPN", "good words"))
    authored.push(date="2025-01-01T00:00:00Z")
    for number in range(2):
        authored.write("a.md", f"{BROKEN}{number}")
        authored.push(date="2025-02-01T00:00:00Z")
    (refusal,) = authored.update()
    assert refusal.startswith("a.md:2: broken YAML")
    assert found(authored.desk, "good") == ["a"]
    live = catalogue(authored.desk).get("a")
    assert live is not None
    assert live.updated is not None
    assert live.updated.month == 1
    assert git(authored.clone, "cat-file", "blob", live.revision) == article("VPN", "good words")
    assert authored.update() == [refusal]
    authored.write("a.md", article("VPN", "mended words"))
    authored.push()
    assert authored.update() == []
    assert found(authored.desk, "mended") == ["a"]


def test_a_file_renamed_and_broken_at_once_keeps_its_last_good_version(authored: Authored) -> None:
    text = article("VPN", *(f"line {number} of many" for number in range(20)))
    authored.write("old.md", text)
    authored.push()
    authored.update()
    authored.git("mv", "old.md", "new.md")
    authored.write("new.md", text.replace("title: VPN", "title: a: b"))
    authored.push()
    (refusal,) = authored.update()
    assert refusal.startswith("new.md:2: broken YAML")
    live = catalogue(authored.desk).get("old")
    assert live is not None
    assert (live.id, live.title) == ("new", "VPN")


def test_a_broken_file_is_neither_what_it_was_copied_from_nor_what_was_deleted(authored: Authored) -> None:
    text = article("VPN", *(f"line {number} of many" for number in range(20)))
    authored.write("vpn.md", text)
    authored.write("gone.md", article("Gone", "a wombat"))
    authored.push()
    authored.update()
    authored.git("rm", "-q", "gone.md")
    authored.write("mail.md", text.replace("title: VPN", "title: Mail: how"))
    authored.push()
    authored.update()
    assert objects(authored.desk) == ["vpn"]
    authored.write("gone.md", BROKEN)
    authored.push()
    assert [refusal.partition(":")[0] for refusal in authored.update()] == ["gone.md", "mail.md"]
    assert objects(authored.desk) == ["vpn"]


def test_git_is_asked_for_older_versions_only_of_files_that_have_some(
    authored: Authored, monkeypatch: pytest.MonkeyPatch
) -> None:
    authored.write("a.md", article("VPN", "good words"))
    for number in range(3):
        authored.write(f"{number}.md", BROKEN)
    authored.push()
    authored.write("a.md", BROKEN)
    authored.push()
    asked: list[str] = []
    older = GitRef.older

    def ask(content: GitRef, path: str) -> Iterator[tuple[bytes, datetime]]:
        asked.append(path)
        return older(content, path)

    monkeypatch.setattr(GitRef, "older", ask)
    assert len(authored.update()) == 4
    assert (asked, found(authored.desk, "good")) == (["a.md"], ["a"])


def test_where_the_history_cannot_be_read_all_have_the_commit_s_date(
    authored: Authored, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        authored.write(f"{number}.md", article("VPN", "text"))
    authored.write("broken.md", BROKEN)
    authored.push(date="2025-01-01T00:00:00Z")
    asked: list[object] = []

    def fail(*_arguments: object) -> History:
        raise GitError("it is damaged", "Mend it")

    def ask(*arguments: object) -> datetime:
        asked.append(arguments)
        return datetime(2025, 2, 1, tzinfo=UTC)

    monkeypatch.setattr("indexer.git_ref.history", fail)
    monkeypatch.setattr("indexer.git_ref.last_change", ask)
    monkeypatch.setattr("indexer.source.revisions", fail)
    assert len(authored.update()) == 1
    assert {one.updated and one.updated.month for one in catalogue(authored.desk).objects()} == {2}
    assert len(asked) == 1


def test_a_shallow_clone_keeps_when_an_article_came(authored: Authored, tmp_path: Path) -> None:
    authored.write("a.md", article("VPN", "text"))
    authored.push(date="2025-01-01T00:00:00Z")
    authored.update()
    authored.write("a.md", article("VPN", "other text"))
    authored.push(date="2025-06-01T00:00:00Z")
    shallow = tmp_path / "shallow.git"
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=1", f"file://{authored.bare}", str(shallow)], check=True)
    with closing(GitRef(Repository(shallow), "main")) as content:
        update(content, authored.desk.index, authored.desk.encoder, authored.desk.cache)
    live = catalogue(authored.desk).get("a")
    assert live is not None
    assert (live.created and live.created.month, live.updated and live.updated.month) == (1, 6)


def test_a_tombstone_names_the_commit_that_deleted_it(authored: Authored) -> None:
    authored.write("a.md", article("VPN", "text"))
    authored.write("b.md", article("Mail", "text"))
    authored.push()
    authored.update()
    authored.git("rm", "-q", "a.md")
    deleting = authored.push()
    authored.write("b.md", article("Mail", "other text"))
    authored.push()
    authored.update()
    tombstone = catalogue(authored.desk).tombstone("a")
    assert tombstone is not None
    assert tombstone.after == deleting


def test_deleted_pictures_take_no_article_s_tombstone(authored: Authored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.build._MOST_TOMBSTONES", 2)
    authored.write("gone.md", article("Gone", "text"))
    for number in range(3):
        authored.write(f"{number}.png", f"{number}")
    authored.push(date="2025-01-01T00:00:00Z")
    authored.git("rm", "-q", "gone.md")
    authored.push(date="2025-02-01T00:00:00Z")
    authored.git("rm", "-q", "*.png")
    authored.push(date="2025-03-01T00:00:00Z")
    authored.update()
    assert catalogue(authored.desk).tombstone("gone") is not None


def test_what_a_killed_run_staged_and_was_taken_back_since_does_not_go_live(
    authored: Authored, monkeypatch: pytest.MonkeyPatch
) -> None:
    authored.write("a.md", article("VPN", "good words"))
    first = authored.push()
    authored.update()
    authored.write("a.md", article("VPN", "words taken back"))
    authored.push()

    class Killed(BaseException):
        pass

    def kill(_texts: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("indexer.encoding.Encoding.encode_ahead", lambda _self, texts: kill(texts))
        with pytest.raises(Killed):
            authored.update()
    authored.git("reset", "-q", "--hard", first)
    authored.write("b.md", article("Mail", "text"))
    authored.push(force=True)
    authored.update()
    assert (found(authored.desk, "taken"), found(authored.desk, "good")) == ([], ["a"])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A repository that can hold what git would not make."""
    return Store(tmp_path / "store.git")


def publish(desk: Desk, store: Store) -> Report:
    with closing(GitRef(Repository(store.folder), "main")) as content:
        return update(content, desk.index, desk.encoder, desk.cache)


def of(name: bytes, blob: str, mode: bytes = b"100644") -> Entry:
    return Entry(mode, name, blob)


def test_what_is_no_file_does_not_shift_what_is_read_after_it(desk: Desk, store: Store) -> None:
    forged = store.put("blob", b"# Mine")
    # Read as an answer of git's, the second entry would be the bytes of the file after
    tree = store.tree([of(b"x", forged), of(b"\n" + forged.encode() + b" blob 6\n# Mine\n", forged)])
    mine, other = store.put("blob", article("VPN", "right words").encode()), store.put("blob", b"# Mail")
    store.publish(store.tree([of(b"a.md", tree), of(b"b.md", mine), of(b"c.md", other)]))
    (refusal,) = publish(desk, store).refusals
    assert (refusal.path, "something else" in refusal.problem) == ("a.md", True)
    assert [(one.path, one.title) for one in catalogue(desk).objects()] == [("b.md", "VPN"), ("c.md", "Mail")]


def test_a_transcript_that_is_no_file_keeps_nothing_back(desk: Desk, store: Store) -> None:
    video = store.put("blob", b"# A\n\n![v](a.mp4)\n")
    tree = store.tree([of(b"x", video)])
    store.publish(store.tree([of(b"a.md", video), of(b"a.vtt", tree), of(b"b.md", store.put("blob", b"# B"))]))
    (refusal,) = publish(desk, store).refusals
    assert (refusal.path, "a.vtt" in refusal.problem, objects(desk)) == ("a.md", True, ["a", "b"])


def test_links_cost_no_process_each(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    out, inside = store.put("blob", b"../../out.md"), store.put("blob", b"b.md")
    endless, tree = store.put("blob", b"../" * 5_000), store.tree([of(b"x", out)])
    lines = [of(b"a.md", out), of(b"b.md", inside), of(b"c.md", endless), of(b"d.md", tree), of(b"e.png", out)]
    store.publish(store.tree([Entry(b"120000", line.name, line.object) for line in lines]))
    monkeypatch.setattr(Repository, "blob", lambda *_: pytest.fail("a process for one link"))
    with closing(GitRef(Repository(store.folder), "main")) as content:
        assert [problem.path for problem in content.scan().problems] == ["a.md", "c.md"]


def test_names_that_cannot_be_shown(desk: Desk, store: Store) -> None:
    blob = store.put("blob", article("VPN", "one line", "two").encode())
    store.publish(store.tree([of(b"a.md", blob), of(b"gone.md", store.put("blob", b"# Gone"))]))
    publish(desk, store)
    # Renamed, deleted and a submodule
    store.publish(store.tree([of(b"\xff.md", blob), of(b"\xfe\n.md", blob, b"160000"), of(b"x" * 5000 + b".md", blob)]))
    report = publish(desk, store)
    assert (objects(desk), sorted(problem.path[:6] for problem in report.refusals)) == (
        [],
        ["\\udcfe", "\\udcff", "xxxxxx"],
    )
    again = Desk(store.folder.parent / "again")
    assert len(publish(again, store).refusals) == 3
    assert catalogue(again).tombstone("gone") is not None
    store.publish(store.tree([of(b"b.md", blob)]))
    assert publish(desk, store).refusals == ()
    assert objects(desk) == ["b"]


@pytest.mark.parametrize("who", [b"a <> x y", b"a <a@example.com>", b"a <a@example.com> 9223372036854775807 +9999"])
def test_a_commit_without_a_date_that_can_be_read(desk: Desk, store: Store, who: bytes) -> None:
    store.publish(store.tree([of(b"a.md", store.put("blob", b"# VPN"))]), who or None)
    publish(desk, store)
    store.publish(store.tree([of(b"a.md", store.put("blob", b"# VPN 2"))]), who)
    publish(desk, store)
    assert [one.title for one in catalogue(desk).objects()] == ["VPN 2"]


def test_what_comes_after_a_tree_that_git_cannot_read(desk: Desk, store: Store) -> None:
    store.publish(store.tree([of(b"a.md", store.put("blob", b"# VPN"))]))
    publish(desk, store)
    store.publish(store.tree([of(b"a.md", store.put("blob", b"# Mail"), b"40000")]))
    with pytest.raises(GitError, match="ls-tree"):
        publish(desk, store)
    assert [one.title for one in catalogue(desk).objects()] == ["VPN"]
    store.publish(store.tree([of(b"a.md", store.put("blob", b"# Printer"))]))
    assert "the history cannot be read, so dates may be wrong" in publish(desk, store).note
    again = Desk(store.folder.parent / "again")
    publish(again, store)
    assert [one.title for one in (*catalogue(desk).objects(), *catalogue(again).objects())] == ["Printer"] * 2


def test_a_folder_renamed_many_times_is_known_by_all_its_names() -> None:
    renames = [(f"{turn}/{name}", f"{turn + 1}/{name}") for turn in range(20) for name in range(1_000)]
    started = time.process_time()
    latest = History(renames=(*renames, ("20/7", "0/7"))).latest_names()
    assert time.process_time() - started < 1
    assert (latest["0/8"], latest["19/7"], latest.get("0/7")) == ("20/8", "0/7", None)
