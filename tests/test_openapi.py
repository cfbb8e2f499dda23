"""The service answers as its own description says, whatever it is asked and whoever asks: schemathesis tries."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from kb_service.access import LOCAL, ROLES, Role
from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests.authors import Service
from tests.conftest import REPOSITORY
from tests.test_gate import bearer

pytestmark = pytest.mark.breaking

CALLERS: tuple[Role | None, ...] = (*ROLES, None)
SECRET = "s" * 32
LIMITS = {"KB_RATE_KEY": "none", "KB_RATE_ADDRESS": "none", "KB_RATE_REFUSED": "none"}
ARTICLES = {
    "runbooks/old-name.md": "---\ntitle: VPN drops\naudience: public\ntier: L1\nservices: [vpn]\nowner: Network\n---\n"
    "The MIR says when.\n\n## Symptoms\n\nThe client stops with 0x80070005.\n\n## Steps\n\n"
    "1. Restart the wombat client on `{{host}}`.\n2. Look at the log.\n",
    "faq/password.md": "---\ntitle: How do I reset my password?\ntype: faq\naudience: public\nseverity: 3\n---\n"
    "On the portal. A locked account is opened too.\n",
    "glossary.md": "---\ntitle: Glossary\ntype: glossary\naudience: public\n---\n## MIR (major incident response)\n\n"
    "What a flood of incidents begins.\n\n## SLA\n\nWhat was promised.\n",
    "pay.md": "---\ntitle: Payroll server\naudience: restricted\ngroups: [HR]\n---\nRestart the server.\n",
    "draft.md": "---\ntitle: Not yet\nworkflow_state: draft\n---\nSoon.\n",
    "gone.md": "---\ntitle: Fax machine\naudience: public\n---\nThere was one.\n",
}  # fmt: skip
RECORDS = (
    {"number": "INC0010023", "short_description": "VPN drops 0x80070005", "service": "vpn", "impact": 1, "urgency": 1,
     "site": {"floor": 3}},
    {"number": "INC0020119", "short_description": "VPN drops again", "service": "vpn", "parent_incident": "MI1"},
    {"number": "INC3", "short_description": "Account locked", "state": "resolved", "opened_at": "2026-01-01T10:00:00Z",
     "resolved_at": "2026-01-01T11:00:00Z", "close_notes": "Unlocked it.", "users_affected": 300},
    {"number": "MI1", "kind": "major_incident", "short_description": "VPN is down", "service": "vpn"},
    {"number": "PRB1", "kind": "problem", "short_description": "VPN drops", "known_error": True, "workaround": "Wait."},
)  # fmt: skip
Git = Callable[..., str]


@dataclass(frozen=True)
class Asked:
    """A service that runs, and a key for each role."""

    address: str
    keys: Mapping[Role, str]


def recorded(folder: Path, git: Git) -> Mapping[Role, str]:
    """Articles with a history, records, and what was said and done about them; gives a key for each role."""
    content = folder / "content"
    content.mkdir()
    git(content, "init", "-q", "-b", "main")

    def commit(subject: str, date: str) -> None:
        git(content, "add", "-A")
        git(content, "commit", "-qm", subject, date=date)

    for path, text in ARTICLES.items():
        (content / path).parent.mkdir(exist_ok=True)
        (content / path).write_text(text, "utf-8")
    commit("first", "2026-01-01T12:00:00Z")
    base = KnowledgeBase(Settings(content=content, content_ref="main", data=folder / "data", encoder="hashing"))
    base.update()
    git(content, "mv", "runbooks/old-name.md", "runbooks/account-lockout.md")
    git(content, "rm", "-q", "gone.md")
    commit("second", "2026-02-01T12:00:00Z")
    (content / "runbooks" / "account-lockout.md").write_text(
        ARTICLES["runbooks/old-name.md"].replace("wombat", "numbat"), "utf-8"
    )
    (content / "faq" / "broken.md").write_text("---\ntitle: [\n---\n", "utf-8")
    commit("third", "2026-03-01T12:00:00Z")
    base.update()
    for record in RECORDS:
        base.incidents.put(record)
    vpn = base.searcher.catalogue.get("runbooks/account-lockout")
    assert vpn is not None
    for number in ("INC0010023", "INC3", "PRB1"):
        base.attachments.add(number, vpn.id, vpn.revision, "resolved_by")
    run = base.runs.begin(vpn.id, vpn.title, vpn.revision, ["Restart", "Look"], "INC0010023", LOCAL)
    base.runs.tick(run, 1, done=True)
    base.runs.fill(run, {"host": "srv1"})
    base.feedback.add(vpn.id, vpn.revision, "flag", comment="wrong", number="INC0010023")
    base.incident_index.catch_up()
    keys: dict[Role, str] = {}
    for role in ROLES:
        made, keys[role] = base.keys.create(role, by="test")
        form = base.suggestion_sessions.keep(None, "vpn drops", [vpn.id], f"key:{made.id}")
        base.desk.connection.execute("UPDATE suggestions SET id = ? WHERE id = ?", (f"form-{role}", form))
        base.searches.keep("search", "vpn drops", [vpn.id], caller=f"key:{made.id}")
    return keys


@pytest.fixture
def asked(tmp_path: Path, git: Git) -> Iterator[Asked]:
    keys = recorded(tmp_path, git)
    service = Service(
        tmp_path / "data", KB_CONTENT=str(tmp_path / "content"), KB_CONTENT_REF="main", KB_HOOK_SECRET=SECRET,
        KB_HOOK_REPOSITORY="acme/kb", **LIMITS,
    )  # fmt: skip
    with service.running() as client:
        yield Asked(str(client.base_url).rstrip("/"), keys)
    assert "Traceback" not in service.log.read_text(), service.log.read_text()


def answered(asked: Asked, caller: Role | None, folder: Path, *options: str) -> set[str]:
    """Run schemathesis against the service as one caller; gives the endpoints that took what was sent.

    In a process of its own, since it changes hypothesis for all that is in one.
    """
    described, report = folder / "openapi.json", folder / "report.json"
    described.write_bytes(httpx2.get(f"{asked.address}/openapi.json", headers=bearer(asked.keys["admin"])).content)
    shown = ["--header", f"Authorization: Bearer {asked.keys[caller]}"] if caller else []
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(REPOSITORY / "tests" / "schemathesis.toml"),
            "--no-color", "run", str(described), "--url", asked.address, "--output-truncate=false",
            "--report-json-path", str(report), *shown, *options,
        ],
        env={**os.environ, "CALLER": caller or ""}, cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{caller}:\n{done.stdout}{done.stderr}"
    told = json.loads(report.read_text("utf-8"))
    print(f"{caller}: {told['test_cases']['generated']} cases in {told['running_time']:.0f} s, seed {told['seed']}")
    assert told["operations"]["tested"] == told["operations"]["total"] == len(every_endpoint(described))
    return {name for name, rates in told["valid_rates"].items() if any(one["accepted"] for one in rates.values())}


def every_endpoint(described: Path) -> set[str]:
    paths = json.loads(described.read_text("utf-8"))["paths"]
    return {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}


def test_every_caller_is_answered_as_described(asked: Asked, tmp_path: Path) -> None:
    """Fifty cases an endpoint among them all."""
    reached = set[str]()
    for seed, caller in enumerate(CALLERS):
        options = ("--max-examples=10", f"--seed={seed}", "--phases=examples,fuzzing")
        reached |= answered(asked, caller, tmp_path, *options)
    assert reached == every_endpoint(tmp_path / "openapi.json"), "what is refused each time is not tried"


@pytest.mark.long
@pytest.mark.parametrize("caller", CALLERS)
def test_every_caller_is_answered_as_described_in_many_cases(asked: Asked, tmp_path: Path, caller: Role | None) -> None:
    """Two thousand cases an endpoint among them all, others each time, and each bound of each value."""
    answered(asked, caller, tmp_path, "--max-examples=400", "--phases=examples,coverage,fuzzing")
