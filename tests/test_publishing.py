"""The content followed: by hook, remote, files and several processes at once, through whatever fails."""

import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer.source import Content
from kb_service import KnowledgeBase, Settings
from kb_service.content import open_content
from kb_service.publishing import Publisher
from kb_service.settings import Settings as Read
from kb_service.watching import Watch
from tests import forked
from tests.authors import Author, Git, Service, ann, bare, hits, publishing
from tests.conftest import WAIT_SECONDS, Desk, eventually
from tests.written import article

__all__ = ["ann", "bare"]


def test_two_authors_and_a_running_service(tmp_path: Path, bare: Path, ann: Author, git: Git) -> None:
    service = Service(tmp_path / "data", KB_CONTENT=str(bare))
    assert "post-receive" in service.kb("hook", "install")
    with service.running() as client:
        assert hits(client, "wombat") == ["runbooks/vpn"]
        ben = Author(tmp_path / "ben", bare, git)

        ben.write("faq/printer.md", article("Printer jams", "Open the quokka flap."))
        assert "kb: live, 2 articles" in ben.push("publish")
        assert hits(client, "quokka") == ["faq/printer"], "live as soon as the push returns"

        ann.git("pull", "-q", "--rebase", "origin", "main")
        ann.write("runbooks/vpn.md", article("VPN drops", "Restart the numbat client."))
        ann.push("edit")
        assert (hits(client, "wombat"), hits(client, "numbat")) == ([], ["runbooks/vpn"])

        ann.git("mv", "runbooks", "network")
        ann.push("rename")
        assert hits(client, "numbat") == ["network/vpn"]
        assert client.get("/api/articles/runbooks/vpn").json()["id"] == "network/vpn"
        assert client.get("/a/runbooks/vpn").headers["location"] == "/a/network/vpn"

        good = ann.head
        ann.write("network/vpn.md", "---\ntitle: a: b\n---\nbroken words")
        said = ann.push("break")
        assert "kb: refused network/vpn.md:2: broken YAML" in said, "told at once, at the line"
        assert (hits(client, "numbat"), hits(client, "broken")) == (["network/vpn"], []), "the last good one stays"
        (refusal,) = publishing(client)["refused"]
        assert (refusal["path"], refusal["line"]) == ("network/vpn.md", 2)
        assert client.get("/readyz").json()["refused"] == 1
        ben.git("pull", "-q", "--rebase", "origin", "main")
        ben.write("faq/printer.md", article("Printer jams", "Open the bilby flap."))
        ben.push("edit beside the broken one")
        assert (hits(client, "bilby"), hits(client, "numbat")) == (["faq/printer"], ["network/vpn"])

        ann.git("pull", "-q", "--rebase", "origin", "main")
        ann.write("network/vpn.md", article("VPN drops", "Restart the dingo client."))
        assert "refused" not in ann.push("mend")
        assert (hits(client, "dingo"), publishing(client)["refused"]) == (["network/vpn"], [])

        ann.git("revert", "--no-edit", "HEAD")
        assert "refused network/vpn.md:2" in ann.push("revert to the broken one")
        assert hits(client, "dingo") == ["network/vpn"]

        ann.git("reset", "-q", "--hard", good)
        ann.push("force", "--force")
        assert (hits(client, "numbat"), hits(client, "quokka"), hits(client, "bilby")) == (
            ["network/vpn"], ["faq/printer"], [],
        )  # fmt: skip

        ann.git("rm", "-rq", "network")
        ann.push("delete a folder")
        assert hits(client, "numbat") == []
        for old in ("network/vpn", "runbooks/vpn"):
            gone = client.get(f"/api/articles/{old}")
            assert (gone.status_code, gone.json()["path"], gone.json()["commit"]) == (410, "network/vpn.md", ann.head)
            last = client.get(gone.json()["url"]).json()
            assert ("numbat" in last["body"], last["live"], last["changed_since"]) == (True, False, None)
        page = client.get("/a/network/vpn")
        assert page.status_code == 410
        assert "was deleted" in page.text
        assert publishing(client)["revision"] == ann.head
        eventually(lambda: publishing(client)["in_step"])


def test_a_remote_is_cloned_polled_and_its_default_branch_followed(tmp_path: Path, bare: Path, ann: Author) -> None:
    service = Service(tmp_path / "data", KB_CONTENT_REMOTE=f"file://{bare}", KB_POLL_SECONDS="0.1")
    with service.running() as client:
        assert hits(client, "wombat") == ["runbooks/vpn"]
        ann.write("runbooks/vpn.md", article("VPN drops", "Restart the numbat client."))
        ann.push("edit")
        eventually(lambda: hits(client, "numbat") == ["runbooks/vpn"], "the poll")
        ann.git("checkout", "-qb", "trunk")
        ann.write("runbooks/vpn.md", article("VPN drops", "Restart the dingo client."))
        ann.git("commit", "-qam", "moved")
        ann.git("push", "-q", "origin", "trunk")
        subprocess.run(["git", "-C", bare, "symbolic-ref", "HEAD", "refs/heads/trunk"], check=True)
        eventually(lambda: hits(client, "dingo") == ["runbooks/vpn"], "the default branch moved")

        away = bare.rename(tmp_path / "away.git")
        eventually(lambda: publishing(client)["failure"] is not None, "the remote is down")
        assert hits(client, "dingo") == ["runbooks/vpn"], "it goes on answering"
        ready = client.get("/readyz")
        assert (ready.status_code, "git could not do it" in ready.json()["failure"]) == (200, True)
        assert "kb_publish_failing 1.0" in client.get("/metrics").text
        away.rename(bare)
        ann.write("runbooks/vpn.md", article("VPN drops", "Restart the bilby client."))
        ann.git("commit", "-qam", "while it was down")
        ann.git("push", "-q", "origin", "trunk")
        eventually(lambda: hits(client, "bilby") == ["runbooks/vpn"], "tried again by itself")
        # What is new is searched before its vectors are there; only then is the publish over
        eventually(lambda: publishing(client)["failure"] is None, "the publish is over")


def test_a_remote_that_is_not_there_is_said_and_ends_the_start(tmp_path: Path) -> None:
    service = Service(tmp_path / "data", KB_CONTENT_REMOTE=f"https://ann:s3cret@localhost:1/{tmp_path.name}.git")
    done = forked.kb(["index"], service.environment)
    assert done.returncode == 3
    assert "git could not do it (ls-remote)" in done.stderr
    assert "s3cret" not in done.stderr


def test_a_saved_file_is_shown_within_a_second(tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.mkdir()
    (content / "vpn.md").write_text(article("VPN drops", "Restart the wombat client."), "utf-8")
    service = Service(tmp_path / "data", KB_CONTENT=str(content))
    with service.running("--watch") as client:
        assert 'src="/static/preview.js"' in client.get("/a/vpn").text
        script = client.get("/static/preview.js").text
        assert "location.reload()" in script
        (asked,) = re.findall(r"fetch\(`\$\{ROOT\}(.+?)`", script)
        assert "generation" in client.get(asked, params={"audience": "public"}).raise_for_status().json()
        assert "connect-src 'self'" in client.get("/a/vpn").headers["content-security-policy"]
        for word in ("numbat", "dingo", "bilby"):
            started = time.monotonic()
            (content / "vpn.md").write_text(article("VPN drops", f"Restart the {word} client."), "utf-8")
            eventually(lambda word=word: hits(client, word) == ["vpn"], word)  # type: ignore[misc]
            assert time.monotonic() - started < 1
    with service.running() as client:
        page = client.get("/a/vpn")
        assert "preview.js" not in page.text


@pytest.fixture
def base(desk: Desk) -> KnowledgeBase:
    desk.write("a.md", article("VPN", "first words"))
    return KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing", poll_seconds=0))


@contextmanager
def following(base: KnowledgeBase) -> Iterator[Publisher]:
    publisher = Publisher(base)
    publisher.start()
    try:
        publisher.wait_until_live()
        yield publisher
    finally:
        publisher.stop()


def outcome(base: KnowledgeBase) -> list[str]:
    return base.settings.outcome_file.read_text("utf-8").splitlines()


def test_many_signs_during_a_publish_make_one_more(
    base: KnowledgeBase, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, go_on = [], threading.Event()

    def slow(settings: Settings) -> Content:
        looks.append(settings)
        go_on.wait(WAIT_SECONDS)
        return open_content(settings)

    monkeypatch.setattr("kb_service.publishing.open_content", slow)
    publisher = Publisher(base)
    publisher.start()
    try:
        eventually(lambda: len(looks) == 1)
        desk.write("a.md", article("VPN", "words wombat"))
        for _ in range(200):
            publisher.publish("webhook")
        go_on.set()
        eventually(lambda: len(looks) == 2 and not publisher.status.running)
        threading.Event().wait(0.3)
        assert len(looks) == 2
    finally:
        go_on.set()
        publisher.stop()


def test_an_author_is_told_as_soon_as_words_are_live(base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr("indexer.build.Encoding.encode_pending", lambda _: go_on.wait(WAIT_SECONDS) and None)
    publisher = Publisher(base)
    publisher.start()
    try:
        publisher.wait_until_live()
        assert publisher.status.running
        assert outcome(base)[1:] == ["kb: live, 1 articles"]
    finally:
        go_on.set()
        publisher.stop()


def test_a_look_at_what_is_live_already_is_no_publish(base: KnowledgeBase, desk: Desk) -> None:
    base.update()
    with following(base) as publisher:
        eventually(lambda: not publisher.status.running)
        assert (publisher.status.publishes, publisher.status.last) == (0, None)
        desk.write("a.md", article("VPN", "second words"))
        for _ in range(2):
            looked = publisher.status.looked_at
            publisher.publish("webhook")
            eventually(lambda looked=looked: publisher.status.looked_at != looked and not publisher.status.running)  # type: ignore[misc]
        assert publisher.status.last is not None
        assert (publisher.status.publishes, publisher.status.last.report.changed) == (1, 1)


def test_files_are_watched_as_the_machine_can(base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool | None] = []

    def failing(*_: object, force_polling: bool | None, **__: object) -> Iterator[None]:
        asked.append(force_polling)
        raise OSError("too many")

    monkeypatch.setattr("watchfiles.watch", failing)
    watch = Watch(base.settings, lambda _: None, files=False)
    watch.start()
    watch.stop()
    assert asked == [None, True], "first as watchfiles judges, then by looking"


def test_the_disk_is_full_and_has_room_again(tmp_path: Path, bare: Path, ann: Author) -> None:
    service = Service(tmp_path / "data", KB_CONTENT=str(bare))
    service.kb("hook", "install")
    with service.running() as client:
        assert service.process is not None
        # No file may grow: what a full disk does, without one
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        ann.write("mail.md", article("Mail", *(f"second {'words ' * 200}{number}" for number in range(50))))
        ann.push("large")
        eventually(lambda: publishing(client)["failure"] is not None)
        assert hits(client, "wombat") == ["runbooks/vpn"], "it goes on answering"
        assert client.get("/readyz").json()["failure"]
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, unlimited)
        eventually(lambda: publishing(client)["failure"] is None, "tried again by itself")
        assert hits(client, "second") == ["mail"]


def test_git_is_missing_and_back(tmp_path: Path, bare: Path, ann: Author, monkeypatch: pytest.MonkeyPatch) -> None:
    base = KnowledgeBase(Settings(content=bare, data=tmp_path / "data", encoder="hashing", poll_seconds=0))
    with following(base) as publisher:
        ann.write("mail.md", article("Mail", "second words"))
        ann.push("edit")
        with monkeypatch.context() as without:
            without.setenv("PATH", str(tmp_path))
            publisher.publish("webhook")
            eventually(lambda: publisher.status.failure is not None)
            assert "git is not there" in str(publisher.status.failure)
            assert [hit.id for hit in base.search("wombat").hits] == ["runbooks/vpn"]
        eventually(lambda: publisher.status.failure is None, "tried again by itself")
        assert next(hit.id for hit in base.search("second").hits) == "mail"


def test_a_repository_that_is_gone_is_said_and_found_again(tmp_path: Path, bare: Path, ann: Author) -> None:
    assert ann.head
    base = KnowledgeBase(
        Settings(content=bare, content_ref="main", data=tmp_path / "data", encoder="hashing", poll_seconds=0)
    )
    with following(base) as publisher:
        away = bare.rename(tmp_path / "away.git")
        publisher.publish("webhook")
        eventually(lambda: publisher.status.failure is not None)
        assert "there is no repository" in str(publisher.status.failure)
        eventually(lambda: outcome(base) == ["", f"kb: not published yet: {publisher.status.failure}"], "left word")
        eventually(lambda: publisher.status.failures > 1, "tried again by itself")
        away.rename(bare)
        eventually(lambda: publisher.status.failure is None)


def test_another_process_publishes_meanwhile(base: KnowledgeBase, desk: Desk) -> None:
    with following(base) as publisher:
        code = (
            "import fcntl,sys; f=open(sys.argv[1],'a'); fcntl.flock(f,fcntl.LOCK_EX); print('held',flush=True); input()"
        )
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(desk.data / "writer.lock")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert other.stdout is not None
        assert other.stdin is not None
        other.stdout.readline()
        desk.write("a.md", article("VPN", "second words"))
        publisher.publish("webhook")
        eventually(lambda: publisher.status.failure is not None)
        other.communicate("go\n")
        eventually(lambda: publisher.status.failure is None)
        assert [hit.id for hit in base.search("second").hits] == ["a"]


def test_settings_of_the_content() -> None:
    for given in (
        {"content_ref": "--upload-pack=x"}, {"content_remote": "-x"}, {"content_folder": "../x"},
        {"poll_seconds": 1e10}, {"poll_seconds": "inf"}, {"poll_seconds": "nan"},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"must not start|has no|less than or equal|finite"):
            Read(**given)
