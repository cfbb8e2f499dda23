"""What /metrics tells: each request and its lanes, what was turned away, how publishing, record and disk are."""

import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from kb_service import KnowledgeBase, Settings
from kb_service.api.search_threads import SearchThreads
from kb_service.app import create_app
from kb_service.publishing import Publisher
from kb_service.query import Query
from kb_service.slow_clients import protocol
from kb_service.workers import Workers
from tests import readme
from tests.client import client_of
from tests.conftest import Desk, eventually


def opened(folder: Path, **given: object) -> KnowledgeBase:
    desk = Desk(folder)
    desk.write("vpn.md", "---\ntitle: VPN drops\naudience: public\n---\nRestart the client when the tunnel drops.\n")
    settings = {"content": desk.content, "data": folder / "own", "encoder": "hashing", **given}
    base = KnowledgeBase(Settings.model_validate(settings))
    base.update()
    return base


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeBase:
    return opened(tmp_path)


@pytest.fixture
def client(base: KnowledgeBase) -> Iterator[TestClient]:
    with client_of(base) as client:
        yield client


def figures(client: TestClient, key: str = "") -> dict[str, float]:
    """Each sample as it is written, ``name{label="value"}``, and its value."""
    answer = client.get("/metrics", headers={"X-API-Key": key} if key else {})
    assert answer.status_code == 200, answer.text
    lines = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def requests_of(told: dict[str, float]) -> dict[tuple[str, str, str], float]:
    pattern = re.compile(r'kb_requests_total\{method="(.*)",route="(.*)",status="(.*)"\}')
    found = ((pattern.fullmatch(name), value) for name, value in told.items())
    return {(match[2], match[1], match[3]): value for match, value in found if match}


def test_requests_are_counted_by_route_and_never_by_what_was_sent(client: TestClient) -> None:
    for path in (
        "/api/articles/vpn",
        "/api/articles/no/such",
        "/nowhere",
        "/nowhere/else",
        "/static/page.css",
        "/x.php",
    ):
        client.get(path)
    client.put("/api/search")
    client.request("BREW", "/api/search")
    client.request("STEEP", "/api/search")
    told = figures(client)
    assert requests_of(told) == {
        ("/api/articles/{id:path}", "GET", "200"): 1,
        ("/api/articles/{id:path}", "GET", "404"): 1,
        ("none", "GET", "404"): 3,
        ("/static/{path:path}", "GET", "404"): 1,
        ("/api/search", "PUT", "405"): 1,
        ("/api/search", "other", "405"): 2,
    }
    assert told['kb_request_seconds_count{route="/api/articles/{id:path}"}'] == 2
    assert 0 < told['kb_request_seconds_sum{route="/api/articles/{id:path}"}'] < 10


def test_no_label_holds_what_somebody_wrote(base: KnowledgeBase, client: TestClient) -> None:
    client.get("/api/search?q=quokka&service=quokka", headers={"X-Request-ID": "quokka", "User-Agent": "quokka"})
    client.get("/api/glossary/quokka")
    client.get("/quokka?quokka=quokka")
    client.put("/api/incidents/quokka", json={"short_description": "the quokka is gone", "service": "quokka"})
    client.post("/api/triage", json={"text": "the quokka is gone"})
    client.request("QUOKKA", "/")
    (base.settings.content / "quokka.md").write_text("---\ntitle: a: quokka\n---\n")
    base.update()
    answer = client.get("/metrics")
    assert "kb_refused_files 1.0" in answer.text
    assert "quokka" not in answer.text.lower()


def test_the_lanes_of_a_search_are_timed_unless_it_is_given_again(base: KnowledgeBase, client: TestClient) -> None:
    for _ in range(3):
        client.get("/api/search?q=tunnel+drops")
    lanes = ("encoding", "words", "meaning", "ranking")
    told = figures(client)
    assert [told[f'kb_lane_seconds_count{{index="articles",lane="{lane}"}}'] for lane in lanes] == [1, 1, 1, 1]
    assert all(0 < told[f'kb_lane_seconds_sum{{index="articles",lane="{lane}"}}'] < 10 for lane in lanes)
    assert [told[f'kb_lane_seconds_count{{index="incidents",lane="{lane}"}}'] for lane in lanes] == [0, 0, 0, 0]
    client.put("/api/incidents/INC1", json={"short_description": "the tunnel drops"})
    eventually(lambda: not base.incident_index.behind())
    client.get("/api/related?q=tunnel")
    assert figures(client)['kb_lane_seconds_count{index="incidents",lane="words"}'] > 0


def test_a_process_beside_the_service_tells_it_how_long_its_lanes_took(base: KnowledgeBase) -> None:
    app = create_app(base)
    with closing(Workers(base.settings, 1)) as workers, TestClient(app, base_url="http://localhost") as client:
        ask = workers.of("articles")
        app.state.metrics.workers_alive.set_function(lambda: len(workers.pids))
        asked: list[bool] = []
        base.searcher.elsewhere = lambda query: asked.append(True) or ask(query)  # type: ignore[func-returns-value]

        def there() -> bool:
            """Whether the process answered one that was not asked before."""
            found = ask(Query(f"tunnel {time.monotonic()}"))
            return found is not None and found.seconds.keys() == {"encoding", "words", "meaning", "ranking"}

        eventually(there, "a process answers")
        client.get("/api/search?q=tunnel+drops")
        told = figures(client)
        assert asked == [True]
        assert told['kb_lane_seconds_count{index="articles",lane="meaning"}'] == 1
        assert told["kb_workers_alive"] == 1


def test_what_is_turned_away_is_counted_by_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = opened(tmp_path, rate_refused="2/minute", rate_key="3/minute")
    _, admin = base.keys.create("admin", by="test")
    _, busy = base.keys.create("agent", by="test")
    with client_of(base) as client:
        for _ in range(5):
            client.get("/api/search", headers={"X-API-Key": "kb_no_such_key"})
            client.get("/api/complete?q=v", headers={"X-API-Key": busy})
        monkeypatch.setattr("kb_service.api.search_threads._THREADS", SearchThreads(1, most_seconds=-1.0))
        assert client.get("/api/search?q=port", headers={"X-API-Key": admin}).status_code == 503
        told = figures(client, admin)
    shed = {name: value for name, value in told.items() if name.startswith("kb_shed_requests_total") and value}
    assert shed == {
        'kb_shed_requests_total{why="wrong_keys"}': 3,
        'kb_shed_requests_total{why="rate"}': 2,
        'kb_shed_requests_total{why="overload"}': 1,
    }
    assert told["kb_refused_credentials_total"] == 2


def test_connections_that_are_hung_up_on_are_counted(base: KnowledgeBase) -> None:
    app = create_app(base)
    limited = protocol(head_seconds=0.2, most_connections=1, hung_up=app.state.metrics.shed)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=limited, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    eventually(lambda: server.started)
    address = listening.getsockname()
    try:
        with closing(socket.create_connection(address)) as one, closing(socket.create_connection(address)) as more:
            for silent in (more, one):
                silent.settimeout(10)
                with suppress(ConnectionError):
                    assert silent.recv(1) == b""
        with closing(socket.create_connection(address)) as odd:
            odd.settimeout(10)
            odd.sendall(b"no request at all\r\n\r\n")
            assert b"400" in odd.recv(100)
    finally:
        server.should_exit = True
        thread.join()
    registry = app.state.metrics.registry
    counts = {
        why: registry.get_sample_value("kb_shed_requests_total", {"why": why})
        for why in ("slow", "connections", "malformed")
    }
    assert counts == {"slow": 1, "connections": 1, "malformed": 1}


def test_publishes_are_timed_also_one_before_the_service_was_there(tmp_path: Path) -> None:
    base = opened(tmp_path, poll_seconds=0)
    publisher = Publisher(base)
    (base.settings.content / "mail.md").write_text("# Mail\nIt bounces.\n")
    publisher.start()
    eventually(lambda: publisher.status.publishes == 1)
    with client_of(base, publisher) as client:
        (base.settings.content / "mail.md").write_text("# Mail\nIt is lost.\n")
        publisher.publish("hook")
        eventually(lambda: publisher.status.publishes == 2)
        told = figures(client)
    assert publisher.status.last is not None
    assert told["kb_publish_seconds_count"] == told["kb_publishes_total"] == 2
    assert told["kb_last_publish_seconds"] == publisher.status.last.seconds > 0
    assert (told["kb_generation"], told["kb_ready"], told["kb_articles"]) == (3, 1, 2)


def test_a_record_that_cannot_be_read_is_said_and_all_else_is_told(base: KnowledgeBase, client: TestClient) -> None:
    assert figures(client)["kb_desk_failing"] == 0
    with closing(sqlite3.connect(base.desk.path)) as desk:
        desk.execute("ALTER TABLE incidents RENAME TO gone")
    assert client.get("/api/incidents/INC1").status_code == 500
    told = figures(client)
    assert (told["kb_desk_failing"], told["kb_storage_errors_total"]) == (1, 1)
    assert "kb_incidents" not in told
    assert told["kb_articles"] == 1
    assert 0 < told["kb_disk_free_bytes"] < told["kb_disk_bytes"]


def test_when_the_record_was_last_copied_is_told(base: KnowledgeBase, client: TestClient, tmp_path: Path) -> None:
    assert figures(client)["kb_last_backup_timestamp_seconds"] == 0
    base.desk.backup(tmp_path / "copy.db")
    assert time.time() - 60 < figures(client)["kb_last_backup_timestamp_seconds"] <= time.time()


def test_each_app_counts_for_itself(tmp_path: Path) -> None:
    with client_of(opened(tmp_path / "a")) as one, client_of(opened(tmp_path / "b")) as other:
        one.get("/healthz")
        assert ("/healthz", "GET", "200") in requests_of(figures(one))
        assert ("/healthz", "GET", "200") not in requests_of(figures(other))


def test_every_figure_has_its_help_a_conventional_name_and_a_row_in_the_readme_s_table(client: TestClient) -> None:
    client.get("/api/search?q=tunnel")
    documented = readme.metrics()
    families = list(text_string_to_metric_families(client.get("/metrics").text))
    assert len(families) > 25
    for family in families:
        assert re.fullmatch(r"(kb|process)(_[a-z]+)+", family.name)
        assert family.documentation.endswith("."), family.name
        assert family.type in {"counter", "gauge", "histogram"}, family.name
        assert not family.name.endswith(("_ms", "_mb", "_milliseconds")), "base units"
        assert f"| `{family.name}{'_total' * (family.type == 'counter')}` | {family.type} |" in documented
