"""Out of file handles: the service neither dies nor turns on the spot, and answers again when there are some."""

import resource
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from tests.authors import StandaloneService
from tests.conftest import eventually
from tests.written import article

pytestmark = pytest.mark.breaking
HANDLES = 90
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({most}, {most}))
from kb_service.cli import main
sys.argv = ["kb", *sys.argv[1:]]
main()
"""


def busy(pid: int) -> float:
    """Seconds that the processor has worked for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_out_of_file_handles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = tmp_path / "content"
    articles.mkdir()
    (articles / "vpn.md").write_text(article("VPN drops", "Restart the wombat client."), "utf-8")
    service = StandaloneService(tmp_path / "data", KB_CONTENT=str(articles))
    monkeypatch.setattr("tests.authors.KB", [sys.executable, "-c", LIMITED.format(most=HANDLES)])
    acknowledged: list[str] = []
    with service.running() as client:
        process = service.process
        assert process is not None
        assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (HANDLES, HANDLES)
        client.put("/api/incidents/INC0", json={"short_description": "First"}).raise_for_status()
        address = client.base_url.host, client.base_url.port or 80
        with ExitStack() as held:
            for _ in range(2 * HANDLES):
                held.enter_context(socket.create_connection(address))

            def put(number: str) -> int:
                """On a connection of its own, which there is none for; 0 where nobody answered."""
                try:
                    answer = httpx2.put(
                        f"{client.base_url}/api/incidents/{number}", json={"short_description": "x"}, timeout=0.5
                    )
                except httpx2.TransportError:
                    return 0
                if answer.status_code == 201:
                    acknowledged.append(number)
                return answer.status_code

            eventually(lambda: len(list(Path(f"/proc/{process.pid}/fd").iterdir())) >= HANDLES - 2)
            before = busy(process.pid)
            statuses = [put(f"INC{number}") for number in range(1, 7)]
            assert set(statuses) <= {0, 201, 500, 503}
            assert busy(process.pid) - before < 1.5, "it waits, and does not turn on the spot"
            # Who is connected already is answered, or told that it cannot be
            for path in ("/healthz", "/api/search?q=wombat", "/api/incidents/INC0"):
                assert client.get(path).status_code in {200, 500, 503}
        eventually(lambda: put("AFTER") in {200, 201})
        assert process.poll() is None
        for number in ("INC0", *acknowledged):
            assert client.get(f"/api/incidents/{number}").status_code == 200
        assert client.get("/api/search", params={"q": "wombat"}).json()["hits"]
    assert process.returncode == 0
