"""The log: one line a record, with the request that it is of, and nothing of what was asked unless that is wanted."""

import asyncio
import json
import logging
import re
import sqlite3
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kb_service import KnowledgeBase, Settings
from kb_service.api.search_threads import SearchThreads
from kb_service.logs import REQUEST_ID, JsonLines, TextLines
from kb_service.query import Query
from kb_service.workers import Workers
from tests.authors import Service
from tests.client import client_of
from tests.conftest import eventually

ASKED = "quokka"
BROWSER = {"Accept": "text/html"}


def service_over(folder: Path, **settings: str) -> Service:
    content = folder / "content"
    content.mkdir()
    (content / "vpn.md").write_text("# VPN\nRestart the client.\n")
    return Service(folder / "data", KB_CONTENT=str(content), **settings)


def lines_of(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.log.read_text().splitlines()]


def of_request(service: Service, request_id: str) -> list[dict[str, Any]]:
    return [line for line in lines_of(service) if line.get("request_id") == request_id]


def break_records(service: Service) -> None:
    """As a file that is not what it should be: the table of incidents is gone."""
    with closing(sqlite3.connect(Path(service.environment["KB_DATA"]) / "desk.db")) as desk:
        desk.execute("ALTER TABLE incidents RENAME TO gone")


def test_each_request_is_a_line_of_json_that_says_nothing_of_what_was_asked(tmp_path: Path) -> None:
    service = service_over(tmp_path, KB_LOG="json")
    (tmp_path / "content" / "bad.md").write_text("---\ntitle: a: b\n---\n")
    key = service.kb("keys", "create", "--role", "admin").strip()
    with service.running() as http:
        http.headers["X-API-Key"] = key
        found = http.get("/api/search", params={"q": ASKED}, headers={"X-Request-ID": "desk-tool_17"})
        http.put("/api/incidents/INC1", json={"short_description": f"the {ASKED} is gone"})
        http.post("/api/triage", json={"text": f"the {ASKED} is gone"})
        http.get(f"/api/glossary/{ASKED}", headers={"User-Agent": ASKED})
        http.get("/api/glossary", params={ASKED: ASKED})
        http.get("/healthz", headers={"X-API-Key": ""})
    assert found.headers["X-Request-ID"] == "desk-tool_17"
    text = service.log.read_text()
    assert ASKED not in text
    assert key not in text
    lines = lines_of(service)
    assert next(line["message"] for line in lines if line["level"] == "warning").startswith(
        "refused bad.md:2: broken YAML"
    )
    assert any(line["logger"] == "kb.publishing" and "published in" in line["message"] for line in lines)
    requests = [line for line in lines if line["logger"] == "kb.requests"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("GET", "/api/search", 200),
        ("PUT", "/api/incidents/{number}", 201),
        ("POST", "/api/triage", 200),
        ("GET", "/api/glossary/{term:path}", 404),
        ("GET", "/api/glossary", 422),
        ("GET", "/healthz", 200),
    ]
    (searched,) = of_request(service, "desk-tool_17")
    assert searched["message"] == "GET /api/search 200"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", searched["time"])
    assert datetime.fromisoformat(searched["time"]).utcoffset() is not None
    assert searched["bytes"] == len(found.content)
    assert 0 < searched["duration_ms"] < 60_000
    assert re.fullmatch(r"key:\w{8}", searched["caller"])
    assert requests[-1]["caller"] is None
    assert len({line["request_id"] for line in requests}) == 6


def test_a_failure_is_one_line_found_by_the_id_that_the_caller_was_told(tmp_path: Path) -> None:
    service = service_over(tmp_path, KB_LOG="json")
    with service.running() as http:
        break_records(service)
        failed = http.get("/api/incidents/INC1")
        page = http.get("/incidents/INC1", headers=BROWSER)
    assert (failed.status_code, page.status_code) == (500, 500)
    request_id = failed.json()["request_id"]
    assert request_id == failed.headers["X-Request-ID"]
    told, answered = of_request(service, request_id)
    assert (told["level"], told["message"]) == ("error", "GET /api/incidents/{number} failed")
    assert told["traceback"].startswith("Traceback (most recent call last):\n")
    assert told["traceback"].endswith("OperationalError: no such table: incidents")
    assert (answered["logger"], answered["status"]) == ("kb.requests", 500)
    assert f"<code>{page.headers['X-Request-ID']}</code>" in page.text
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("given", ["a b", "ä", "x" * 65, "a\u0000b", "<script>", "", "../x"])
def test_an_id_that_is_not_well_formed_is_replaced(tmp_path: Path, given: str) -> None:
    base = KnowledgeBase(Settings(content=tmp_path, data=tmp_path / "data", encoder="hashing"))
    with client_of(base) as client:
        answer = client.get("/healthz", headers={b"X-Request-ID": given.encode()})
        assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-ID"])


def test_what_was_asked_is_logged_where_that_is_wanted_but_never_a_sign_in(tmp_path: Path) -> None:
    service = service_over(tmp_path, KB_LOG="json", KB_LOG_TEXTS="true")
    with service.running() as http:
        http.get("/api/search", params={"q": f"{ASKED}\nnew line"})
        http.get("/login/callback", params={"code": "hush", "state": "hush"})
    (searched,) = (line for line in lines_of(service) if line.get("route") == "/api/search")
    assert (searched["path"], searched["query"]) == ("/api/search", f"q={ASKED}%0Anew+line")
    assert "hush" not in service.log.read_text()


def test_text_is_the_default_tells_faults_only_and_the_start_is_for_people(tmp_path: Path) -> None:
    service = service_over(tmp_path)
    with service.running() as http:
        http.get("/api/search", params={"q": ASKED})
        assert service.log.read_text() == ""
        break_records(service)
        request_id = http.get("/api/incidents/INC1", headers={"X-Request-ID": "night-shift"}).json()["request_id"]
        eventually(lambda: "OperationalError" in service.log.read_text())
    first, second, *rest = [line for line in service.log.read_text().splitlines() if "kb.incidents" not in line]
    assert re.fullmatch(r"\S+Z ERROR kb\.service: GET /api/incidents/{number} failed \[request night-shift\]", first)
    assert request_id == "night-shift"
    assert second == "  Traceback (most recent call last):"
    assert rest[-1] == "  OperationalError: no such table: incidents"


def logged(error: Exception | None, message: str, *, texts: bool = False) -> tuple[str, str]:
    """A record as a line of text and as one of JSON."""
    record = logging.LogRecord("kb.test", logging.ERROR, "x.py", 1, "%s", (message,), None)
    if error is not None:
        try:
            raise error
        except Exception:
            record.exc_info = sys.exc_info()
    return TextLines(texts=texts).format(record), JsonLines(texts=texts).format(record)


@pytest.mark.parametrize(
    "sign", ["\n", "\r", "\x00", "\x1b[2J", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\u202e", "\u2066", "\u200f"]
)
def test_what_is_logged_cannot_begin_a_line_nor_command_a_terminal(sign: str) -> None:
    forged = f"all is well{sign}2026-01-01T00:00:00.000Z CRITICAL kb: forged"
    text, line = logged(OSError(forged), forged)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == forged
    assert "".join(text.split("\n")).isprintable()
    assert all(one.startswith("  ") for one in text.split("\n")[1:]), "only what is indented belongs to the line above"
    assert text.count("CRITICAL") == 2


def test_what_a_failure_says_may_quote_what_was_asked_so_only_its_kind_is_told() -> None:
    for line in logged(ValueError(f"cannot read {ASKED}"), "failed"):
        assert ASKED not in line
        assert "ValueError (KB_LOG_TEXTS=true: its message too)" in line
        assert "test_logs.py" in line
    for line in logged(ValueError(f"cannot read {ASKED}"), "failed", texts=True):
        assert f"ValueError: cannot read {ASKED}" in line
    for line in logged(OSError("disk full"), "failed"):
        assert "OSError: disk full" in line


def test_causes_are_told_first() -> None:
    error = KeyError(ASKED)
    error.__cause__ = OSError("first")
    text, line = logged(error, "failed")
    told = json.loads(line)["traceback"]
    assert told.index("OSError: first") < told.index("After that:") < told.index("KeyError")
    assert ASKED not in text + line


def test_the_threads_that_search_log_as_of_the_request() -> None:
    async def asked(request_id: str) -> str:
        REQUEST_ID.set(request_id)
        return await threads.run(REQUEST_ID.get)

    async def both() -> list[str]:
        return list(await asyncio.gather(asked("a"), asked("b")))

    threads = SearchThreads(1)
    assert asyncio.run(both()) == ["a", "b"]


def test_so_do_the_processes_beside_the_service(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = Settings(content=tmp_path, data=tmp_path / "data", encoder="hashing", log="json")
    KnowledgeBase(settings)
    told: list[dict[str, Any]] = []
    token = REQUEST_ID.set("of-a-worker")
    with closing(Workers(settings, 1)) as workers:

        def is_told() -> bool:
            # Nothing is published, which a search there says in its log
            assert workers.of("articles")(Query("tunnel")) is None
            told.extend(map(json.loads, capfd.readouterr().err.splitlines()))
            return bool(told)

        eventually(is_told)
    REQUEST_ID.reset(token)
    assert (told[0]["request_id"], told[0]["logger"]) == ("of-a-worker", "kb.workers")
    assert "IndexMissingError: nothing is indexed" in told[0]["traceback"]


def test_who_signs_in_and_who_is_refused_is_logged_without_a_key(tmp_path: Path) -> None:
    service = service_over(tmp_path, KB_LOG="json")
    key = service.kb("keys", "create", "--role", "agent", "--name", "Ben").strip()
    wrong = f"kb_aaaaaaaa_{'x' * 43}"
    with service.running() as http:
        http.headers["Accept"] = "text/html"
        for given in (wrong, key):
            token = re.findall(r'name="token" value="([^"]+)"', http.get("/login").text)[0]
            http.post("/login", data={"key": given, "token": token}, headers={"Origin": str(http.base_url).rstrip("/")})
        http.cookies.clear()
        http.get("/api/search", params={"q": "x"}, headers={"X-API-Key": wrong})
    said = [(line["level"], line["message"]) for line in lines_of(service) if line["logger"] == "kb.access"]
    assert said == [
        (
            "warning",
            "a sign-in from 127.0.0.1 was refused: The key is not known. Send one made by 'kb keys create', whole",
        ),
        ("info", f"key:{key.split('_')[1]} signed in by its key"),
        (
            "info",
            "a request from 127.0.0.1 was refused: The key is not known. Send one made by 'kb keys create', whole",
        ),
    ]
    assert wrong not in service.log.read_text()
    assert key not in service.log.read_text()
