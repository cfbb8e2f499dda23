"""What a hostile commit cannot do."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from indexer import Report, update
from indexer.git import Repository
from indexer.git_command import GitError
from indexer.git_ref import GitRef
from indexer.history import History
from tests.authored import objects
from tests.conftest import Desk
from tests.hostile import Entry, Store
from tests.written import article, catalogue


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
