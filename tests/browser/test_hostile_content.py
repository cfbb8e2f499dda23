"""What is hostile does nothing, wherever it stands: no script runs, nothing is asked of another site.

The payloads stand in articles, front matter, file names, history, the glossary, records, feedback, runs and searches of
a real service; each kind of page is opened in a real Chromium and looked through for what no template of ours has.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from urllib.parse import quote, urlencode

import httpx2
import pytest
from playwright.sync_api import Browser, Dialog, expect

from indexer.frontmatter import KnowledgeType
from tests.authors import Service
from tests.browser.watch import NOWHERE, Watch, watching
from tests.browsers import COOKIE
from tests.hostile_desk import Group, HostileDesk, grouped
from tests.payloads import let_through, payloads

pytestmark = pytest.mark.breaking

Watching = Callable[[], AbstractContextManager[Watch]]


@dataclass(frozen=True)
class Running:
    """A service over a hostile desk; ``session`` is of somebody who is called so too."""

    address: str
    desk: HostileDesk
    runs: Sequence[str]
    session: str


def git(folder: Path, *arguments: str) -> str:
    who = {"GIT_COMMITTER_NAME": "c", "GIT_COMMITTER_EMAIL": "c@example.com", "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, env={**os.environ, **who}, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module", params=[4, pytest.param(1, marks=pytest.mark.long)], ids="every {}".format)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Every fourth payload stands on the desk, in a long run each; what is asked are all."""
    folder = tmp_path_factory.mktemp("hostile")
    desk = HostileDesk(folder / "content", payloads()[:: request.param], git)
    desk.write()
    service = Service(
        folder / "data", KB_CONTENT=str(desk.content), KB_CONTENT_REF="main", KB_SUGGEST="0.0001", KB_RATE_KEY="none",
        KB_RATE_ADDRESS="none", KB_EDIT_URL="https://git.example.com/edit/{path}",
    )  # fmt: skip
    name = desk.groups[0].line[:100]
    key = json.loads(service.kb("keys", "create", "--json", "--role", "admin", "--name", name))["key"]
    with service.running() as client:
        address = str(client.base_url).rstrip("/")
        session = signed_in(client, key)
        client.headers.update({"X-API-Key": key, "Origin": address})
        yield Running(address, desk, desk.tell(client), session)


def signed_in(client: httpx2.Client, key: str) -> str:
    token = re.findall(r'name="token" value="([^"]*)"', client.get("/login").text)[0]
    assert client.post("/login", data={"key": key, "token": token, "then": "/"}).status_code == 303
    session = client.cookies[COOKIE]
    client.cookies.clear()
    return session


@pytest.fixture
def watched(running: Running, browser: Browser) -> Watching:
    """Watches a page of somebody who is signed in."""

    @contextmanager
    def new() -> Iterator[Watch]:
        context = browser.new_context(proxy=NOWHERE)
        context.set_default_timeout(30_000)
        context.add_cookies([{"name": COOKIE, "value": running.session, "url": running.address}])
        with watching(context, running.address) as watch:
            yield watch
        context.close()

    return new


# Each in a frame of its own, where everything is touched and clicked once it is there
LET_THROUGH = """async (texts) => {
  const frames = texts.map((text) => Object.assign(document.createElement('iframe'), {srcdoc: text}));
  const there = frames.map((frame) => new Promise((done) => { frame.onload = done; setTimeout(done, 3000); }));
  document.body.append(...frames);
  await Promise.all(there);
  for (const frame of frames) {
    const inside = [...(frame.contentDocument?.querySelectorAll('*') ?? [])];
    for (const one of inside)
      for (const event of ['mouseover', 'mouseenter', 'mousemove', 'focus', 'pointerover', 'input'])
        one.dispatchEvent(new Event(event));
    for (const one of inside) {
      if (!one.matches('a, area, button, [onclick], [type=submit]')) continue;
      one.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
      await new Promise((done) => setTimeout(done));
    }
  }
  await new Promise((done) => setTimeout(done, 200));
}"""


@pytest.mark.long
def test_the_payloads_do_something_where_they_may(browser: Browser) -> None:
    """A page that lets them through is not hard to harm: else the tests below would show nothing."""
    context = browser.new_context(proxy=NOWHERE)
    did: set[int] = set()
    context.expose_binding("hit", lambda _source, number=0: did.add(int(number)))

    def seen(said: str) -> None:
        did.update(int(one) for one in re.findall(r"(?:evil.example|198\.51\.100\.7|^)/?x?(\d+)\b", said))

    def told(dialog: Dialog) -> None:
        seen(dialog.message)
        dialog.dismiss()

    context.on("request", lambda request: seen(request.url))
    context.on("dialog", told)
    context.route("http://page.example/", lambda route: route.fulfill(body="<body>", content_type="text/html"))
    for some in grouped(payloads(), 2_500):
        page = context.new_page()
        page.goto("http://page.example/")
        page.evaluate(LET_THROUGH, [let_through(one) for one in some.of])
        page.close()
    context.close()
    quiet = [one for one in payloads() if one.number not in did]
    print(f"{len(did)} of {len(payloads())} payloads do something; not:")
    print("\n".join(f"{one.number} {one.text!r}" for one in quiet))
    assert len(payloads()) >= 300
    assert len(did) >= 400


def test_articles(running: Running, watched: Watching) -> None:
    """In every place of Markdown and of the front matter, explanations of terms, words of a film."""
    with watched() as watch:
        for group in running.desk.groups:
            watch.visit(f"/a/articles/{group.name}")
        expect(watch.page.locator("h1")).to_have_text(running.desk.groups[-1].line)


def test_lists(running: Running, watched: Watching) -> None:
    """Of what was found, narrowed by, is due, was refused, flagged, asked for; of terms and of records."""
    paths = ["/", "/glossary", "/publishing", "/help", "/incidents", "/incidents?state=closed"]
    paths += [f"/incidents?offset={at}" for at in range(0, len(running.desk.groups), 50)]
    paths += [f"/?q=wombat&limit=100&type={kind}" for kind in get_args(KnowledgeType)]
    with watched() as watch:
        for path in paths:
            watch.visit(path)


def test_the_past(running: Running, watched: Watching) -> None:
    """In who changed what, why, from which file, and in the lines themselves."""
    with watched() as watch:
        for group in running.desk.past:
            for kind in ("history", "diff"):
                watch.visit(f"/{kind}/past/now%20{group.name}")
            expect(watch.page.locator(".diff .added").first).to_be_visible()
        commit = git(running.desk.content, "rev-parse", "HEAD~1").strip()
        watch.visit(f"/a/past/{running.desk.past[-1].name}?at={commit}")


def test_runs_templates_and_files_of_such_names(running: Running, watched: Watching) -> None:
    with watched() as watch:
        for group, run in zip(running.desk.groups, running.runs, strict=True):
            watch.visit(run)
            watch.visit(f"/a/templates/{group.name}")
            with watch.looking(f"filling in the template {group.name}") as page:
                for field, one in zip(page.locator("#fill input[name^=field]").all()[1:], group.of, strict=False):
                    field.fill(one.text)
        for path in running.desk.named[::4]:
            watch.visit(f"/a/{quote(path)}")


def test_records(running: Running, watched: Watching) -> None:
    """With what is like them, floods, problems, work notes and articles that resolved them."""
    with watched() as watch:
        for group in running.desk.groups:
            watch.visit(f"/incidents/X{group.number}")


def asked(group: Group) -> Iterator[str]:
    """Addresses that hold the texts."""
    text, short = group.text, group.line[:200]
    # No line of several is a path, and what has one part has no slash
    path, part = quote(group.line, safe=""), quote(group.line.replace("/", " "), safe="")
    yield f"/?{urlencode({'q': text, 'service': text, 'tag': text})}"
    yield f"/triage?{urlencode({'text': text[:1500], 'service': short})}"
    yield f"/incidents?{urlencode({'q': text, 'state': short, 'service': short})}"
    yield f"/login?{urlencode({'then': text})}"
    yield f"/login?{urlencode({'then': f'/{group.line[:500]}'})}"
    yield f"/login/callback?{urlencode({'error': text[:500], 'error_description': text[:500], 'state': text[:500]})}"
    yield from (f"/{path}", f"/{quote(text)}", f"/a/{path}", f"/history/{path}", f"/incidents/{part}")
    yield f"/runs/{part}?{urlencode({text: text})}"
    yield f"/diff/articles/000?{urlencode({'from': text[:64], 'to': text[:64]})}"
    yield f"/a/articles/000?{urlencode({'at': text[:64], 'thanks': text})}"
    yield f"/?{urlencode({'q': 'x', 'type': text, 'limit': text})}"


@pytest.mark.parametrize("letters", [5_000, pytest.param(500, marks=pytest.mark.long)])
def test_what_an_address_says(watched: Watching, letters: int) -> None:
    """Searches, tickets, where a sign-in leads, and what there is none of."""
    with watched() as watch:
        for group in grouped(payloads(), letters):
            for path in asked(group):
                watch.visit(path)


def test_what_is_typed(running: Running, watched: Watching) -> None:
    """Hits as one types or pastes, and a ticket that is pasted."""
    with watched() as watch:
        for group in grouped(payloads(), 1_000):
            with watch.looking(f"typing {group.of[0].number} to {group.of[-1].number}") as page:
                page.goto(running.address)
                page.locator("#search input").fill(f"wombat {group.text}")
                expect(page).to_have_url(re.compile(r"\?q=wombat"))
        for group in grouped(payloads(), 5_000):
            said = f"{group.of[0].number} to {group.of[-1].number}"
            with watch.looking(f"searching for {said}") as page:
                page.goto(running.address)
                page.locator("#search input").fill(f"wombat {group.text}")
                # What is left for the last one may be short
                expect(page).to_have_url(re.compile(r"#q=|\?q=wombat"))
                page.reload()
                expect(page.locator("#results .hits > li").first).to_be_visible()
            with watch.looking(f"pasting {said}") as page:
                page.goto(f"{running.address}/triage")
                page.locator("textarea").fill(group.text)
                page.get_by_role("button", name="Triage").click()
                expect(page.locator(".outcome")).to_be_visible()


def test_a_ticket_form(running: Running, watched: Watching) -> None:
    """What is suggested, and the articles that open over the form."""
    with watched() as watch:
        for group in running.desk.groups[::8]:
            with watch.looking(f"suggested for {group.name}") as page:
                page.goto(f"{running.address}/demo/ticket")
                page.locator("#short_description").fill(f"w{group.name} {group.line}"[:200])
                page.locator("#description").fill(group.text)
                page.locator("kb-suggest a").first.click()
                expect(page.get_by_role("dialog").get_by_role("button", name="This solved it")).to_be_visible()
