"""A real Prometheus reads the figures, and its own tool tries the alerts: what makes each one fire, and when."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.authors import Service
from tests.beside.prometheus import RULES, prometheus
from tests.conftest import eventually
from tests.programs import program
from tests.test_alerts import RULES as ALERTS
from tests.written import article


@dataclass(frozen=True, slots=True)
class Case:
    """Figures by the minute, as promtool writes them; until when all is quiet, and what is said a minute later."""

    figures: dict[str, str]
    quiet: int
    summary: str
    labels: dict[str, str]


_TARGET = {"instance": "kb:8000", "job": "kb"}
_INSTANCE = {"instance": "kb:8000"}
_SLOW = {
    f'kb_request_seconds_bucket{{route="/api/search",le="{le}"}}': f"0+{count}x60"
    for le, count in (("0.5", 80), ("1.0", 90), ("2.5", 100), ("+Inf", 100))
}
CASES = {
    "KbServiceDown": Case({"up": "1x4 0x60"}, 6, "kb:8000 does not answer /metrics", _TARGET),
    "KbNotReady": Case({"kb_ready": "0x60"}, 9, "kb:8000 has nothing published to answer from", _TARGET),
    "KbPublishFailing": Case(
        {"kb_publish_failing": "0x4 1x60"}, 14,
        "kb:8000 has not followed the content for 10 minutes; what was live stays live", _TARGET,
    ),
    "KbFilesRefused": Case({"kb_refused_files": "3x90"}, 59, "3 content files are refused on kb:8000", _TARGET),
    "KbVectorsBehind": Case(
        {"kb_passages_without_vector": "100-10x9 10x120"}, 48,
        "10 passages on kb:8000 wait for their vector, and get no fewer", _TARGET,
    ),
    "KbRecordsBehind": Case(
        {"kb_incidents_failing": "0x90", "kb_incidents_behind": "0x9 1x90"}, 29,
        "New records are not found on kb:8000", _TARGET,
    ),
    "KbAnswersSlow": Case(_SLOW, 10, "One search in twenty on kb:8000 takes over a second", _INSTANCE),
    "KbWorkersMissing": Case(
        {"kb_workers": "2x60", "kb_workers_alive": "2x4 1x60"}, 9,
        "Only 1 processes search beside the service on kb:8000", _TARGET,
    ),
    "KbRequestsShed": Case(
        {'kb_shed_requests_total{why="overload"}': "0+60x60"}, 7, "kb:8000 turns away 1 requests a second", _INSTANCE
    ),
    "KbServerErrors": Case(
        {
            'kb_requests_total{status="200"}': "0+80x60",
            'kb_requests_total{status="500"}': "0+20x60",
            'kb_requests_total{status="503"}': "0+100x60",
        },
        5, "10% of requests fail on kb:8000", _INSTANCE,
    ),
    "KbDeskFailing": Case(
        {"kb_desk_failing": "0x60", "kb_storage_errors_total": "0x9 1x60"}, 9,
        "Files of the data folder cannot be read or written on kb:8000", _TARGET,
    ),
    "KbBackupTooOld": Case(
        {"kb_last_backup_timestamp_seconds": "0x3100"}, 49 * 60,
        "The record of kb:8000 was last backed up 2d 1h 1m 0s ago", _TARGET,
    ),
    "KbDiskNearlyFull": Case(
        {"kb_disk_free_bytes": "50x4 9x60", "kb_disk_bytes": "100x60"}, 14,
        "9% of the data folder's disk is free on kb:8000", _TARGET,
    ),
    "KbWrongKeys": Case(
        {"kb_refused_credentials_total": "0x9 90x60", 'kb_shed_requests_total{why="wrong_keys"}': "0x9 90x60"}, 9,
        "180 wrong keys in 10 minutes on kb:8000", _INSTANCE,
    ),
}  # fmt: skip


def try_rules(
    folder: Path, figures: Mapping[str, str], expected: Sequence[Mapping[str, Any]]
) -> subprocess.CompletedProcess[str]:
    """What promtool says of the alerts that these figures should give at these times."""
    tried = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": [{"series": _of_target(name), "values": values} for name, values in figures.items()],
            "alert_rule_test": expected,
        }],
    }  # fmt: skip
    # JSON is YAML
    file = folder / "tried.yml"
    file.write_text(json.dumps(tried), "utf-8")
    command = [program("promtool"), "test", "rules", str(file)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _of_target(figure: str) -> str:
    """With the labels that Prometheus adds."""
    name, _, own = figure.partition("{")
    labels = ",".join(f'{label}="{value}"' for label, value in _TARGET.items())
    return f"{name}{{{labels}{',' if own else ''}{own or '}'}"


def test_every_alert_is_tried() -> None:
    assert CASES.keys() == ALERTS.keys()


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_for_what_it_is_about_and_not_before_its_time(tmp_path: Path, name: str) -> None:
    case, rule = CASES[name], ALERTS[name]
    fires = {
        "exp_labels": {**case.labels, **rule["labels"]},
        "exp_annotations": {**rule["annotations"], "summary": case.summary},
    }
    expected: list[dict[str, Any]] = [
        {"eval_time": f"{case.quiet}m", "alertname": name, "exp_alerts": []},
        {"eval_time": f"{case.quiet + 1}m", "alertname": name, "exp_alerts": [fires]},
    ]
    done = try_rules(tmp_path, case.figures, expected)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def service(tmp_path: Path) -> Service:
    content = tmp_path / "content"
    content.mkdir()
    (content / "vpn.md").write_text(article("VPN drops", "Restart the wombat."), "utf-8")
    return Service(tmp_path / "data", KB_CONTENT=str(content), KB_POLL_SECONDS="0.2")


@pytest.fixture
def key(service: Service) -> str:
    return service.kb("keys", "create", "--role", "admin").splitlines()[-1]


@pytest.fixture
def running(service: Service, key: str) -> Iterator[httpx2.Client]:
    with service.running() as client:
        client.headers["X-API-Key"] = key
        yield client


def test_a_service_that_is_well_makes_none_fire(tmp_path: Path, running: httpx2.Client) -> None:
    running.get("/api/search", params={"q": "wombat"}).raise_for_status()
    text = running.get("/metrics").raise_for_status().text
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    figures = {name: f"{value}x200" for name, _, value in lines} | {"up": "1x200"}
    quiet = [{"eval_time": f"{at}m", "alertname": name} for name in CASES for at in (30, 180)]
    done = try_rules(tmp_path, figures, quiet)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_figures_are_named_and_told_as_prometheus_asks(running: httpx2.Client) -> None:
    running.get("/api/search", params={"q": "wombat"}).raise_for_status()
    said = running.get("/metrics").raise_for_status().text
    done = subprocess.run(
        [program("promtool"), "check", "metrics"], input=said, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_it_is_watched_as_the_readme_says(tmp_path: Path, service: Service, key: str, running: httpx2.Client) -> None:
    with prometheus(tmp_path / "prometheus", running.base_url.port or 0, key) as watching:
        eventually(lambda: watching.target()["health"] == "up", "it is scraped")
        eventually(lambda: all(rule["health"] == "ok" for rule in watching.rules().values()), "the rules are evaluated")
        assert watching.rules().keys() == CASES.keys()
        assert watching.rules()["KbFilesRefused"]["state"] == "inactive"
        (tmp_path / "content" / "broken.md").write_text("---\ntitle: a: b\n---\n", "utf-8")
        eventually(lambda: watching.rules()["KbFilesRefused"]["state"] == "pending", "a refused file is seen")
        service.kb("keys", "revoke", key.split("_")[1])
        eventually(lambda: watching.target()["health"] == "down", "the key is none any more")
        assert "401" in watching.target()["lastError"]
        eventually(lambda: watching.rules()["KbServiceDown"]["state"] == "pending", "that it is not scraped is seen")
