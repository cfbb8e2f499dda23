"""Two desks, of which one has only what is of some services; the other has the rest as well."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from fastapi.testclient import TestClient

from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests.client import client_of

NOW = datetime.now(UTC).replace(microsecond=0)
STARTED = NOW.isoformat().replace("+00:00", "Z")
ABOUT = "mail queue stuck on the relay"
PASSING = frozenset(
    "took_ms at updated_at age_minutes generation search_id suggestion_id since created updated".split()
)
ARTICLES = {
    "both": ("Relay restart", ["mail", "network"], "Restart the relay when the mail queue is stuck."),
    "mail": ("Mail queue", ["Mail"], "Flush the queue of the relay. See [switches](net.md)."),
    "none": ("Whom to call", [], "On call: the desk lead. Mail or network."),
    "net": ("Relay switch", ["network"], "The relay sits behind the switchboard; mail queue stuck. 0x80070005"),
    "net/terms": ("Terms of the network", ["network"], "## MQ (mail queueing)\n\nHow the network stacks it."),
}
MINE, OTHERS = "mail", "network"


@dataclass(frozen=True)
class Side:
    """A desk, and a key of the service ``mail``."""

    base: KnowledgeBase
    client: TestClient
    key: str

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        answer: httpx2.Response = self.client.request(
            method, path, json=body, params=params, headers=headers, follow_redirects=False
        )
        assert answer.status_code < 500, answer.text
        return answer

    def told(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """The whole answer, but for dates and times."""
        answer = self.ask(method, path, body, **params)
        name = self.key.split("_")[1]
        if answer.text and "json" in answer.headers.get("content-type", ""):
            return answer.status_code, lasting(answer.json()), answer.headers.get("etag")
        text = re.sub(r"\d+(\.\d+)? ms|\d{4}-\d{2}-\d{2}[ T][\d:.]+|\d+ min", "", answer.text)
        return answer.status_code, text.replace(name, "KEY"), answer.headers.get("location")


class Near(float):
    """A figure in which what is newer counts for a little more, by the second."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and abs(self - other) < 1e-4

    __hash__ = float.__hash__


def lasting(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: lasting(value) for name, value in body.items() if name not in PASSING}
    if isinstance(body, list):
        return [lasting(one) for one in body]
    # What is opened by a write is so in the second of that write
    if isinstance(body, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body) and body >= STARTED:
        return "now"
    return Near(body) if isinstance(body, float) else body


def _records() -> list[dict[str, Any]]:
    """Floods, problems and links across services; numbers that begin with N are of the other service only."""
    mine = [
        {"number": f"M{n}", "service": "Mail", "users_affected": 10, "assignment_group": "Mail team",
         "opened_at": NOW - timedelta(minutes=5 + n)}
        for n in range(1, 5)
    ]  # fmt: skip
    others = [
        {"number": f"N{n}", "service": "network", "users_affected": 90, "assignment_group": "Network team",
         "opened_at": NOW - timedelta(minutes=5 + n), "priority": "P1"}
        for n in range(1, 9)
    ]  # fmt: skip
    past = [
        {"number": f"{letter}OLD{n}", "service": service, "state": "resolved", "close_notes": f"{notes} {n}",
         "opened_at": NOW - timedelta(days=12 * n), "resolved_at": NOW - timedelta(days=12 * n - 1)}
        for letter, service, notes in (("M", "mail", "Queue flushed"), ("N", "network", "Switch replaced"))
        for n in range(1, 4)
    ]  # fmt: skip
    above = [
        {"number": "NMAJ", "service": "network", "kind": "major_incident", "opened_at": NOW - timedelta(minutes=9)},
        {"number": "NPRB", "service": "network", "kind": "problem", "known_error": True, "workaround": "Wait."},
        {"number": "U1", "opened_at": NOW - timedelta(days=40)},
    ]
    by_number: dict[str, dict[str, Any]] = {
        str(one["number"]): {"short_description": ABOUT, "description": f"{ABOUT}, seen by all", **one}
        for one in (*above, *mine, *others, *past)
    }
    # M1 has a child of the other service, and that one has M3 and is below M1's own parent; M2 has its problem
    by_number["N1"]["parent_incident"] = "M1"
    by_number["M3"]["parent_incident"] = "N1"
    by_number["M4"]["parent_incident"] = "NMAJ"
    by_number["N2"]["parent_incident"] = "NMAJ"
    by_number["M2"]["problem_id"] = "NPRB"
    by_number["NOLD1"]["problem_id"] = "NPRB"
    by_number["N3"]["description"] = "switchboard 0x80070005 ORA-01017"
    return list(by_number.values())


def side(folder: Path, *, whole: bool) -> Side:
    content = folder / "content"
    for name, (title, services, body) in ARTICLES.items():
        if whole or services != [OTHERS]:
            file = content / f"{name}.md"
            file.parent.mkdir(parents=True, exist_ok=True)
            kind = "glossary" if name.endswith("terms") else "runbook"
            lines = [f"title: {title}", f"services: [{', '.join(services)}]", f"type: {kind}", "tier: L2", "owner: Ann",
                     "related: [net, mail]", f"audience: {'public' if name == 'both' else 'internal'}"]  # fmt: skip
            file.write_text("---\n" + "\n".join(lines) + f"\n---\n## Steps\n\n{body}\n", "utf-8")
    base = KnowledgeBase(Settings(content=content, data=folder / "data", encoder="hashing"))
    base.update()
    for record in _records():
        number = str(record["number"])
        if not whole and number.startswith("N"):
            continue
        base.incidents.put(record)
        for article in ("both", "net") if number.startswith("N") else ("mail", "both"):
            knowledge = base.searcher.catalogue.get(article)
            assert knowledge
            if "OLD" in number or number in {"M1", "N1"}:
                base.attachments.add(number, knowledge.id, knowledge.revision, "resolved_by")
            for verdict in ("not_helped", "flag") if number.startswith("N") else ("helped", "flag"):
                base.feedback.add(knowledge.id, knowledge.revision, verdict, comment=number, number=number)
    base.incident_index.catch_up()
    _, key = base.keys.create("agent", services=[MINE], by="test")
    return Side(base, client_of(base), key)
