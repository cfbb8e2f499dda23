"""Bytes of an index flip while it is served: nobody is answered by them, and it is made anew."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import eventually
from tests.flipped.damage import ASKED, Whole, asked, flip_text, ready, service_of, words_piece
from tests.written import article as article_of

pytestmark = pytest.mark.breaking


def passage(folder: Path) -> None:
    """One bit of a text that is found, as it is shown in a list."""
    flip_text(folder, "SELECT rowid, text FROM passages WHERE text LIKE '%password%'", "passages SET text")


def article(folder: Path) -> None:
    """One bit of an article as it is read."""
    flip_text(folder, "SELECT rowid, object FROM objects WHERE object LIKE '%password%'", "objects SET object")


def page(folder: Path) -> None:
    """The middle of the file, a page of SQLite's own structure among them."""
    file = folder / "index.db"
    data = bytearray(file.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at : at + 8] = b"\xff" * 8
    file.write_bytes(data)


def nothing_left(folder: Path) -> None:
    """All of it, as a redirection to the wrong file does."""
    os.truncate(folder / "index.db", 0)


@pytest.mark.parametrize("damage", [words_piece, page, passage, article, nothing_left])
def test_beneath_a_running_service_the_index_is_made_anew(whole: Whole, tmp_path: Path, damage: Any) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole.folder, folder)
    service = service_of(folder, whole.content)
    with service.running() as client:
        # Nothing is held of what is asked first now
        damage(folder)

        def answers() -> bool:
            found = [client.get("/api/search", params={"q": text, "limit": 20}) for text in ASKED]
            found += [client.get(f"/api/articles/{one['id']}") for one in whole.answers[0]]
            assert {one.status_code for one in found} <= {200, 503}, service.log.read_text()
            assert not any("qassword" in one.text for one in found)
            return all(one.status_code == 200 for one in found) and ready(client)

        eventually(answers, service.log.read_text())
        assert asked(client) == whole.answers
    assert "index.db is damaged" in service.log.read_text()
    assert "it is made anew" in service.log.read_text()


def test_beneath_a_running_service_it_is_made_anew_where_its_log_is_cut_off(whole: Whole, tmp_path: Path) -> None:
    folder, articles = tmp_path / "data", tmp_path / "content"
    shutil.copytree(whole.folder, folder)
    shutil.copytree(whole.content, articles)
    service = service_of(folder, articles)
    with service.running("--watch") as client:
        (articles / "new.md").write_text(article_of("Cut off", "Nobody has asked for this."), "utf-8")
        eventually(lambda: client.get("/api/articles/new").status_code == 200 and ready(client))
        # As who clears away files that seem to be left over does
        os.truncate(folder / "index.db-wal", 0)
        eventually(lambda: client.get("/api/search", params={"q": "nobody asked"}).status_code == 200 and ready(client))
        assert client.get("/api/search", params={"q": "nobody asked"}).json()["hits"][0]["id"] == "new"
    assert "it is made anew" in service.log.read_text()


def test_beneath_a_running_service_it_is_made_anew_where_pages_alone_are_asked(whole: Whole, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(whole.folder, folder)
    service = service_of(folder, whole.content)
    with service.running() as client:
        passage(folder)
        assert "A database of the service is damaged" in client.get("/?q=password+reset").text
        eventually(lambda: "<mark>password</mark>" in client.get("/?q=password+reset").text.lower())
    assert "it is made anew" in service.log.read_text()
