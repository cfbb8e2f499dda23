"""An object of the repository is damaged beneath a running service: what it holds is never said not to be there."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.git_command import GitError
from kb_service.content import read_file
from kb_service.knowledge_base import KnowledgeBase
from kb_service.publishing import Publisher
from kb_service.settings import Settings
from tests.authors import Author, Service, ann, bare
from tests.conftest import eventually
from tests.past.told import PICTURE, Told
from tests.written import article

__all__ = ["ann", "bare"]

Spoil = Callable[[Path], None]


def object_of(repository: Path, name: str) -> Path:
    """The file of an object."""
    done = subprocess.run(
        ["git", "-C", repository, "rev-parse", name], check=True, capture_output=True, text=True
    ).stdout.strip()
    path = repository / "objects" / done[:2] / done[2:]
    path.chmod(0o644)
    return path


def flip_head(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])


def flip_end(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


@pytest.mark.parametrize("spoil", [flip_head, flip_end, Path.unlink])
def test_a_picture_is_there_and_cannot_be_read(told: Told, spoil: Spoil, caplog: pytest.LogCaptureFixture) -> None:
    (told.author.clone / "a.png").write_bytes(PICTURE)
    told.author.write("picture.md", "---\ntitle: Picture\n---\n![A](a.png)")
    told.push("picture", "2025-05-01")
    path = object_of(told.author.bare, "main:a.png")
    whole = path.read_bytes()
    spoil(path)
    answer = told.client.get("/media/a.png?of=picture")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "the repository of the articles" in answer.json()["detail"]
    assert path.name not in answer.text
    assert "Look at the repository by 'git fsck'" in caplog.text
    path.write_bytes(whole)
    assert told.client.get("/media/a.png?of=picture").content == PICTURE


@pytest.mark.parametrize("spoil", [flip_head, flip_end])
def test_a_revision_is_there_and_cannot_be_read(told: Told, spoil: Spoil) -> None:
    revisions = told.get("/api/history/network")["revisions"]
    before = revisions[1]["revision"]
    spoil(object_of(told.author.bare, before))
    detail = told.get(f"/api/articles/network?at={before}", 503)["detail"]
    assert "the repository of the articles" in detail
    assert "dingo" in told.get("/api/articles/network")["body"], "what is live is in the index"


def test_another_picture_under_its_name_is_not_given_out(told: Told) -> None:
    (told.author.clone / "a.png").write_bytes(PICTURE)
    live = told.push("picture", "2025-05-01")
    (told.author.clone / "b.png").write_bytes(b"\x89PNG another")
    told.push("another", "2025-06-01")
    other = object_of(told.author.bare, "main:b.png").read_bytes()
    object_of(told.author.bare, "main:a.png").write_bytes(other)
    with pytest.raises(GitError, match="is not as it was written"):
        read_file(Settings(content=told.author.bare), "a.png", None, live)


def test_a_damaged_clone_is_made_anew_when_a_picture_is_asked_for(tmp_path: Path, bare: Path, ann: Author) -> None:
    (ann.folder / "a.png").write_bytes(PICTURE)
    ann.write("picture.md", article("Picture", "![A](a.png)"))
    ann.push("picture")
    service = Service(tmp_path / "data", KB_CONTENT_REMOTE=f"file://{bare}", KB_POLL_SECONDS="0")
    with service.running() as client:
        assert client.get("/media/a.png?of=picture").content == PICTURE
        flip_head(object_of(tmp_path / "data" / "content.git", "HEAD:a.png"))
        assert client.get("/media/a.png?of=picture").status_code == 503
        eventually(lambda: client.get("/media/a.png?of=picture").content == PICTURE, "the clone is made anew")
        assert (tmp_path / "data" / "content.git.damaged").is_dir()
        assert "kb_storage_errors_total 0.0" not in client.get("/metrics").text


def test_what_is_asked_of_one_look_is_done_whoever_asked_first(tmp_path: Path, bare: Path, ann: Author) -> None:
    ann.write("a.md", article("A"))
    ann.push("one")
    remote = f"file://{bare}"
    base = KnowledgeBase(Settings(data=tmp_path / "data", content_remote=remote, encoder="hashing", poll_seconds=0))
    base.update()
    flip_end(object_of(tmp_path / "data" / "content.git", "HEAD:a.md"))
    publisher = Publisher(base)
    publisher.publish("webhook")
    publisher.publish("clone")
    publisher.start()
    try:
        publisher.wait_until_live()
        assert (tmp_path / "data" / "content.git.damaged").is_dir()
    finally:
        publisher.stop()
