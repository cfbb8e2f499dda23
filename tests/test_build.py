"""From files to what is live: what changed, what is refused, what is kept."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from indexer import PassageIndex, VectorCache, WorkingTree, update
from indexer.encoder import HashingEncoder, TextKind, Vectors
from indexer.errors import ContentMissingError, IndexBusyError
from tests.conftest import Desk
from tests.written import article, catalogue, found


def test_a_second_run_does_nothing(desk: Desk) -> None:
    desk.write("runbooks/vpn.md", article("VPN", "Restart the client.", "Look at the log."))
    first = desk.update()
    assert (first.objects, first.refused, first.generation) == (1, 0, 1)
    assert first.encoded == 3
    second = desk.update()
    assert (second.encoded, second.changed, second.generation) == (0, 0, 1)


def test_a_file_touched_but_unchanged_is_not_parsed(desk: Desk) -> None:
    file = desk.write("a.md", article("VPN", "text"))
    desk.update()
    os.utime(file, (1_700_000_000, 1_700_000_000))
    read: list[int] = []

    def watch(what: str, _done: int, of: int) -> None:
        read.append(of if what == "read" else 0)

    update(WorkingTree(desk.content), desk.index, desk.encoder, desk.cache, watch)
    assert read == []
    file.write_text(file.read_text("utf-8").replace("text", "TEXT"), "utf-8")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    assert desk.update().changed == 1


def test_an_edit_encodes_only_the_passages_it_changes(desk: Desk) -> None:
    desk.write("a.md", article("A", "first text", "second text", "third text"))
    desk.write("b.md", article("B", "other text"))
    desk.update()
    desk.write("a.md", article("A", "first text", "second text, changed", "third text"))
    report = desk.update()
    assert (report.encoded, report.changed, report.generation) == (1, 1, 2)
    assert found(desk, "changed") == ["a"]


def test_a_rename_encodes_nothing_and_keeps_the_old_id_as_an_alias(desk: Desk) -> None:
    file = desk.write("old/name.md", article("The VPN", "first text", "second text"))
    desk.update()
    (desk.content / "new").mkdir()
    file.rename(desk.content / "new" / "title.md")
    report = desk.update()
    assert (report.encoded, report.objects) == (0, 1)
    assert found(desk, "vpn") == ["new/title"]
    renamed = catalogue(desk).get("old/name")
    assert renamed is not None
    assert renamed.id == "new/title"
    (desk.content / "new" / "title.md").rename(desk.content / "third.md")
    desk.update()
    assert [catalogue(desk).get(old) for old in ("old/name", "new/title")] == [catalogue(desk).get("third")] * 2


def test_a_rename_with_an_edit_is_still_a_rename(desk: Desk) -> None:
    desk.write("old.md", article("VPN", "one line of text", "two", "three", "four"))
    desk.update()
    (desk.content / "old.md").unlink()
    desk.write("new.md", article("VPN", "one line of text", "two", "three", "five"))
    assert desk.update().encoded == 1
    renamed = catalogue(desk).get("old")
    assert renamed is not None
    assert renamed.id == "new"


def test_a_deletion_leaves_a_tombstone(desk: Desk) -> None:
    file = desk.write("a.md", article("VPN", "text"))
    desk.write("b.md", article("Printer", "other words here"))
    desk.update()
    file.unlink()
    assert desk.update().objects == 1
    assert found(desk, "vpn") == []
    assert catalogue(desk).get("a") is None
    assert catalogue(desk).tombstone("a") is not None


def test_two_files_that_swap_their_ids(desk: Desk) -> None:
    desk.write("one.md", "---\ntitle: First about vpn\nid: x\n---\nfirst text")
    desk.write("two.md", "---\ntitle: Second about mail\nid: y\n---\nsecond text")
    desk.update()
    desk.write("one.md", "---\ntitle: First about vpn\nid: y\n---\nfirst text")
    desk.write("two.md", "---\ntitle: Second about mail\nid: x\n---\nsecond text")
    report = desk.update()
    assert (report.objects, report.refused) == (2, 0)
    assert (found(desk, "vpn"), found(desk, "mail")) == (["y"], ["x"])


def test_a_new_id_in_front_matter_keeps_the_old_one_as_an_alias(desk: Desk) -> None:
    desk.write("a.md", "---\ntitle: VPN\n---\ntext")
    desk.update()
    desk.write("a.md", "---\ntitle: VPN\nid: KB0001\n---\ntext")
    assert desk.update().encoded == 0
    renamed = catalogue(desk).get("a")
    assert renamed is not None
    assert renamed.id == "KB0001"


BAD: dict[str, tuple[str | bytes, str]] = {
    "yaml.md": ("---\ntitle: a: b\n---\n", "broken YAML"),
    "type.md": ("---\ntitle: T\ntype: nonsense\n---\n", "type is"),
    "alias.md": ("---\ntitle: &a T\nx: *a\n---\n", "aliases"),
    "big.md": ("x" * (1024 * 1024 + 1), "bytes"),
    "latin.md": (b"na\xefve", "UTF-8"),
}


def test_a_bad_object_is_refused_by_itself_and_its_last_good_version_stays(desk: Desk) -> None:
    for name in BAD:
        desk.write(name, article(name.removesuffix(".md"), "good words"))
    desk.write("fine.md", article("fine", "good words"))
    desk.update()
    for name, (text, _) in BAD.items():
        (desk.content / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    desk.write("fine.md", article("fine", "better words"))
    report = desk.update()
    assert {problem.path for problem in report.refusals} == set(BAD)
    for problem in report.refusals:
        assert BAD[problem.path][1] in problem.problem
        assert problem.remedy
    assert found(desk, "better") == ["fine"]
    assert set(found(desk, "good")) == {name.removesuffix(".md") for name in BAD}
    assert {problem.path for problem in desk.update().refusals} == set(BAD), "said again as long as it is so"
    desk.write("yaml.md", article("mended", "good words"))
    assert "yaml.md" not in {problem.path for problem in desk.update().refusals}
    assert found(desk, "mended") == ["yaml"]


def test_of_two_objects_of_one_id_the_live_one_stays(desk: Desk) -> None:
    desk.write("b.md", "---\ntitle: First vpn\nid: same\n---\ntext")
    desk.update()
    desk.write("a.md", "---\ntitle: Second vpn\nid: same\n---\nother")
    report = desk.update()
    (problem,) = report.refusals
    assert (problem.path, report.objects) == ("a.md", 1)
    assert "b.md" in problem.problem
    (desk.content / "b.md").unlink()
    report = desk.update()
    assert (report.objects, report.refused) == (1, 0)
    live = catalogue(desk).get("same")
    assert live is not None
    assert live.title == "Second vpn"


def test_a_link_that_leads_out_is_refused_and_never_read(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# secret words", "utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "deep.md").write_text("# secret words", "utf-8")
    desk.write("fine.md", article("fine", "text"))
    (desk.content / "out.md").symlink_to(tmp_path / "secret.md")
    (desk.content / "folder").symlink_to(tmp_path / "folder")
    (desk.content / "inside.md").symlink_to(desk.content / "fine.md")
    report = desk.update()
    assert {problem.path for problem in report.refusals} == {"out.md", "folder"}
    assert (report.objects, found(desk, "secret")) == (1, [])


def test_our_own_folders_inside_the_content_are_no_content(desk: Desk) -> None:
    desk.write("a.md", article("A", "text"))
    desk.write("data/cache/README.md", "# Of a model")
    tree = WorkingTree(desk.content, [desk.content / "data"])
    assert list(tree.scan().articles) == ["a.md"]


def test_a_transcript_beside_a_video_is_part_of_the_article(desk: Desk) -> None:
    desk.write("a.md", "# Printers\n\n![How](media/how.mp4)")
    desk.write("media/how.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nreplace the cartridge")
    desk.update()
    assert found(desk, "cartridge") == ["a"]
    desk.write("media/how.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nreplace the toner")
    desk.update()
    assert (found(desk, "cartridge"), found(desk, "toner")) == ([], ["a"])


def test_a_transcript_that_cannot_be_read_is_named_and_keeps_nothing_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("a.md", "# Printers\n\n![How](how.mp4)")
    desk.write("b.md", "# Mail")
    desk.write("how.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nreplace the cartridge")

    def read(tree: WorkingTree, path: str) -> bytes:
        if path == "how.vtt":
            raise PermissionError(13, "Permission denied")
        return (tree.root / path).read_bytes()

    with monkeypatch.context() as patch:
        patch.setattr("indexer.source.WorkingTree.read", read)
        for _ in range(2):
            report = desk.update()
            (problem,) = report.refusals
            assert (problem.path, "how.vtt cannot be read" in problem.problem) == ("a.md", True)
            assert (report.objects, found(desk, "printers"), found(desk, "cartridge")) == (2, ["a"], [])
    assert desk.update().refusals == ()
    assert found(desk, "cartridge") == ["a"]


def test_another_encoder_means_a_rebuild_said_in_one_line(desk: Desk) -> None:
    class Other(HashingEncoder):
        identity = "hashing-2"
        dimension = 128

    desk.write("a.md", article("VPN", "text"))
    desk.update()
    other = PassageIndex(desk.data / "index.db", Other())
    cache = VectorCache(desk.data / "vectors.db", Other.identity)
    report = update(WorkingTree(desk.content), other, Other(), cache)
    assert report.note.startswith("rebuilding: the index was made by hashing-1")
    assert (report.encoded, other.meta("encoder")) == (2, "hashing-2")
    assert desk.update().encoded == 0, "both encoders' vectors are kept"


def test_an_index_of_another_format_is_made_anew_and_encodes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("a.md", "---\ntitle: How do I mend it\n---\nPrinters are jammed.\n")
    monkeypatch.setattr("indexer.build.FORMAT", "of an older program")
    desk.update()
    for table in ("spellings", "terms", "pieces", "identifiers"):
        desk.index.connection.execute(f"DELETE FROM {table}")
    monkeypatch.undo()
    report = desk.update()
    assert (report.encoded, report.generation) == (0, 2)
    assert found(desk, "printers") == ["a"]
    assert desk.index.connection.execute("SELECT count(*) FROM spellings").fetchone()[0] > 0
    assert desk.index.counts()[1] == desk.index.counts()[2]
    assert desk.update().generation == 2


def test_a_damaged_base_file_is_rebuilt(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.folding.FOLD_TAIL", 3)
    for number in range(5):
        desk.write(f"{number}.md", article(f"T{number}", "text"))
    desk.update()
    (base,) = desk.data.glob("*.npy")
    base.write_bytes(b"damaged" + base.read_bytes()[7:])
    report = desk.update()
    assert (report.encoded, "not as it was written" in report.note) == (0, True)
    assert desk.index.counts()[1:] == (10, 10)


def test_history_comes_from_git(desk: Desk, git: Callable[..., str]) -> None:
    git(desk.content, "init", "-q")
    old = desk.write("old.md", article("VPN", "some text", "more"))
    git(desk.content, "add", ".")
    git(desk.content, "commit", "-qm", "one", date="2025-01-01T10:00:00Z")
    old.rename(desk.content / "new.md")
    git(desk.content, "add", ".")
    git(desk.content, "commit", "-qm", "two", date="2025-02-01T10:00:00Z")
    desk.update()
    live = catalogue(desk).get("old")
    assert live is not None
    assert live.id == "new"
    assert live.updated is not None
    assert live.updated.isoformat() == "2025-01-01T10:00:00+00:00", "a rename alone is no update"
    assert desk.index.meta("revision") == git(desk.content, "rev-parse", "HEAD").strip()


def test_only_one_writes(desk: Desk) -> None:
    desk.write("a.md", article("A", "text"))
    seen: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(IndexBusyError, match="another process"):
            desk.update()
        seen.append("refused")

    update(WorkingTree(desk.content), desk.index, desk.encoder, desk.cache, after_switch=meanwhile)
    assert seen == ["refused"]


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ContentMissingError, match="there is no content folder"):
        WorkingTree(tmp_path / "nothing")


class Recording(HashingEncoder):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str], kind: TextKind = "passage") -> Vectors:
        self.texts += texts
        return super().encode(texts, kind)


def test_what_is_used_is_found_by_meaning_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, encoder = Desk(tmp_path), Recording()
    monkeypatch.setattr("indexer.encoding.ENCODE_BATCH", 1)
    for name in "abcd":
        desk.write(f"{name}.md", article(f"Title {name}", f"text of {name}"))
    index = PassageIndex(tmp_path / "other" / "index.db", encoder)
    cache = VectorCache(tmp_path / "other.db", encoder.identity)
    monkeypatch.setattr("indexer.encoding.Encoding.encode_ahead", lambda *_: None)
    update(WorkingTree(desk.content), index, encoder, cache, first=("c", "gone", "d"))
    assert [text.split()[1] for text in encoder.texts] == [*"ccdd", *"aabb"]
