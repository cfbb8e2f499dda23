"""Real SQLite, real FAISS, real git in a temporary folder; one real encoder for the session."""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer import Encoder, PassageIndex, Report, VectorCache, WorkingTree, open_encoder, update
from indexer.encoder import HashingEncoder
from indexer.model_files import DEFAULT_MODEL
from kb_service import Searcher

REPOSITORY = Path(__file__).parent.parent
CONTENT = REPOSITORY / "content"
EVAL = REPOSITORY.parent / "shared" / "eval"

os.environ["HF_HUB_OFFLINE"] = "1"
for name in [name for name in os.environ if name.startswith("KB_")]:
    del os.environ[name]


WAIT_SECONDS = 30.0


def eventually(met: Callable[[], bool], what: str = "") -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + WAIT_SECONDS
    turn = threading.Event()
    while not met():
        assert time.monotonic() < end, f"not within {WAIT_SECONDS:.0f} s: {what}"
        turn.wait(0.02)


@pytest.fixture(scope="session")
def model_cache(request: pytest.FixtureRequest) -> Path:
    """Where the exported model and encoded texts are kept between runs of the tests."""
    cache = request.config.cache
    assert cache is not None
    return cache.mkdir("kb")


@pytest.fixture(scope="session")
def encoder(model_cache: Path) -> Encoder:
    """The real model, exported once."""
    return open_encoder("onnx", DEFAULT_MODEL, model_cache)


@pytest.fixture(scope="session")
def searcher(encoder: Encoder, model_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    """Over our own content, with the real model."""
    index = PassageIndex(tmp_path_factory.mktemp("own") / "index.db", encoder)
    update(WorkingTree(CONTENT), index, encoder, VectorCache(model_cache / "vectors.db", encoder.identity))
    return Searcher(index, encoder)


class Desk:
    """A content folder and its index, brought in step by ``update``; model-free unless given an encoder."""

    def __init__(self, folder: Path, encoder: Encoder | None = None) -> None:
        self.content, self.data = folder / "content", folder / "data"
        self.content.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(exist_ok=True)
        self.encoder: Encoder = encoder or HashingEncoder()
        self.index = PassageIndex(self.data / "index.db", self.encoder)
        self.cache = VectorCache(self.data / "vectors.db", self.encoder.identity)

    def write(self, path: str, text: str) -> Path:
        file = self.content / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    def update(self) -> Report:
        return update(WorkingTree(self.content), self.index, self.encoder, self.cache)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk")


@pytest.fixture(scope="session")
def git(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs git, with a name and a date of its own, in a folder."""
    home = str(tmp_path_factory.mktemp("home"))

    def run(folder: Path, *arguments: str, date: str = "2026-01-01T00:00:00Z") -> str:
        settings = {
            "GIT_AUTHOR_NAME": "author", "GIT_AUTHOR_EMAIL": "author@example.com", "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_NAME": "author", "GIT_COMMITTER_EMAIL": "author@example.com", "GIT_COMMITTER_DATE": date,
            "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": home,
        }  # fmt: skip
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(
            command, env={**os.environ, **settings}, check=True, capture_output=True, text=True
        ).stdout

    return run
