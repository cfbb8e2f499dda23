"""Nobody outside is asked or told anything, nor by libraries below us, and no file is left in the home folder.

Without what says that this is a test: some libraries tell nothing only then.
"""

import ipaddress
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from tests.authors import KB
from tests.conftest import CONTENT, WAIT_SECONDS, eventually
from tests.faults import traced

pytestmark = pytest.mark.breaking

_ADDRESS = re.compile(r'(?:inet_addr\(|AF_INET6, )"([^"]+)"')
TRACED = ["-e", "trace=connect,sendto,sendmsg,sendmmsg"]
# Preparing a model while each call is looked at
_MOST_SECONDS = 300


def asked_outside(log: Path) -> list[str]:
    """The lines of a trace that name an address of another machine."""
    lines = log.read_text("utf-8", "replace").splitlines()
    return [line for line in lines if any(map(_is_outside, _ADDRESS.findall(line)))]


def _is_outside(address: str) -> bool:
    return not ipaddress.ip_address(address).is_loopback


def environment(folder: Path, cache: Path, **settings: str) -> dict[str, str]:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"], "HOME": str(home), "KB_CACHE": str(cache), "KB_DATA": str(folder / "data"),
        "KB_CONTENT": str(folder / "content"), "KB_PORT": "0", **settings,
    }  # fmt: skip


def content(folder: Path) -> None:
    there = folder / "content"
    there.mkdir(exist_ok=True)
    file = CONTENT / "operations" / "service-down.md"
    (there / file.name).write_bytes(file.read_bytes())


def traced_to_its_end(log: Path, arguments: list[str], environ: Mapping[str, str]) -> str:
    """What a command printed."""
    with (
        subprocess.Popen([*KB, *arguments], env=environ, stdout=subprocess.PIPE, text=True) as process,
        traced(process.pid, log, TRACED),
    ):
        said, _ = process.communicate(timeout=_MOST_SECONDS)
    assert process.returncode == 0
    return said


def test_an_address_outside_is_noticed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        '7 connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.0.2.1")}, 16) = 0\n'
        '7 connect(3, {sa_family=AF_INET6, inet_pton(AF_INET6, "::1", &sin6_addr)}, 28) = 0\n'
        '7 connect(3, {sa_family=AF_INET, sin_addr=inet_addr("127.0.0.1")}, 16) = 0\n'
        '7 connect(4, {sa_family=AF_UNIX, sun_path="/run/nscd"}, 110) = 0\n'
    )
    assert len(asked_outside(log)) == 1


@pytest.mark.parametrize("encoder", ["onnx", "sentence-transformers"])
def test_preparing_a_model_and_indexing_tell_nobody(tmp_path: Path, encoder: str) -> None:
    content(tmp_path)
    environ = environment(tmp_path, tmp_path / "cache", KB_ENCODER=encoder)
    assert "1 objects" in traced_to_its_end(tmp_path / "log", ["index"], environ)
    assert asked_outside(tmp_path / "log") == []
    assert list((tmp_path / "home").rglob("*")) == []


@pytest.mark.usefixtures("encoder")
def test_a_service_and_a_search_tell_nobody(tmp_path: Path, model_cache: Path) -> None:
    content(tmp_path)
    environ = environment(tmp_path, model_cache)
    out = tmp_path / "out"
    with (
        out.open("w") as said,
        subprocess.Popen([*KB, "serve"], env=environ, stdout=said) as process,
        traced(process.pid, tmp_path / "log", TRACED),
    ):
        try:
            eventually(lambda: "Ctrl+C" in out.read_text(), "it answers")
            address = re.search(r"http://\S+:\d+", out.read_text())
            assert address is not None
            with httpx2.Client(base_url=address[0], timeout=WAIT_SECONDS) as client:
                hits = client.get("/api/search", params={"q": "service down"}).raise_for_status().json()["hits"]
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)
    assert [hit["id"] for hit in hits] == ["service-down"]
    assert "service-down" in traced_to_its_end(tmp_path / "log-of-search", ["search", "service down"], environ)
    assert asked_outside(tmp_path / "log") == asked_outside(tmp_path / "log-of-search") == []
    assert list((tmp_path / "home").rglob("*")) == []
