"""What an article had around it then: pictures, names, attachments; and repositories with less of a past."""

import re
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import IndexMissingError
from indexer.index_file import IndexFile
from kb_service import KnowledgeBase, Settings
from kb_service.access import EVERYTHING
from kb_service.content import read_file
from tests.client import client_of
from tests.conftest import Desk
from tests.past.told import PICTURE, Git, Told
from tests.written import article


def test_an_attached_article_opens_as_it_was_used(told: Told) -> None:
    used = told.get("/api/articles/network")["revision"]
    told.client.put("/api/incidents/INC1", json={"short_description": "VPN is down"}).raise_for_status()
    attached = told.client.post("/api/incidents/INC1/articles", json={"article": "network", "resolved_by": True})
    assert attached.status_code in {200, 201}, attached.text

    def link() -> dict[str, Any]:
        body: dict[str, Any] = told.get("/api/incidents/INC1")["articles"][0]
        return body

    assert (link()["url"], link()["changed_since"]) == ("/a/network", False)
    told.author.write("network.md", article("VPN", "Restart the bilby."))
    told.push("fourth", "2025-05-01")
    assert (link()["url"], link()["changed_since"]) == (f"/a/network?at={used}", True)
    page = told.client.get(link()["url"]).text
    assert "dingo" in page
    assert "It has changed since" in page
    assert "2025-04-01 12:00 UTC</time>" in page
    told.author.git("reset", "-q", "--hard", told.first)
    told.author.write("network.md", article("VPN", "Another past."))
    told.push("forced", "2025-06-01", force=True)
    body = told.get(f"/api/articles/network?at={used}")
    assert ("dingo" in body["body"], "no part of the history" in body["note"]) == (True, True)
    told.author.git("rm", "-q", "network.md")
    told.push("delete", "2025-07-01")
    assert link()["url"] == f"/a/network?at={used}"
    assert "dingo" in told.client.get(link()["url"]).text


def test_pictures_as_they_were(told: Told) -> None:
    (told.author.clone / "a.png").write_bytes(PICTURE)
    told.author.write("picture.md", "---\ntitle: Picture\n---\n![A](a.png)")
    then = told.push("picture", "2025-05-01")
    (told.author.clone / "a.png").write_bytes(b"\x89PNG new")
    (told.author.clone / "link.png").symlink_to("/etc/hostname")
    told.author.write("picture.md", "---\ntitle: Picture\n---\nNow: ![A](a.png) ![B](link.png)")
    told.push("another", "2025-06-01")
    assert told.client.get("/media/a.png?of=picture").content == b"\x89PNG new"
    assert f'src="/media/a.png?of=picture&amp;at={then}"' in told.get(f"/api/articles/picture?at={then}")["html"]
    assert told.client.get(f"/media/a.png?of=picture&at={then}").content == PICTURE
    for address in ("link.png", "../a.png", "nothing.png", ".git/a.png", f"a.png?at={'0' * 40}", "picture.md"):
        also = "&of=picture" if "?" in address else "?of=picture"
        assert told.client.get(f"/media/{address}{also}").status_code in {404, 422}, address


def test_a_picture_is_shown_only_in_what_one_may_read(told: Told) -> None:
    for name, audience in (("a", "public"), ("b", "internal")):
        (told.author.clone / f"{name}.png").write_bytes(PICTURE)
        told.author.write(f"{name}.md", f"---\ntitle: {name}\naudience: {audience}\n---\n![It]({name}.png)")
    then = told.push("pictures", "2025-05-01")
    assert told.client.get("/media/b.png?of=b").content == PICTURE
    for address in ("b.png?of=b&audience=public", "b.png?of=a", "b.png", "a.png?of=b&audience=public"):
        assert told.client.get(f"/media/{address}").status_code == 404, address
    told.author.git("rm", "-q", "a.png", "b.png", "b.md")
    told.author.write("a.md", "---\ntitle: a\naudience: public\n---\nNo more.")
    told.push("gone", "2025-06-01")
    html = told.get(f"/api/articles/a?at={then}&audience=public")["html"]
    shown = unescape(re.findall('src="(.+?)"', html)[0])
    assert told.client.get(f"{shown}&audience=public").content == PICTURE
    for address in (f"b.png?at={then}", f"b.png?at={then}&of=b", f"b.png?at={then}&of=a", f"a.png?at={then}"):
        assert told.client.get(f"/media/{address}&audience=public").status_code == 404, address
    assert told.client.get(f"/media/b.png?at={then}&of=b").content == PICTURE


def test_a_picture_is_never_another_place_s_and_never_cut_off(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (told.author.clone / "a.png").write_bytes(PICTURE)
    live = told.push("picture", "2025-05-01")
    (told.author.clone / "a.png").write_bytes(b"\x89PNG not committed")
    not_fetched = Settings(content=told.author.clone, content_remote="file:///nowhere", data=tmp_path / "none")
    assert read_file(not_fetched, "a.png", None, None) is None
    by_ref = Settings(content=told.author.clone, content_ref="main")
    assert read_file(by_ref, "a.png", None, live) == PICTURE
    as_they_lie = Settings(content=told.author.clone)
    monkeypatch.setattr("kb_service.content.MOST_FILE_BYTES", 4)
    assert read_file(by_ref, "a.png", None, live) is read_file(as_they_lie, "a.png", None, live) is None
    monkeypatch.setattr("kb_service.content.MOST_FILE_BYTES", 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_file(by_ref, "a.png", None, live) is None


def test_files_as_they_lie_have_a_past_too(desk: Desk, git: Git) -> None:
    git(desk.content, "init", "-q", "-b", "main")
    desk.write("vpn.md", article("VPN", "Restart the wombat."))
    git(desk.content, "add", ".")
    git(desk.content, "commit", "-qm", "one", date="2025-01-01T10:00:00Z")
    desk.write("vpn.md", article("VPN", "Restart the numbat."))
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    with client_of(base) as client:
        history = client.get("/api/history/vpn").json()
        assert [one["subject"] for one in history["revisions"]] == ["one"]
        assert "wombat" in client.get("/api/articles/vpn?at=2025-01-01").json()["body"]
        now = client.get(f"/api/articles/vpn?at={history['revision']}").json()
        assert ("numbat" in now["body"], now["live"], now["note"]) == (True, True, "It is not committed yet.")
        changed = client.get("/api/diff/vpn").json()
        assert (changed["added"], changed["removed"], changed["to"]["note"]) == (1, 1, "It is not committed yet.")
        assert "+Restart the numbat." in changed["diff"]


def test_a_former_name_leads_on_with_what_was_asked(told: Told) -> None:
    answer = told.client.get("/a/vpn?at=2024-01-01&audience=internal", follow_redirects=False)
    assert answer.headers["location"] == "/a/network?at=2024-01-01&audience=internal"
    assert "What it said then is not kept" in told.client.get("/a/vpn?at=2024-01-01").text


def test_an_index_that_is_made_anew_meanwhile_denies_no_article(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    usual: Callable[[IndexFile], sqlite3.Connection] = vars(IndexFile)["connection"].fget
    opened: list[Path] = []
    # What the service does by itself beside it opens indexes too
    here = threading.current_thread()

    def replaced_after_that(index: IndexFile) -> sqlite3.Connection:
        connection = usual(index)
        if not opened and threading.current_thread() is here:
            opened.extend(index.path.parent.glob(f"{index.path.name}*"))
            for path in opened:
                path.unlink()
        return connection

    monkeypatch.setattr(IndexFile, "connection", property(replaced_after_that))
    assert told.base.past().article("network", EVERYTHING).title == "VPN"
    assert opened
    with pytest.raises(IndexMissingError):
        told.base.past()
    with pytest.raises(IndexMissingError):
        told.base.searcher.article("network", EVERYTHING)


def test_without_git_there_is_no_past(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    desk.write("vpn.md", article("VPN", "Restart the wombat."))
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    with client_of(base) as client:
        history = client.get("/api/history/vpn").json()
        assert (history["revisions"], history["complete"]) == ([], False)
        assert client.get("/api/articles/vpn?at=2025-01-01").status_code == 404
        assert client.get("/api/diff/vpn").json()["same"]


def test_a_shallow_clone_says_that_it_lacks_the_rest(told: Told, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow.git"
    url = f"file://{told.author.bare}"
    subprocess.run(["git", "clone", "-q", "--bare", "--depth=2", url, str(shallow)], check=True)
    base = KnowledgeBase(Settings(content=shallow, data=tmp_path / "other", encoder="hashing"))
    base.update()
    with client_of(base) as client:
        history = client.get("/api/history/network").json()
        assert (history["total"], history["complete"]) == (2, False)


def test_a_link_to_a_renamed_file_still_leads_there(told: Told) -> None:
    told.author.write("mail.md", "---\ntitle: Mail\n---\nSee [the VPN](vpn.md#part-0) first.")
    told.push("mail", "2025-05-01")
    assert 'href="/a/network#part-0"' in told.get("/api/articles/mail")["html"]
