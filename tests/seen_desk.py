"""A generated knowledge base and desk, who may see what of it, and one who asks a service over it."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import strategies as st

from kb_service.access import LOCAL
from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests.client import client_of

WORDS = st.sampled_from(
    "vpn password account locked printer port restart server sla mttr 0x80070005 KB00023583 mail queue".split()
)
SENTENCE = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
NAMES = ("net", "HR")
SERVICES = ("mail", "printing")
ROLES = ("requester", "agent", "agent of net", "agent for mail", "author")
PICTURE = b"\x89PNG\r\n\x1a\n"
# What says when, how long it took, or which of many requests it was
_PASSING = {
    "took_ms",
    "at",
    "suggestion_id",
    "search_id",
    "age_minutes",
    "updated_at",
    "generation",
    "since",
    "created",
    "created_at",
    "last_used_at",
    "updated",
}

_PASSING_TEXT = re.compile(
    r"\d+(\.\d+)? ms|\d{4}-\d{2}-\d{2}[ T][\d:.]+|(?<= to )\d{2}:\d{2}(?= UTC)"
    r'|name="token" value="[^"]*"|data-(?:token|search)="[^"]*"'
)


@dataclass(frozen=True)
class Article:
    """An article of a generated knowledge base; ``audience`` may name a group behind a colon."""

    audience: str
    kind: str
    state: str
    title: str
    body: str
    service: str | None

    def text(self, place: int) -> str:
        """Its file: it names its neighbours, whether these are there or not, and shows a picture of its own."""
        audience, _, group = self.audience.partition(":")
        others = [f"x/{(place + step) % 8}" for step in (1, 2)]
        lines = [f"title: {self.title}", f"audience: {audience}", f"workflow_state: {self.state}", f"type: {self.kind}"]
        lines += [f"related: [{', '.join(others)}]"]
        lines += [f"groups: [{group}]"] if group else []
        lines += [f"services: [{self.service}]"] if self.service else []
        first, _, rest = self.body.partition(" ")
        heading = f"{first.upper()} ({rest})" if rest and self.kind == "glossary" else first
        links = "\n".join(f"[more](../{other}.md)" for other in others)
        return "---\n" + "\n".join(lines) + f"\n---\n## {heading}\n\n{self.body}\n{links}\n![it]({place}.png)\n"

    def seen_by(self, role: str) -> bool:
        """Told a second time and differently than the service does, so that both must be right."""
        if role == "requester":
            return self.audience == "public" and self.state == "published"
        if role == "agent for mail" and self.service not in {None, "mail"}:
            return False
        return self.audience in {"public", "internal"} or (role.endswith("net") and self.audience == "restricted:net")


ARTICLE = st.builds(
    Article,
    audience=st.sampled_from(["public", "public", "internal", "restricted:net", "restricted:HR", "restricted"]),
    kind=st.sampled_from(["faq", "runbook", "glossary"]),
    state=st.sampled_from(["published", "published", "published", "draft", "retired"]),
    title=SENTENCE,
    body=SENTENCE,
    service=st.sampled_from([None, *SERVICES]),
)


@dataclass(frozen=True)
class Record:
    """An incident, the articles attached to it by their places, and what was said of these."""

    text: str
    service: str | None
    state: str
    articles: tuple[int, ...]

    def seen_by(self, role: str) -> bool:
        return role != "requester" and (role != "agent for mail" or self.service in {None, "mail"})


RECORD = st.builds(
    Record,
    text=SENTENCE,
    service=st.sampled_from([None, *SERVICES]),
    state=st.sampled_from(["new", "resolved"]),
    articles=st.lists(st.integers(0, 7), max_size=3, unique=True).map(tuple),
)


@dataclass
class Asker:
    """A service and the key of the one who asks it."""

    client: TestClient
    key: str

    @property
    def app(self) -> FastAPI:
        assert isinstance(self.client.app, FastAPI)
        return self.client.app

    def ask(self, method: str, path: str, body: Any = None, params: Mapping[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Origin": str(self.client.base_url)}
        sent = {"data": body} if isinstance(body, Fields) else {"json": body}
        answer = self.client.request(method, path, **sent, params=params, headers=headers, follow_redirects=False)
        assert answer.status_code < 500, answer.text
        # Each service has a key of its own
        text = re.sub(r"\b[0-9a-f]{32}\b", "ID", answer.text.replace(self.key.split("_")[1], "KEY"))
        if text and "json" in answer.headers.get("content-type", ""):
            told = _without_passing(json.loads(text))
        else:
            told = _PASSING_TEXT.sub("", text)
        return answer.status_code, told, re.sub(r"\b[0-9a-f]{32}\b", "ID", answer.headers.get("location", ""))


class Fields(dict[str, str]):
    """What a form of a page sends."""


def _without_passing(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _without_passing(value) for name, value in body.items() if name not in _PASSING}
    return [_without_passing(one) for one in body] if isinstance(body, list) else body


@contextmanager
def service(folder: Path, role: str, articles: Mapping[int, Article], records: Mapping[int, Record]) -> Iterator[Asker]:
    """A service over some of the articles and records, each under its own place; attachments and votes are of those."""
    content = folder / "content"
    (content / "x").mkdir(parents=True)
    for place, article in articles.items():
        (content / "x" / f"{place}.md").write_text(article.text(place), "utf-8")
        (content / "x" / f"{place}.png").write_bytes(PICTURE)
    base = KnowledgeBase(Settings(content=content, data=folder / "data", encoder="hashing"))
    base.update()
    catalogue = base.searcher.catalogue
    for number, record in records.items():
        values = {"number": f"INC{number}", "short_description": record.text, "service": record.service}
        closed = {"state": record.state, "close_notes": record.text, "resolved_at": "2026-01-01T12:00:00Z"}
        base.incidents.put(
            {**values, "opened_at": "2026-01-01T10:00:00Z", **(closed if record.state == "resolved" else {})}
        )
        for place in record.articles:
            if knowledge := catalogue.get(f"x/{place}"):
                base.attachments.add(f"INC{number}", knowledge.id, knowledge.revision, "resolved_by")
                base.feedback.add(knowledge.id, knowledge.revision, "flag", comment="wrong", number=f"INC{number}")
                run = base.runs.begin(knowledge.id, knowledge.title, knowledge.revision, ["so"], f"INC{number}", LOCAL)
                base.desk.connection.execute("UPDATE runs SET id = ? WHERE id = ?", (f"run{number}-{place}", run))
    base.incident_index.catch_up()
    name, _, whose = role.partition(" of ") if " of " in role else role.partition(" for ")
    more = {"groups" if " of " in role else "services": [whose]} if whose else {}
    _, key = base.keys.create(name, **more, by="test")  # type: ignore[arg-type]
    asker = Asker(client_of(base), key)
    yield asker
    # The framework remembers the handlers of every application that was made, and so the files that these hold open
    vars(asker.app).clear()
