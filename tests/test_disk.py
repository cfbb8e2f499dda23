"""What is said where the disk fails, and what is left then: nothing half, and a connection that can go on."""

import errno
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from indexer.database import open_database, writing
from indexer.disk import about, disk_error, whole
from indexer.locks import held


@contextmanager
def files_up_to(count: int) -> Iterator[None]:
    """The system lets no file grow over so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_too_large_for_the_disk_says_so_and_the_connection_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with closing(open_database(path).conn) as connection:
        connection.execute("CREATE TABLE texts (text)")
        # More than the cache holds is written before the end, where SQLite ends the transaction by itself
        with files_up_to(3_000_000), pytest.raises(sqlite3.OperationalError) as caught, writing(connection):
            connection.executemany("INSERT INTO texts VALUES (?)", (("x" * 4_000,) for _ in range(2_000)))
        said = disk_error(caught.value)
        assert said is not None
        assert str(said).startswith(f"{path} cannot be used: disk I/O error. Look at its disk")
        with writing(connection):
            connection.execute("INSERT INTO texts VALUES ('goes on')")
        assert connection.execute("SELECT text FROM texts").fetchall() == [("goes on",)]


def test_an_error_of_what_was_asked_is_not_the_disk_s(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "some.db").conn) as connection:
        with pytest.raises(sqlite3.OperationalError) as caught:
            connection.execute("SELECT x FROM nowhere")
        assert disk_error(caught.value) is None
    assert disk_error(FileNotFoundError(errno.ENOENT, "none", "x")) is None
    assert disk_error(ValueError("x")) is None


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(errno.ENOSPC, "Free some space"), (errno.EIO, "Look at its disk"), (errno.ENOLCK, "in a moment")],
)
def test_an_error_of_the_system_names_the_file_and_what_to_do(tmp_path: Path, code: int, remedy: str) -> None:
    path = tmp_path / "file"
    with pytest.raises(OSError, match="why") as caught, about(path):
        raise OSError(code, "why")
    said = str(disk_error(caught.value))
    assert said.startswith(f"{path} cannot be used: why. ")
    assert remedy in said


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / "file.part").write_text("of a killed one", "utf-8")
    with files_up_to(10_000), pytest.raises(OSError, match="File too large") as caught, whole(path) as part:
        part.write_text("x" * 20_000, "utf-8")
    assert list(tmp_path.iterdir()) == []
    assert str(disk_error(caught.value)).startswith(f"{path} cannot be used: File too large. Free some space")
    with whole(path) as part:
        part.write_text("all of it", "utf-8")
        assert not path.exists()
    assert [file.read_text("utf-8") for file in tmp_path.iterdir()] == ["all of it"]


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    with held(tmp_path / "some.lock") as first, held(tmp_path / "some.lock", wait=False) as second:
        assert (first, second) == (True, False)
    with held(tmp_path / "some.lock", wait=False) as again:
        assert again
