"""Content that nobody should push, each tree over the one before: none breaks what is live, none reads outside."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings

from indexer.build import Report
from indexer.errors import KnowledgeBaseError, Problem
from indexer.git import blob_id
from indexer.git_command import GitError
from indexer.source import WorkingTree
from kb_service import KnowledgeBase, Settings
from kb_service.content import open_content
from tests.client import client_of
from tests.hostile import MODES, UNREADABLE, Commit, Entry, Lines, Store, pushes, texts

pytestmark = pytest.mark.breaking

SECRET = "wombatsecret"  # noqa: S105
MOST_SECONDS = 20.0
MISSING = "d" * 40


@dataclass
class Seen:
    """What many publishes came to."""

    publishes: int = 0
    live: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")

    def __str__(self) -> str:
        kinds = [f"  {count:5} {kind}" for kind, count in self.refused.most_common()]
        took = f"slowest {self.slowest[0]:.1f} s: {self.slowest[1]}"
        return "\n".join([f"{self.publishes} publishes, {self.live} articles live after them; {took}", *kinds])


class Hostile:
    """A repository and a folder, with secrets beside them, and knowledge bases that follow these."""

    def __init__(self, folder: Path, files: dict[str, bytes], seen: Seen) -> None:
        self.folder, self._files, self._seen = folder, files, seen
        self.store = Store(folder / "bare.git")
        self.tree = folder / "tree"
        self.tree.mkdir()
        for outside in ("outside.md", "outside.vtt"):
            (folder / outside).write_text(f"# {SECRET}\n\n{SECRET}\n")
        self._past = {200}

    def base(self, content: Path, data: str) -> KnowledgeBase:
        return KnowledgeBase(Settings(content=content, data=self.folder / data, encoder="hashing"))

    def push(self, commit: Commit) -> None:
        if any(kind in repr(commit) for kind in UNREADABLE):
            # Of what git cannot read there is no history either, and that is said
            self._past.add(503)
        lines = list(self._entries(commit.lines)) * commit.times
        self.store.publish(self.store.tree(lines, ordered=commit.ordered), commit.who)

    def push_good(self) -> None:
        blob = self.store.put("blob", b"# All good again\n\nquokka\n")
        self.store.publish(self.store.tree([Entry(b"100644", b"good.md", blob)]))

    def write(self, lines: Lines, folder: Path) -> None:
        """The same as files, as far as a file system lets one."""
        for name, (kind, what) in lines:
            path = folder / name.decode("utf-8", "surrogateescape")
            with suppress(OSError, ValueError):
                if path.parent != folder or path.name in {".", ".."}:
                    continue
                if kind == "tree":
                    path.mkdir()
                    self.write(what, path)
                elif kind == "link":
                    path.symlink_to(what.decode("utf-8", "surrogateescape"))
                elif kind in MODES:
                    path.write_bytes(what if isinstance(what, bytes) else self._files[what])

    def publish(self, base: KnowledgeBase, what: str) -> Report | None:
        """Bring it in step; then everything must hold."""
        started = time.monotonic()
        report = None
        try:
            report = base.update()
        except KnowledgeBaseError as error:
            said = str(error)
            self._seen.refused[f"not published: {said[:70]}"] += 1
        took = time.monotonic() - started
        assert report is not None or said.isprintable()
        assert took < MOST_SECONDS, f"{took:.1f} s for {what[:2000]}"
        self._seen.publishes += 1
        self._seen.slowest = max(self._seen.slowest, (round(took, 1), what[:300]))
        if report is not None:
            self._seen.live += report.objects
            self._seen.refused.update(kind_of(problem) for problem in report.refusals)
            all_named(base, report)
        for file in (self.folder / base.settings.data).rglob("*"):
            assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
        self._read(base)
        return report

    def _read(self, base: KnowledgeBase) -> None:
        """A sample of what is live can be read in every way, and so can what was deleted."""
        deleted = base.index.connection.execute("SELECT id FROM deleted LIMIT 2").fetchall()
        with client_of(base) as client:

            def status(address: str) -> int:
                return client.get(address).status_code

            live = list(base.searcher.catalogue.objects())
            # The test client takes "%25" for "%" twice
            for one in (one for one in live[:1] + live[1:][-1:] if "%" not in one.id):
                name = quote(one.id)
                assert (status(f"/api/articles/{name}"), status(f"/a/{name}")) == (200, 200), one.id
                assert status(f"/api/articles/{name}?at={one.revision}") in self._past, one.id
                assert status(f"/api/history/{name}") in self._past, one.id
                # 404: what was there before was refused
                assert status(f"/api/diff/{name}") in self._past | {404}, one.id
                assert status(f"/a/{name}?at=9999-12-31") in self._past | {404}, one.id
                assert status(f"/api/search?q={quote(one.title[:200])}") == 200, one.id
            for (gone,) in deleted:
                for address in ("/api/articles/", "/a/", "/api/history/"):
                    assert status(f"{address}{quote(gone)}") in self._past | {404, 410}, gone
            assert status("/api/publishing") == 200
            assert status("/media/b.png") in ({200, 404} if base.index.generation else {503})

    def _entries(self, lines: Lines) -> Iterator[Entry]:
        for name, (kind, what) in lines:
            yield Entry(*self._entry(name, kind, what))

    def _entry(self, name: bytes, kind: str, what: Any) -> tuple[bytes, bytes, str]:
        put, tree = self.store.put, self.store.tree
        if kind in MODES:
            return MODES[kind], name, put("blob", what if isinstance(what, bytes) else self._files[what])
        if kind == "tree":
            return b"40000", name, tree(list(self._entries(what)))
        blob = put("blob", b"# A file\n\nin an odd place\n")
        inner = tree([Entry(b"100644", b"x.md", blob)])
        if kind in {"deep", "long"}:
            for _ in range(200):
                inner = tree([Entry(b"40000", b"d" if kind == "deep" else b"d" * 4000, inner)])
            return b"40000", name, inner
        mode, target = {
            "submodule": (b"160000", MISSING), "missing": (b"100644", MISSING), "missing tree": (b"40000", MISSING),
            "tree as file": (b"100644", inner), "file as tree": (b"40000", blob), "no name": (b"100644", blob),
            "file as submodule": (b"160000", blob), "no mode": (b"", blob),
        }[kind]  # fmt: skip
        return mode, b"" if kind == "no name" else name, target


def kind_of(problem: Problem) -> str:
    """A refusal's kind, in words alone."""
    words = (word for word in problem.problem.split()[:7] if word.isascii() and not set("0123456789'") & set(word))
    return " ".join(words)


def all_named(base: KnowledgeBase, report: Report) -> None:
    """Each article of the content is live as it is there, or refused with all that a person needs."""
    for problem in report.refusals:
        assert problem.line >= 1
        assert len(problem.problem) < 500
        for said in (problem.path, problem.problem, problem.remedy):
            assert said.strip(), problem
            assert said.isprintable(), problem
    refused = {problem.path for problem in report.refusals}
    catalogue = base.searcher.catalogue
    with closing(open_content(base.settings)) as content:
        there = content.scan().articles
        for path in there.keys() - refused:
            live = catalogue.at_path(path)
            assert live is not None, path
            assert live.revision == blob_id(content.read(path)), path
    assert {one.path for one in catalogue.objects()} <= there.keys()


def explore(examples: int, *, derandomize: bool) -> Seen:
    """Repositories pushed to a few times, then mended; and the last tree of each as files."""
    seen, files = Seen(), texts(4_000)

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=derandomize,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(pushes(sorted(files)))
    def publish(commits: list[Commit]) -> None:
        with TemporaryDirectory() as folder:
            hostile = Hostile(Path(folder), files, seen)
            base = hostile.base(hostile.store.folder, "data")
            for commit in commits:
                hostile.push(commit)
                hostile.publish(base, repr(commit))
            hostile.push_good()
            for again in (base, hostile.base(hostile.store.folder, "again")):
                # Raises nothing, whatever was pushed before
                report = again.update()
                assert (report.objects, report.refused) == (1, 0)
            hostile.write(commits[-1].lines, hostile.tree)
            hostile.publish(hostile.base(hostile.tree, "files"), f"as files {commits[-1]!r}")

    publish()
    return seen


def test_hostile_trees_break_nothing() -> None:
    print(explore(10, derandomize=True))


@pytest.mark.long
def test_two_hundred_repositories_of_hostile_trees_break_nothing() -> None:
    print(explore(200, derandomize=False))


@pytest.mark.long
def test_no_file_takes_long(tmp_path: Path) -> None:
    files = texts(1_000_000)
    hostile = Hostile(tmp_path, files, Seen())
    base = hostile.base(hostile.store.folder, "data")
    took = []
    for name in sorted(files):
        hostile.push(Commit([(b"a.md", ("file", name)), (b"b.vtt", ("file", name))], 1, ordered=True, who=None))
        started = time.process_time()
        base.update()
        took.append((round(time.process_time() - started, 1), name))
    print("slowest:", sorted(took)[-8:])
    assert max(took)[0] < MOST_SECONDS


def test_a_tree_of_ten_thousand_million_files_is_refused_and_what_follows_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.git_ref._MOST_LISTED_BYTES", 1_000_000)
    monkeypatch.setattr("indexer.git_command.MOST_MEMORY_BYTES", 100_000_000)
    hostile = Hostile(tmp_path, {}, Seen())
    base = hostile.base(hostile.store.folder, "data")
    hostile.push_good()
    base.update()
    tree = hostile.store.put("blob", b"# One of them\n")
    for level in range(10):
        mode, ending = (b"40000", b"") if level else (b"100644", b".md")
        tree = hostile.store.tree([Entry(mode, b"%d%s" % (number, ending), tree) for number in range(10)])
    hostile.store.publish(tree)
    with pytest.raises(GitError, match="git said over 0 MiB"):
        base.update()
    assert [hit.id for hit in base.search("quokka").hits] == ["good"], "what was live stays"
    hostile.push_good()
    assert "the history cannot be read" in base.update().note
    assert base.index.meta("revision") == (hostile.store.folder / "refs/heads/main").read_text().strip()


def test_folders_nested_deeper_than_python_calls(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    deepest = folder / "/".join("d" * 1500)
    # What Python has for this calls itself for each folder
    subprocess.run(["mkdir", "-p", str(deepest)], check=True)
    (deepest / "a.md").write_text("# Deep down\n")
    (article,) = WorkingTree(folder).scan().articles
    assert article == f"{'d/' * 1500}a.md"
    subprocess.run(["rm", "-rf", str(folder)], check=True)
