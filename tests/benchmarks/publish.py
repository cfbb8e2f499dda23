"""``python -m tests.benchmarks.publish``: from a push until a search finds it, in a knowledge base of a thousand.

Real repositories, a real ``kb serve`` with the real model, searches over HTTP. KB_CACHE saves preparing the model.
"""

import hashlib
import hmac
import json
import os
import random
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx2
from rich.console import Console
from rich.table import Table

from kb_service import KnowledgeBase, Settings
from tests.authors import StandaloneService
from tests.benchmarks.made import ARTICLES, article, sentences

COMMITS, PUSHES = 5_000, 30
SECRET = "benchmark"  # noqa: S105 (of a service that lives for this run)
WAYS: dict[str, dict[str, str]] = {
    "by git's hook": {},
    "by a webhook": {"KB_HOOK_SECRET": SECRET, "KB_HOOK_REPOSITORY": "acme/kb", "KB_CONTENT_REF": "main"},
    "looking every second": {"KB_POLL_SECONDS": "1"},
}
_IDENTITY = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
             "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com"}  # fmt: skip


def git(folder: Path, *arguments: str, said: bytes | None = None) -> str:
    """Runs git in a folder."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**os.environ, **_IDENTITY}, input=said, check=True, capture_output=True,
    )  # fmt: skip
    return done.stdout.decode()


def history(articles: int, commits: int) -> Iterator[bytes]:
    """A repository for ``git fast-import``: all articles in the first commit, then one changed in each."""
    chance, lines = random.Random(1), sentences()  # noqa: S311 (the same articles in every run)
    texts = [article(number, chance, lines) for number in range(articles)]
    for commit in range(commits):
        chosen = range(articles) if commit == 0 else [commit % articles]
        when = 1_700_000_000 + commit * 3600
        yield f"commit refs/heads/main\ncommitter a <a@example.com> {when} +0000\ndata 6\nchange\n".encode()
        for number in chosen:
            texts[number] = f"{texts[number].rstrip()} {chance.choice(lines)}\n" if commit else texts[number]
            data = texts[number].encode()
            yield f"M 100644 inline articles/{number}.md\ndata {len(data)}\n".encode() + data + b"\n"


def made(folder: Path, commits: int) -> tuple[Path, Path]:
    """A bare repository of that many commits, and an author's clone."""
    bare, clone = folder / "bare.git", folder / "clone"
    git(folder, "init", "-q", "--bare", "-b", "main", str(bare))
    git(bare, "fast-import", "--quiet", said=b"".join(history(ARTICLES, commits)))
    git(folder, "clone", "-q", str(bare), str(clone))
    return bare, clone


def tell(client: httpx2.Client, commit: str) -> None:
    """What a git server says once it has a push."""
    body = json.dumps({"ref": "refs/heads/main", "after": commit, "repository": {"full_name": "acme/kb"}}).encode()
    signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={signed}"}
    client.post("/hooks/git", content=body, headers=headers).raise_for_status()


def pushed(client: httpx2.Client, clone: Path, number: int, *, by_webhook: bool) -> float:
    """Seconds from the start of a ``git push`` of one changed article until a search has its new word."""
    word = f"wombat{random.getrandbits(40):x}"
    file = clone / "articles" / f"{number}.md"
    file.write_text(f"{file.read_text('utf-8')}\n\nThe word is {word}.\n", "utf-8")
    git(clone, "commit", "-qam", f"change {number}")
    started = time.monotonic()
    pushing = subprocess.Popen(
        ["git", "-C", clone, "push", "-q"], stderr=subprocess.DEVNULL, env={**os.environ, **_IDENTITY}
    )
    if by_webhook:
        pushing.wait()
        tell(client, git(clone, "rev-parse", "HEAD").strip())
    wanted = f"articles/{number}"
    while wanted not in [hit["id"] for hit in client.get("/api/search", params={"q": word}).json()["hits"]]:
        time.sleep(0.005)
    took = time.monotonic() - started
    pushing.wait()
    return took


def first_index(settings: Settings) -> None:
    """Everything from nothing, the model opened too."""
    KnowledgeBase(settings).update()


def timed(do: Callable[[], object]) -> float:
    started = time.monotonic()
    do()
    return time.monotonic() - started


def main() -> None:
    """Measure, and print one table."""
    table = Table(title=f"From 'git push' to found, {ARTICLES} articles, {PUSHES} pushes each; seconds")
    for head in ("", "median", "p95", "most", "of it kb_last_publish_seconds, median"):
        table.add_column(head, justify="left" if not head else "right")
    rest: list[str] = []
    cache = os.environ.get("KB_CACHE") or "data/cache"
    with tempfile.TemporaryDirectory() as name:
        for commits in (1, COMMITS):
            folder = Path(name) / str(commits)
            folder.mkdir()
            bare, clone = made(folder, commits)
            settings = Settings(content=bare, data=folder / "data", cache=Path(cache), poll_seconds=0)
            first = timed(partial(first_index, settings))
            rest.append(f"{commits} commits: first index {first:.1f} s")
            for how, more in WAYS.items():
                common = {"KB_CONTENT": str(bare), "KB_ENCODER": "onnx", "KB_CACHE": cache}
                service = StandaloneService(folder / "data", **common, **more)
                if more:
                    (bare / "hooks" / "post-receive").unlink(missing_ok=True)
                else:
                    service.kb("hook", "install")
                with service.running() as client:
                    gauge = re.compile(r"^kb_last_publish_seconds (\S+)", re.M)
                    took, told = [], []
                    for number in range(PUSHES):
                        took.append(pushed(client, clone, number, by_webhook="KB_HOOK_SECRET" in more))
                        found = gauge.search(client.get("/metrics").text)
                        told.append(float(found[1]) if found else 0.0)
                    asked = timed(partial(client.get, "/api/history/articles/7"))
                rest.append(f"{commits} commits: GET /api/history of one article {asked:.2f} s")
                ordered = sorted(took)
                table.add_row(
                    f"{how}, {commits} commit{'s' * (commits > 1)}",
                    f"{statistics.median(took):.2f}",
                    f"{ordered[int(len(took) * 0.95)]:.2f}",
                    f"{ordered[-1]:.2f}",
                    f"{statistics.median(told):.2f}",
                )  # fmt: skip
    console = Console(width=110)
    console.print(table)
    for line in rest:
        console.print(line)


if __name__ == "__main__":
    main()
