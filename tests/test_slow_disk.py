"""A disk that takes its time: who writes waits for it, who searches does not."""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.authors import Service
from tests.conftest import eventually
from tests.written import article

pytestmark = pytest.mark.breaking

SECONDS = 2


@contextmanager
def slow(pid: int, folder: Path) -> Iterator[None]:
    """Whatever the process has to have on disk takes so long, each time."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("there is no strace to slow a disk with")
    calls, log = "fsync,fdatasync", folder / "strace"
    command = [strace, "-f", "-p", str(pid), "-o", str(log), "-e", f"trace={calls}"]
    command += ["-e", f"inject={calls}:delay_enter={SECONDS}s"]
    tracing = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracing.stderr is not None
    try:
        said = tracing.stderr.readline()
        if "attached" not in said:
            pytest.skip(f"a process may not be traced here: {said}")
        yield
    finally:
        tracing.terminate()
        tracing.communicate()


def test_searches_are_answered_while_a_record_and_a_publish_wait_for_it(tmp_path: Path) -> None:
    articles = tmp_path / "content"
    articles.mkdir()
    (articles / "vpn.md").write_text(article("VPN drops", "Restart the wombat client."), "utf-8")
    service = Service(tmp_path / "data", KB_CONTENT=str(articles))
    with service.running("--watch") as client:
        assert service.process is not None
        # Threads that write are begun, so that they are traced
        client.put("/api/incidents/INC0", json={"short_description": "First"}).raise_for_status()
        with slow(service.process.pid, tmp_path):
            took: list[float] = []

            def put() -> None:
                started = time.monotonic()
                client.put("/api/incidents/INC1", json={"short_description": "Printer"}).raise_for_status()
                took.append(time.monotonic() - started)

            writer = threading.Thread(target=put)
            writer.start()
            (articles / "new.md").write_text(article("Second", "The aardvark came later."), "utf-8")
            searches: list[float] = []
            while writer.is_alive():
                started = time.monotonic()
                answer = client.get("/api/search", params={"q": f"wombat {len(searches)}"})
                searches.append(time.monotonic() - started)
                assert answer.json()["hits"]
            writer.join()
            assert took[0] >= SECONDS, "the record waited"
            assert len(searches) > 3
            assert sorted(searches)[len(searches) // 2] < SECONDS / 2, searches
        eventually(lambda: bool(client.get("/api/search", params={"q": "aardvark"}).json()["hits"]))
        assert client.get("/api/incidents/INC1").status_code == 200
