"""A desk of which every text is hostile: articles, glossary, runbooks, templates, files, history, records, feedback."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from tests.authors import Git
from tests.payloads import Payload

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000a49444154789c63000100000500010d0a2db40000000049454e44ae426082"
)
# Every place of Markdown that a text can stand in
PLACES = """{text}

> ### {line}

[{line}]({line}) [a]({line} "{line}") [b](<{line}> '{line}') [c](http://docs.example.com/ "{line}") <{line}>
![{line}](x.png) ![d]({line}) ![e](<{line}> "{line}") ![f](<{line}.png>) [g][r{n}] ![h][r{n}] `{line}`

[r{n}]: <{line}> "{line}"

- [ ] {line}

> {text}

| {line} | b |
|---|---|
| {line} | [i]({line}) |

term {line}
: {line}

!!! note "{line}"
    {line}

::: note {line}
{line}
:::

```{line}
{text}
```

```html
{text}
```

    {line}

<!-- {line} -->

"""


@dataclass(frozen=True, slots=True)
class Group:
    """Some payloads that stand in one text of each kind. ``line`` has all of them, with nothing that no line takes."""

    number: int
    of: tuple[Payload, ...]

    @property
    def line(self) -> str:
        return seen(" ".join(one.line for one in self.of))

    @property
    def text(self) -> str:
        return "\n".join(one.text for one in self.of)

    @property
    def name(self) -> str:
        return f"{self.number:03}"


def grouped(payloads: Iterable[Payload], most: int) -> list[Group]:
    """As many in each group as have room in a line of so many letters; at least one."""
    groups: list[list[Payload]] = []
    room = 0
    for one in payloads:
        if not groups or len(one.line) >= room:
            groups.append([])
            room = most
        groups[-1].append(one)
        room -= len(one.line) + 1
    return [Group(at, tuple(of)) for at, of in enumerate(groups)]


def seen(text: str) -> str:
    """Without what no front matter and no record takes."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


class HostileDesk:
    """The files of its content, and what is told to a service that shows them."""

    def __init__(self, content: Path, payloads: Sequence[Payload], git: Git) -> None:
        self.content = content
        # A title has at most 300 letters, the name of a file 255 bytes
        self.groups = grouped(payloads, 290)
        self._names = grouped(payloads, 150)
        self.past = grouped(payloads, 2_000)
        self.named: list[str] = []
        self._git = git

    def write(self) -> None:
        """A repository in which a file of the past was changed and renamed by each of some commits."""
        for group in self.groups:
            self._put_articles(group)
        for group in self._names:
            self._put_named(group)
        for group in self.past:
            self._put(f"past/{group.name}.md", front(title="Before") + self._kept(group))
        self._git(self.content.parent, "init", "-q", "-b", "main", str(self.content))
        self._commit("first", "author")
        for group in self.past:
            (self.content / f"past/{group.name}.md").unlink()
            self._put(f"past/now {group.name}.md", f"{front(title=group.line[:300])}{self._kept(group)}{group.text}\n")
            self._commit(group.line, group.line)

    def tell(self, client: httpx2.Client) -> list[str]:
        """Records, flags, gaps, attachments and runs; gives the addresses of the runs."""
        rows = "\n".join(json.dumps(row) for row in self._records(datetime.now(UTC)))
        sent = client.post("/api/incidents", content=rows.encode(), headers={"Content-Type": "application/x-ndjson"})
        assert sent.raise_for_status().json()["refused"] == 0, sent.text
        for group in self.past:
            flag = {"article": "articles/000", "verdict": "flag", "comment": group.text}
            client.post("/api/feedback", json=flag).raise_for_status()
            client.post("/api/gaps", json={"text": group.text[:2_000]}).raise_for_status()
        return [self._run(client, group) for group in self.groups]

    def _run(self, client: httpx2.Client, group: Group) -> str:
        attached = {"article": f"articles/{group.name}", "resolved_by": True}
        client.post(f"/api/incidents/X{group.number}/articles", json=attached).raise_for_status()
        run = {"article": f"runbooks/{group.name}", "number": f"X{group.number}"}
        address = client.post("/runs", data=run).headers["location"]
        values = {f"field:field {place}": one.text for place, one in enumerate(group.of)}
        for fields in (values, {"step": "1", "done": "yes"}):
            assert client.post(address, data=fields).status_code == 303
        return address

    def _put(self, path: str, data: str | bytes) -> None:
        file = self.content / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data if isinstance(data, bytes) else data.replace("\0", "").encode("utf-8", "replace"))

    def _put_articles(self, group: Group) -> None:
        line, name, lines = group.line, group.name, [seen(one.line) for one in group.of]
        kind = ("faq", "howto", "known-error", "policy")[group.number % 4]
        matter = front(
            title=line, type=kind, audience="public", summary=f"{line} wombat", aliases=[*lines, f"w{name}"],
            tags=lines, services=lines, owner=line, reviewers=lines, review_by="2025-01-01",
            related=[f"articles/{group.number + 1:03}", *lines], odd=line, **{lines[0]: lines},
        )  # fmt: skip
        places = "".join(PLACES.format(n=one.number, line=one.line, text=one.text) for one in group.of)
        self._put(
            f"articles/{name}.md", f"{matter}Wombat says wombat{name}, {places}\n\n## {line}\n\n![{line}](x.mp4)\n"
        )
        self._put("articles/x.png", PNG)
        self._put("articles/x.mp4", b"no film")
        self._put("articles/x.vtt", "WEBVTT\n\n00:00.000 --> 00:02.000\n" + "\n".join(lines))
        term = f"## wombat{name}: {line[:100]}\n\n{group.text}\n\n## {line}\n\n{line}\n"
        self._put(f"glossary/{name}.md", front(title=line, aliases=lines, audience="public") + term)
        steps = "\n".join(f"1. {one}: `run {{{{field {place}}}}} {one}`" for place, one in enumerate(lines))
        self._put(f"runbooks/{name}.md", front(title=line) + f"## Steps\n\n{steps}\n")
        fields = "\n\n".join(f"[Field {one.translate({91: 40, 93: 41})[:74]}] {one}" for one in lines)
        self._put(f"templates/{name}.md", front(title=line) + f"Dear [Name]\n\n{fields}\n")
        self._put(f"broken/{name}.md", front(title="x", tier=group.text, valid_to=line))

    def _put_named(self, group: Group) -> None:
        """Files called so, as far as a file system has such names."""
        path = f"names/{group.number} {group.line}"
        with suppress(OSError, ValueError):
            self._put(f"{path}.png", PNG)
            shown = path.rpartition("/")[2]
            self._put(f"{path}.md", f"Wombat file\n\n![It](<{shown}.png>) [It](<{shown}.md>)\n")
            self.named.append(path)

    def _kept(self, group: Group) -> str:
        """By this much that stays, and stands in no other file, git knows one again that was renamed."""
        return "".join(f"Kept as it was in {group.name}, {number}.\n" for number in range(500)) + "\n"

    def _commit(self, message: str, author: str) -> None:
        """By an author of that name, as far as git takes one."""
        name = author.translate({ord("<"): None, ord(">"): None})[:500].strip()
        self._git(self.content, "add", "-A")
        self._git(self.content, "commit", "-q", "--author", f"{name} <a@example.com>", "-m", message)

    def _records(self, now: datetime) -> Iterator[dict[str, Any]]:
        """Half of them flood in; the fields of names have the beginning or the end, as they are shorter."""
        for group in self.groups:
            line, state = group.line, "closed" if group.number % 4 == 3 else "new"
            yield {
                "number": f"X{group.number}", "kind": "problem" if group.number % 5 == 4 else "incident",
                "state": state, "short_description": f"{line} wombat", "description": f"wombat {group.text}",
                "service": line[:200], "cmdb_ci": line[-200:], "category": line[:200], "assignment_group": line[-200:],
                "close_code": line[:200], "close_notes": group.text, "workaround": group.text, "u_odd": line,
                "u_more": {line: [line]}, "priority": "P1" if group.number % 2 else "P3",
                "parent_incident": "X0" if group.number else None,
                "opened_at": (now - timedelta(minutes=group.number % 2 * 600)).isoformat(),
            }  # fmt: skip


def front(**values: Any) -> str:
    """Front matter that says so."""
    return "---\n" + "".join(f"{_said(name)}: {_said(value)}\n" for name, value in values.items()) + "---\n"


def _said(value: Any) -> str:
    """JSON is YAML, but for letters that it writes as two."""
    return json.dumps(value, ensure_ascii=False)
