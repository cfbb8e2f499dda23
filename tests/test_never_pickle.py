"""No file can bring code along: none is unpickled, and of models only safetensors and what is ours are read."""

import ast
from collections.abc import Iterator

import pytest

from tests.conftest import REPOSITORY

FORBIDDEN = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
# Through a pipe between two processes of ours, never a file
PIPES = "indexer/processes.py"
SOURCES = sorted(path for room in ("indexer", "kb_service") for path in (REPOSITORY / room).rglob("*.py"))


def unpickling(text: str, *, pipes: bool = False) -> Iterator[str]:
    """What in a source could run what a file brings along."""
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        yield from (name for name in names if name.split(".")[0] in FORBIDDEN and not (pipes and name == "pickle"))
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = {one.arg: ast.unparse(one.value) for one in node.keywords}
            if called in {"torch.load", "torch.jit.load", "eval", "exec"}:
                yield called
            if given.get("allow_pickle", "False") != "False" or given.get("trust_remote_code", "False") != "False":
                yield ast.unparse(node)
            if called == "SentenceTransformer" and "'use_safetensors': True" not in given.get("model_kwargs", ""):
                yield ast.unparse(node)


def test_no_file_is_unpickled() -> None:
    for path in SOURCES:
        name = str(path.relative_to(REPOSITORY))
        assert list(unpickling(path.read_text("utf-8"), pipes=name == PIPES)) == [], name


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from joblib import load",
        "import numpy as np\nnp.load(f, allow_pickle=True)",
        "torch.load(f)",
        "SentenceTransformer(f, trust_remote_code=True, model_kwargs={'use_safetensors': True})",
        "SentenceTransformer(f)",
    ],
)
def test_what_would_is_noticed(text: str) -> None:
    assert list(unpickling(text))


def test_what_goes_through_the_pipes_is_read_from_no_file() -> None:
    text = (REPOSITORY / PIPES).read_text("utf-8")
    assert ".open(" not in text
    assert "Path" not in text
