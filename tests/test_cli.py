"""The command as a person and a script use it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from kb_service.desk import Desk as Record
from tests import forked
from tests.conftest import Desk

KB = [sys.executable, "-m", "kb_service.cli"]


def environment(**settings: str) -> dict[str, str]:
    return {**os.environ, "KB_ENCODER": "hashing", **settings}


@pytest.fixture
def kb(desk: Desk) -> Callable[..., subprocess.CompletedProcess[str]]:
    desk.write("runbooks/port.md", "---\ntitle: Check a port\n---\n## Steps\n\nUse [brackets] and `netstat -ano`.\n")

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        where = ["--content", str(desk.content), "--data", str(desk.data)]
        return forked.kb([*arguments, *where], environment(**settings))

    return run


Run = Callable[..., subprocess.CompletedProcess[str]]


def test_index_ends_with_one_line(kb: Run) -> None:
    done = kb("index")
    assert done.returncode == 0
    assert re.fullmatch(r"1 objects, 3 passages, 2 encoded, 0 refused, [\d.]+ s\n", done.stdout)


def test_refusals_are_listed_and_an_index_run_with_them_is_done(kb: Run, desk: Desk) -> None:
    desk.write("bad.md", "---\ntitle: T\ntype: nonsense\n---\n")
    done = kb("index")
    assert done.returncode == 0
    assert "bad.md:3: type is 'nonsense'. One of faq, runbook" in done.stderr
    report = json.loads(kb("index", "--json").stdout)
    assert (report["objects"], report["refused"], report["refusals"][0]["path"]) == (1, 1, "bad.md")


def test_search_prints_hits_for_people_and_json_for_programs(kb: Run) -> None:
    kb("index")
    done = kb("search", "check port")
    assert done.returncode == 0
    assert "Check a port" in done.stdout
    assert "runbooks/port#steps" in done.stdout
    assert "[brackets]" in done.stdout
    body = json.loads(kb("search", "check port", "--json").stdout)
    assert {"query", "hits", "generation", "took_ms"} <= body.keys()
    assert body["hits"][0]["id"] == "runbooks/port"
    odd = kb("search", "check", "\udcff", "port", "--json")
    assert json.loads(odd.stdout)["hits"][0]["id"] == "runbooks/port"
    none = kb("search", "", "--json")
    assert (none.returncode, json.loads(none.stdout)["hits"]) == (0, [])


def test_a_path_of_windows_is_shown_as_it_stands(kb: Run, desk: Desk) -> None:
    said = r"Delete HKCU\Software\Microsoft\Outlook\Profiles and \\\\server\\\Outlook [/bold yellow] then."
    desk.write("o.md", f"---\ntitle: Mail profile \\\\\\\n---\n```\n{said}\n```\n")
    kb("index")
    done = kb("search", "outlook")
    assert (done.returncode, done.stderr) == (0, "")
    assert said in " ".join(done.stdout.split())


def test_search_says_what_it_read_and_explains_the_lanes(kb: Run) -> None:
    kb("index")
    done = kb("search", "chekc port", "--explain")
    assert "'chekc' read as 'check'" in done.stdout
    assert re.search(r"words .* meaning .* score .* answers", done.stdout)
    assert re.search(r"│ 1 │ 1\. +\d\.\d\d │ 1\. +\d\.\d\d │", done.stdout)
    assert "The words of this query are taken at 100%." in done.stdout


def test_search_before_index_could_not_and_writes_nothing(kb: Run, tmp_path: Path) -> None:
    done = forked.kb(["search", "x", "--data", str(tmp_path / "none")], environment())
    assert done.returncode == 3
    assert "Run 'kb index' first" in done.stderr
    assert not (tmp_path / "none").exists()
    assert kb("search", "--help").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "says"),
    [
        (["nonsense"], {}, 2, "No such command"),
        (["search"], {}, 2, "Missing argument"),
        (["search", "x", "--type", "nonsense"], {}, 2, "none of faq, runbook"),
        (["index"], {"KB_ENCODER": "nonsense"}, 2, "KB_ENCODER"),
        (["index"], {"KB_PORT": "many"}, 2, "KB_PORT"),
        (["index"], {"KB_ENCODER": "onnx", "KB_MODEL": "no/such-model"}, 3, "KB_MODEL"),
    ],
)
def test_wrong_use_and_what_could_not_be_done(
    kb: Run, arguments: list[str], settings: dict[str, str], code: int, says: str
) -> None:
    done = kb(*arguments, **settings)
    assert done.returncode == code, done.stderr
    assert says in re.sub(r"\s*│\n│?\s*", " ", done.stderr)
    assert "Traceback" not in done.stderr


def test_a_missing_content_folder_is_said(tmp_path: Path) -> None:
    for command in ("index", "check", "serve"):
        where = ["--content", str(tmp_path / "no"), "--data", str(tmp_path / "data")]
        port = ["--port", "0"] if command == "serve" else []
        done = forked.kb([command, *where, *port], environment())
        assert (done.returncode, "there is no content folder" in done.stderr) == (3, True)


def test_the_version_is_said() -> None:
    done = forked.kb(["--version"], environment())
    assert (done.returncode, done.stdout) == (0, f"kb {version('kb-service')}\n")


def test_schema_is_json() -> None:
    said = subprocess.run([*KB, "schema"], check=True, capture_output=True, text=True).stdout
    assert "title" in json.loads(said)["properties"]


@contextmanager
def serving(desk: Desk, **settings: str) -> Iterator[str]:
    command = [*KB, "serve", "--port", "0", "--content", str(desk.content), "--data", str(desk.data)]
    server = subprocess.Popen(command, env=environment(**settings), stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        address = next(match[1] for line in server.stdout if (match := re.match(r"API\s+(\S+)/docs", line)))
        for line in server.stdout:
            if line.startswith("Ctrl+C"):
                break
        yield address
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        server.stdout.close()


def get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310
        return json.load(answer)


def test_a_record_s_number_that_is_not_there_is_said(kb: Run) -> None:
    kb("index")
    done = kb("triage", "INC0029119")
    assert (done.returncode, done.stderr) == (0, "There is no incident INC0029119: it is taken for what came in\n")
    assert kb("triage", "port is closed").stderr == ""


@pytest.mark.parametrize(
    "command",
    [
        "backup COPY", "incidents export", "incidents erase INC1", "keys list", "keys revoke k1", "audit",
        "retention", "callers export key:k1", "callers erase key:k1", "draft INC1",
    ],
)  # fmt: skip
def test_no_record_is_made_where_another_folder_was_meant(desk: Desk, tmp_path: Path, command: str) -> None:
    data, copy = tmp_path / "mistyped", tmp_path / "copy.db"
    arguments = command.replace("COPY", str(copy)).split()
    done = forked.kb([*arguments, "--data", str(data)], environment(KB_CONTENT=str(desk.content)))
    assert (done.returncode, done.stdout) == (3, "")
    assert f"there is no record in {data}" in " ".join(done.stderr.split())
    assert not data.exists()
    assert not copy.exists()


def test_an_import_with_bad_rows_takes_the_rest_and_says_so_to_a_script(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "given.jsonl"
    file.write_text('{"number": "INC1", "short_description": "VPN"}\n{"number": "INC2"}\n', "utf-8")
    for options in ((), ("--json",)):
        done = forked.kb(["incidents", "import", str(file), *options, "--data", str(desk.data)], environment())
        assert done.returncode == 1
    assert json.loads(done.stdout)["unchanged"] == 1
    assert json.loads(done.stdout)["refused"][0]["line"] == 2
    file.write_text('{"number": "INC1", "short_description": "VPN"}\n', "utf-8")
    done = forked.kb(["incidents", "import", str(file), "--data", str(desk.data)], environment())
    assert done.returncode == 0


def test_an_export_is_of_the_form_that_its_file_s_ending_says(desk: Desk, tmp_path: Path) -> None:
    def export(*given: str) -> subprocess.CompletedProcess[str]:
        return forked.kb(["incidents", "export", *given, "--data", str(desk.data)], environment())

    Record(desk.data / "desk.db")
    for ending, form, begins in ((".csv", (), "number,"), (".csv", ("--format", "jsonl"), ""), (".jsonl", (), "")):
        file = tmp_path / f"out{ending}"
        assert export(str(file), *form).returncode == 0
        assert file.read_text()[:7] == begins
    done = export(str(tmp_path / "no" / "out.csv"))
    assert (done.returncode, "there is no folder" in done.stderr) == (3, True)


def test_serve_indexes_says_where_to_look_and_answers(desk: Desk) -> None:
    desk.write("runbooks/port.md", "---\ntitle: Check a port\n---\n## Steps\n\nUse `netstat`.\n")
    with serving(desk) as address:
        log = "2026-01-01 12:00:00 ERROR cannot open port: [Errno 98] <x>\n" * 1_700
        body = get(f"{address}/api/search?{urllib.parse.urlencode({'q': log})}")
        assert len(body["query"]) > 100_000
        assert body["hits"][0]["id"] == "runbooks/port"
        assert get(f"{address}/readyz")["objects"] == 1
    desk.write("runbooks/dns.md", "# A name does not resolve")
    with serving(desk) as address:
        assert get(f"{address}/healthz") == {"status": "ok"}
        until = time.monotonic() + 20
        while get(f"{address}/readyz")["objects"] < 2 and time.monotonic() < until:
            pass
        assert get(f"{address}/api/search?q=resolve")["hits"][0]["id"] == "runbooks/dns"


def test_a_taken_port_is_said_at_once(kb: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = kb("serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 3
    assert "cannot listen on 127.0.0.1" in done.stderr


def test_nothing_is_written_outside_data_and_cache(kb: Run, desk: Desk, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(desk.data)}
    kb("index", KB_CACHE=str(tmp_path / "cache"), HOME=str(tmp_path / "home"))
    kb("search", "port", KB_CACHE=str(tmp_path / "cache"), HOME=str(tmp_path / "home"))
    after = {path for path in tmp_path.rglob("*") if not path.is_relative_to(desk.data)}
    assert {path.name for path in after - before if not path.is_relative_to(tmp_path / "cache")} == set()
    assert (tmp_path / "cache" / "vectors.db").exists()
