"""Many files are read by several processes, and come out as if one had read them."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from indexer import KnowledgeBaseError, Report
from indexer.encoder import HashingEncoder
from indexer.language import ENGLISH
from indexer.readers import ReadFile, reading
from tests.conftest import REPOSITORY, Desk, eventually
from tests.hanging import HANGS, HangingEncoder

TABLES = ("passages", "owners", "names", "terms", "pieces", "identifiers", "spellings", "objects", "files", "refusals")
HOLDING = """
import sys
from indexer.encoder import HashingEncoder
from indexer.language import ENGLISH
from indexer.readers import reading
with reading(HashingEncoder().count_tokens, 64, ENGLISH) as readers:
    assert readers.start([("a.md", b"# A")])[0].result()[0].object
    print(*readers.pids, flush=True)
    sys.stdin.read()
"""


def filled(folder: Path) -> Desk:
    desk = Desk(folder)
    for number in range(70):
        desk.write(
            f"runbooks/{number}.md",
            f"---\ntitle: Runbook {number}\n---\nError 0x8007{number:04}.\n\n## Steps\n\nStart kube_{number}. Größe\n",
        )
    desk.write("faq/video.md", "---\ntitle: A video\n---\n![Reset](reset.mp4)\n")
    desk.write("faq/reset.vtt", "WEBVTT\n\n00:00.000 --> 00:02.000\nPress the wombat button.\n")
    desk.write("faq/broken.md", "---\ntitle: a: b\n---\n")
    (desk.content / "faq" / "binary.md").write_bytes(b"\xff\xfe\x00")
    for file in desk.content.rglob("*.*"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    return desk


def told(desk: Desk, report: Report) -> tuple[object, ...]:
    connection = desk.index.connection
    of_file = {"files": "path, revision, videos"}
    rows = {
        table: sorted(map(repr, connection.execute(f"SELECT {of_file.get(table, '*')} FROM {table}")))
        for table in TABLES
    }
    return rows, report.objects, report.passages, report.refused, report.refusals


def test_side_by_side_is_as_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = filled(tmp_path / "alone")
    by_one = told(alone, alone.update())
    monkeypatch.setattr("indexer.staging.MANY", 2)
    together = filled(tmp_path / "together")
    assert told(together, together.update()) == by_one


def test_a_process_that_is_gone_is_said() -> None:
    with reading(HashingEncoder().count_tokens, 64, ENGLISH) as readers:
        for pid in readers.pids:
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(KnowledgeBaseError, match="Run again: what was read is kept"):
            readers.start([("a.md", b"# A")])[0].result()


def test_the_processes_end_with_the_one_that_began_them(tmp_path: Path) -> None:
    script = tmp_path / "holding.py"
    script.write_text(HOLDING)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        [sys.executable, script], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    readers = [int(pid) for pid in process.stdout.readline().split()]
    assert readers
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for pid in readers:
        eventually(partial(_has_ended, pid), f"{pid} ends")


def _has_ended(pid: int) -> bool:
    """Nothing stands in the command line of one that has ended and is only not taken note of yet."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


LONG = "words of an article\n\n" * 6_000
MOST = 8.0


@pytest.mark.breaking
@pytest.mark.parametrize("many", [pytest.param(2, marks=pytest.mark.long), 400], ids=["side by side", "one by one"])
def test_a_file_that_hangs_is_refused_and_the_rest_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr("indexer.staging.MANY", many)
    desk = Desk(tmp_path, HangingEncoder())
    desk.write("faq/good.md", "---\ntitle: Good\n---\nquokka\n")
    desk.write("faq/long.md", f"---\ntitle: Long\n---\n{LONG}")
    desk.write("faq/hangs.md", f"---\ntitle: Hangs\n---\n{LONG}")
    assert (desk.update().objects, desk.update().refused) == (3, 0)
    monkeypatch.setattr("indexer.readers.MOST_SECONDS", MOST)
    desk.write("faq/hangs.md", f"---\ntitle: Hangs\n---\n{LONG}{HANGS}\n")
    desk.write("faq/good.md", "---\ntitle: Better\n---\nquokka\n")
    report = desk.update()
    (refused,) = report.refusals
    assert str(refused).startswith("faq/hangs.md:1: reading it took over 8 s")
    assert report.objects == 3, "what was live of it stays"
    titles = {row[0] for row in desk.index.connection.execute("SELECT json_extract(object, '$.title') FROM objects")}
    assert titles == {"Better", "Long", "Hangs"}
    started = time.monotonic()
    assert desk.update().refused == 1
    assert time.monotonic() - started < MOST, "it does not hold up the next publish"
    desk.write("faq/hangs.md", f"---\ntitle: Hangs no more\n---\n{LONG}")
    assert desk.update().refused == 0


@pytest.mark.breaking
def test_a_process_that_is_stopped_is_ended_and_another_reads_on(monkeypatch: pytest.MonkeyPatch) -> None:
    # More than a pipe takes: it hangs before it has heard everything
    files = [(f"{number}.md", f"# Article {number}\n\n{LONG}".encode()) for number in range(3)]
    with reading(HashingEncoder().count_tokens, 64, ENGLISH, 1) as readers:
        (pid,) = readers.pids
        assert readers.start(files[:1])[0].result()[0] is not None
        os.kill(pid, signal.SIGSTOP)
        monkeypatch.setattr("indexer.readers.MOST_SECONDS", MOST)
        found = readers.start(files)[0].result()
        assert [one.id for one in found if isinstance(one, ReadFile)] == ["0", "1", "2"]
        assert readers.pids != [pid]
        assert _has_ended(pid)
