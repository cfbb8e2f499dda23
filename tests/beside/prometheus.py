"""A real Prometheus that watches a service, configured as the README says, with the rules of ``content/operations``."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.beside.nginx import free_port
from tests.conftest import CONTENT, REPOSITORY, WAIT_SECONDS, eventually
from tests.programs import program

RULES = CONTENT / "operations" / "alerts.yaml"
_AROUND = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
{scraped}
"""


def scraped() -> str:
    """The lines for Prometheus in the README."""
    found = re.search(r"```yaml\n(scrape_configs:.*?)```", (REPOSITORY / "README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@contextmanager
def prometheus(folder: Path, service: int, key: str) -> Iterator["Api"]:
    """Scraping a service at a port of this machine, with a key."""
    folder.mkdir()
    (folder / "kb.key").write_text(key, "utf-8")
    lines = scraped()
    for theirs, ours in (
        ("/etc/prometheus/kb.key", f"{folder}/kb.key"),
        ("kb.example.org:8000", f"127.0.0.1:{service}"),
    ):
        assert theirs in lines
        lines = lines.replace(theirs, ours)
    (folder / "prometheus.yml").write_text(_AROUND.format(rules=RULES, scraped=lines), "utf-8")
    port = free_port()
    command = [
        program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/series",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    log = folder / "log"
    with log.open("w") as said, subprocess.Popen(command, stderr=said, stdout=said) as process:
        api = Api(port)
        try:
            eventually(lambda: api.is_ready() or process.poll() is not None, "Prometheus answers")
            assert process.poll() is None, log.read_text("utf-8")
            yield api
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)


class Api:
    """What Prometheus tells of itself."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"

    def is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self._address}/-/ready", timeout=WAIT_SECONDS).status_code == 200
        except httpx2.TransportError:
            return False

    def target(self) -> dict[str, Any]:
        """The service, as it was scraped last; nothing of one that is not known yet."""
        return dict(next(iter(self._told("targets")["activeTargets"]), {"health": "unknown"}))

    def rules(self) -> dict[str, dict[str, Any]]:
        """Each alert's rule: whether it could be evaluated, and its state."""
        (group,) = self._told("rules")["groups"]
        return {rule["name"]: rule for rule in group["rules"]}

    def _told(self, what: str) -> dict[str, Any]:
        answer = httpx2.get(f"{self._address}/api/v1/{what}", timeout=WAIT_SECONDS).raise_for_status()
        return dict(answer.json()["data"])
