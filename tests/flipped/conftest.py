"""Data folders that a service has left, one by itself and one by a kill; each test copies what it spoils."""

import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.benchmarks.made import content
from tests.conftest import eventually
from tests.flipped.damage import ARTICLES, RECORDS, Whole, asked, ready, recorded, service_of


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    made = tmp_path_factory.mktemp("whole")
    articles, folder = content(made, ARTICLES), made / "data"
    service = service_of(folder, articles)
    with service.running() as client:
        for number in range(RECORDS):
            said = {
                "short_description": f"Printer {number} in room {number * 7} is offline",
                "description": f"Users see error {number:04} since monday. " * 12,
            }
            client.put(f"/api/incidents/INC{number:04}", json=said).raise_for_status()
        eventually(lambda: ready(client))
        answers, records = asked(client), recorded(client)
    return Whole(folder, articles, answers, records)


@pytest.fixture(scope="session")
def dense(killed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with next to no byte of the record that means nothing, and with nobody's word for what it was."""
    folder = tmp_path_factory.mktemp("dense") / "data"
    shutil.copytree(killed, folder)
    with closing(sqlite3.connect(folder / "desk.db", isolation_level=None)) as connection:
        for statement in ("PRAGMA journal_mode=DELETE", "PRAGMA page_size=512", "VACUUM", "PRAGMA journal_mode=WAL"):
            connection.execute(statement)
    assert not (folder / "at-rest").exists()
    return folder


@pytest.fixture(scope="session")
def killed(whole: Whole, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a service left that was killed after it acknowledged some more records, its log among it."""
    folder = tmp_path_factory.mktemp("killed") / "data"
    shutil.copytree(whole.folder, folder)
    service = service_of(folder, whole.content)
    with service.running() as client:
        for number in range(5):
            client.put(f"/api/incidents/LAST{number}", json={"short_description": "The last"}).raise_for_status()
        assert service.process is not None
        service.process.send_signal(signal.SIGKILL)
    return folder
