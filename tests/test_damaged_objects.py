"""An object of a repository that is followed is damaged: nothing wrong is published from it."""

import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.git import Blobs, Repository
from indexer.git_command import GitError
from tests.authored import Authored
from tests.conftest import Desk
from tests.written import article, found

Git = Callable[..., str]


@pytest.fixture
def authored(desk: Desk, git: Git) -> Authored:
    authored = Authored(desk, git)
    authored.write("vpn.md", article("VPN", "Renew the lease."))
    authored.push()
    authored.update()
    authored.write("vpn.md", article("VPN", "Renew the certificate."))
    authored.push()
    return authored


def object_of(authored: Authored) -> tuple[str, Path]:
    """The latest text of the article: its name, and its file."""
    name = authored.git("rev-parse", "HEAD:vpn.md")
    path = authored.bare / "objects" / name[:2] / name[2:]
    path.chmod(0o644)
    return name, path


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("place", "said"), [(10, "object .* cannot be read"), *((place, "git ended") for place in (-1, -6))]
)
def test_a_flipped_bit_stops_the_publish_and_what_is_live_stays(authored: Authored, place: int, said: str) -> None:
    flip(object_of(authored)[1], place)
    with pytest.raises(GitError, match=said):
        authored.update()
    assert found(authored.desk, "lease") == ["vpn"]


def test_another_text_under_its_name_is_not_taken(authored: Authored) -> None:
    """Git itself looks at the checksum of what is compressed alone."""
    name, path = object_of(authored)
    said = zlib.decompress(path.read_bytes())
    path.write_bytes(zlib.compress(said.replace(b"certificate", b"certifidate")))
    with Blobs(Repository(authored.bare)) as blobs, pytest.raises(GitError, match=f"object {name} is not as it was"):
        blobs.read(name)
    with pytest.raises(GitError):
        authored.update()
    assert found(authored.desk, "lease") == ["vpn"]


def test_one_that_is_gone_leaves_the_article_as_it_was(authored: Authored) -> None:
    object_of(authored)[1].unlink()
    (refused,) = authored.update()
    assert "vpn.md" in refused
    assert "it is missing in the repository" in refused
    assert found(authored.desk, "lease") == ["vpn"]
