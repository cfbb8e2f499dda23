"""What an article shows besides its text: pictures, and videos with captions and what is said in them."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from kb_service import KnowledgeBase, Settings
from tests.client import client_of
from tests.conftest import Desk

VIDEO = bytes(range(256)) * 8
CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:02.000\nHold the <b>reset</b> button & wait\n"


@pytest.fixture
def client(desk: Desk) -> TestClient:
    desk.write(
        "how/reset.md", "# Reset\n\nSee:\n\n![How to <reset> it](reset.mp4)\n\nOr [the long one](../long.webm).\n"
    )
    desk.write("how/plain.md", "# Plain\n\n![One](one.webm)\n")
    desk.write("pay.md", "---\ntitle: Pay\naudience: restricted\n---\n![It](pay.mp4)\n")
    for name in ("how/reset.mp4", "how/one.webm", "how/other.mp4", "long.webm", "pay.mp4"):
        (desk.content / name).write_bytes(VIDEO)
    desk.write("how/reset.vtt", CAPTIONS)
    desk.write("how/other.vtt", CAPTIONS)
    desk.write("how/one.srt", "1\n00:00:00,000 --> 00:00:02,000\nPress it twice\n")
    base = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    base.update()
    return client_of(base)


def media(client: TestClient, path: str, of: str = "how/reset", wanted: str = "") -> Response:
    headers = {"Range": wanted} if wanted else {}
    return client.get(f"/media/{path}", params={"of": of}, headers=headers)


@pytest.mark.parametrize("path", ["/a/how/reset", "/api/articles/how/reset"])
def test_a_video_is_played_where_it_stands_and_what_is_said_can_be_read(client: TestClient, path: str) -> None:
    answer = client.get(path)
    html = answer.json()["html"] if path.startswith("/api") else answer.text
    assert (
        '<video controls="" preload="metadata" aria-label="How to &lt;reset&gt; it" src="/media/how/reset.mp4?' in html
    )
    assert '<track kind="captions" src="/media/how/reset.vtt?' in html
    assert "<p>Hold the reset button &amp; wait</p></details>" in html
    assert re.search(r'<a href="/media/long.webm\?[^"]+" rel="noopener noreferrer">the long one</a>', html)


def test_a_picture_that_is_only_linked_to_opens(client: TestClient, desk: Desk) -> None:
    desk.write("how/link.md", "# Link\n\n[the plan](plan.png)\n")
    (desk.content / "how/plan.png").write_bytes(VIDEO)
    assert isinstance(client.app, FastAPI)
    client.app.state.knowledge_base.update()
    (address,) = re.findall(r'href="(/media/how/plan.png[^"]*)"', client.get("/a/how/link").text)
    assert client.get(address).content == VIDEO


def test_a_transcript_that_is_no_captions_is_read_only(client: TestClient) -> None:
    html = client.get("/a/how/plain").text
    assert "Press it twice" in html
    assert "<track" not in html


def test_what_an_article_shows_is_given_out_and_nothing_beside_it(client: TestClient) -> None:
    assert media(client, "how/reset.mp4").headers["content-type"] == "video/mp4"
    assert media(client, "how/reset.vtt").headers["content-type"].startswith("text/vtt")
    assert media(client, "long.webm").content == VIDEO
    for path in ("how/other.mp4", "how/other.vtt", "how/reset.srt", "how/reset.md", "pay.mp4", "how/one.webm"):
        assert media(client, path).status_code == 404, path
    assert client.get("/media/pay.mp4", params={"of": "pay", "audience": "internal"}).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-", 0, 2048), ("bytes=0-0", 0, 1), ("bytes=100-199", 100, 200), ("bytes=2047-", 2047, 2048),
        ("bytes=-10", 2038, 2048), ("bytes=2000-99999999", 2000, 2048), ("bytes=-9999", 0, 2048),
    ],
)  # fmt: skip
def test_a_player_gets_the_part_that_it_asks_for(client: TestClient, wanted: str, start: int, end: int) -> None:
    answer = media(client, "how/reset.mp4", wanted=wanted)
    assert (answer.status_code, answer.headers["content-range"]) == (206, f"bytes {start}-{end - 1}/2048")
    assert answer.content == VIDEO[start:end]


@pytest.mark.parametrize("wanted", ["bytes=2048-", "bytes=5-4", "bytes=-0"])
def test_what_is_beyond_the_end_is_said(client: TestClient, wanted: str) -> None:
    answer = media(client, "how/reset.mp4", wanted=wanted)
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */2048")


@pytest.mark.parametrize(
    "wanted", ["", "bytes=-", "bytes=0-1,5-6", "items=0-1", "bytes=a-b", "bytes=" + "9" * 40 + "-"]
)
def test_what_is_no_range_gets_the_whole(client: TestClient, wanted: str) -> None:
    answer = media(client, "how/reset.mp4", wanted=wanted)
    assert (answer.status_code, answer.content) == (200, VIDEO)
    assert answer.headers["accept-ranges"] == "bytes"
