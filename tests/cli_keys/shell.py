"""A service, and commands beside it."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx2
from typer.testing import CliRunner, Result

from kb_service.cli import app
from tests import forked
from tests.authors import Service

KEY = re.compile(r"kb_[a-z2-9]{8}_[\w-]{43}")


def content(folder: Path) -> Path:
    made = folder / "content"
    made.mkdir(exist_ok=True)
    (made / "vpn.md").write_text("---\ntitle: VPN drops\naudience: public\n---\nRestart the wombat client.\n")
    (made / "pay.md").write_text("---\ntitle: Payroll stops\n---\nRestart the wombat server.\n")
    return made


def service(folder: Path, **settings: str) -> Service:
    return Service(folder / "data", KB_CONTENT=str(content(folder)), **settings)


def kb(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own, whatever comes of it."""
    environment = {**os.environ, **service(folder, **settings).environment}
    return forked.kb(arguments, environment)


def here(folder: Path, *arguments: str, **settings: str) -> Result:
    """A command in this process, which is quicker: what is said in the end is its standard error's."""
    environment = {"KB_DATA": str(folder / "data"), "COLUMNS": "400", **settings}
    return CliRunner().invoke(app, arguments, env=environment)


def said_by(result: Result) -> str:
    assert result.exit_code != 0
    assert result.stdout == ""
    return f"{result.stderr} {result.exception}"


def made(running: Service, *options: str) -> dict[str, Any]:
    result = here(Path(running.environment["KB_DATA"]).parent, "keys", "create", "--json", *options)
    assert result.exit_code == 0, result.output
    body: dict[str, Any] = json.loads(result.stdout)
    return body


def audited(running: Service, *options: str) -> Any:
    return json.loads(here(Path(running.environment["KB_DATA"]).parent, "audit", "--json", *options).stdout)


def who(client: httpx2.Client, key: str) -> httpx2.Response:
    return client.get("/api/me", headers={"Authorization": f"Bearer {key}"})


Running = tuple[Service, httpx2.Client, dict[str, Any]]
