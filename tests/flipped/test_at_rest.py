"""Files of a folder that nobody uses are spoilt: what comes next notices."""

import json
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests import forked
from tests.conftest import eventually
from tests.flipped.damage import HOW, Whole, asked, files_of, ready, recorded, refused, service_of, spoil, words_piece

pytestmark = pytest.mark.breaking


def flip_at_rest(whole: Whole, folder: Path, seed: int) -> None:
    """Some files of those that are derived, at once; all is made anew that has to be, and answers as it did."""
    chance = random.Random(seed)  # noqa: S311
    shutil.copytree(whole.folder, folder)
    files = [file for file in files_of(folder) if file.name not in {"desk.db", "session.key"}]
    flipped = {str(file.relative_to(folder)): chance.choice(HOW) for file in chance.sample(files, 4)}
    for name, how in flipped.items():
        spoil(folder / name, how, chance)
    if any("vectors.db" in name for name in flipped):
        # They are asked for where an index is made anew
        for index in ("index.db", "incidents.db"):
            (folder / index).unlink()
    service = service_of(folder, whole.content)
    try:
        with service.running() as client:
            eventually(lambda: ready(client), service.log.read_text())
            assert asked(client) == whole.answers
            assert recorded(client) == whole.records
        assert "Traceback" not in service.log.read_text()
    except BaseException as error:
        error.add_note(f"{flipped}, seed {seed}")
        raise


@pytest.mark.parametrize("seed", [4, 5])
def test_at_rest_what_is_derived_is_made_anew(whole: Whole, tmp_path: Path, seed: int) -> None:
    flip_at_rest(whole, tmp_path / "data", seed)


@pytest.mark.parametrize("how", ["flipped", "garbage", "truncated"])
def test_at_rest_the_record_is_refused(whole: Whole, tmp_path: Path, how: str) -> None:
    shutil.copytree(whole.folder, tmp_path / "data")
    spoil(tmp_path / "data" / "desk.db", how, random.Random(how))  # noqa: S311
    refused(service_of(tmp_path / "data", whole.content))


@pytest.mark.long
def test_five_hundred_times(whole: Whole, tmp_path: Path) -> None:
    chance, folder = random.Random(7), tmp_path / "data"  # noqa: S311
    for seed in range(1000, 1110):
        flip_at_rest(whole, folder, seed)
        shutil.rmtree(folder)
        shutil.copytree(whole.folder, folder)
        spoil(folder / "desk.db", chance.choice(HOW), chance)
        refused(service_of(folder, whole.content))
        shutil.rmtree(folder)


@pytest.mark.parametrize("clean", [True, False])
def test_a_command_that_looks_at_nothing_vouches_for_nothing(
    killed: Path, whole: Whole, tmp_path: Path, clean: bool
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole.folder if clean else killed, folder)
    words_piece(folder)
    service = service_of(folder, whole.content)
    service.kb("keys", "list")
    with service.running() as client:
        eventually(lambda: ready(client), service.log.read_text())
        assert asked(client) == whole.answers
    assert "it is made anew" in service.log.read_text()


def test_a_secret_that_is_cut_off_is_said(whole: Whole, tmp_path: Path) -> None:
    shutil.copytree(whole.folder, tmp_path / "data")
    spoil(tmp_path / "data" / "session.key", "truncated", random.Random(1))  # noqa: S311
    service = service_of(tmp_path / "data", whole.content)
    done = forked.kb(["serve"], service.environment)
    assert done.returncode == 3
    assert "Delete it: all have to sign in again then" in " ".join(done.stderr.split())


def tail_vector(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "incidents.db", isolation_level=None)) as connection:
        key, said = connection.execute("SELECT seq, vector FROM tail ORDER BY seq LIMIT 1").fetchone()
        changed = bytearray(said)
        changed[1] ^= 128
        connection.execute("UPDATE tail SET vector = ? WHERE seq = ?", (bytes(changed), key))


def test_a_flipped_bit_of_a_vector_is_noticed_by_the_next_start(killed: Path, whole: Whole, tmp_path: Path) -> None:
    """After a kill, so that nobody has noted what the file was."""
    folder = tmp_path / "data"
    shutil.copytree(killed, folder)
    tail_vector(folder)
    service = service_of(folder, whole.content)
    with service.running() as client:
        eventually(lambda: ready(client))
        assert recorded(client) == whole.records
    assert "a vector is not as it was written" in service.log.read_text()


def test_a_large_index_is_looked_through_by_who_writes_it_and_served_meanwhile(whole: Whole, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole.folder, folder)
    service, suspected = service_of(folder, whole.content), folder / "index.db.suspected"

    def kb(*command: str) -> str:
        large = "from indexer import at_rest; at_rest.MOST_READ_BYTES = 1000; from kb_service.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", large, *command], env=service.environment, capture_output=True, text=True, check=True
        )
        return done.stdout + done.stderr

    kb("index")
    assert "as of" in (folder / "at-rest").read_text()
    kb("search", "password reset")
    assert not suspected.exists()
    (folder / "index.db").touch()
    assert "password" in kb("search", "password reset").casefold()
    assert suspected.exists()
    assert "made anew" not in kb("index")
    assert not suspected.exists()
    words_piece(folder)
    assert "made anew" in kb("index")
    assert json.loads(kb("search", "password reset", "--json"))["hits"]
