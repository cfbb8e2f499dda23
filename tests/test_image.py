"""What the Dockerfile leaves out of the image is not missed by whoever serves from it."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from indexer.encoder import Encoder, OnnxEncoder
from tests.conftest import CONTENT, REPOSITORY

# As in an image: no such module, and the exported model beside the program
AS_IN_AN_IMAGE = """
import sys
from pathlib import Path

prefix, modules, *given = sys.argv[1:]
sys.prefix = prefix

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in modules.split():
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Missing())
"""
SERVE = """
import json
from fastapi.testclient import TestClient
from kb_service.app import create_app
from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings

base = KnowledgeBase(Settings(content=Path(given[0]), data=Path(given[1])))
base.update()
with TestClient(create_app(base), base_url="http://localhost") as client:
    paths = ("/api/search?q=locked+out+after+new+password", "/?q=printer", "/triage?q=vpn+809")
    answers = [client.get(path) for path in paths]
    print(json.dumps({"statuses": [one.status_code for one in answers], "found": answers[0].json()}))
"""
COMMAND = """
sys.argv = ["kb", *given]
from kb_service.cli import main
main()
"""


@pytest.fixture(scope="module")
def modules() -> str:
    """The names of all modules of the packages that are left out."""
    said = re.search(
        r"pip uninstall --yes --quiet \\\n(.*?)\n\n", (REPOSITORY / "Dockerfile").read_text("utf-8"), re.DOTALL
    )
    assert said is not None
    packages = {name.replace("-", "_") for name in said[1].replace("\\", " ").split()}
    named = metadata.packages_distributions()
    missing = [one for one, of in named.items() if {name.replace("-", "_").lower() for name in of} <= packages]
    assert {"torch", "sentence_transformers", "onnx", "scipy", "sklearn"} <= set(missing)
    return " ".join(missing)


@pytest.fixture
def prefix(tmp_path: Path, model_cache: Path, encoder: Encoder) -> Path:
    """Beside the program lies what the encoder of the tests was made ready with."""
    assert isinstance(encoder, OnnxEncoder)
    beside = tmp_path / "prefix" / "share" / "kb"
    beside.mkdir(parents=True)
    (beside / "models").symlink_to(model_cache / "models")
    return tmp_path / "prefix"


def run(script: str, prefix: Path, modules: str, *given: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", AS_IN_AN_IMAGE + script, str(prefix), modules, *given]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_it_reads_searches_and_serves(tmp_path: Path, prefix: Path, modules: str) -> None:
    content = tmp_path / "content"
    content.mkdir()
    for name in ("account-lockout", "printer-not-printing"):
        (content / f"{name}.md").write_bytes((CONTENT / "runbooks" / f"{name}.md").read_bytes())
    done = run(SERVE, prefix, modules, str(content), str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["statuses"] == [200, 200, 200]
    assert told["found"]["hits"][0]["id"] == "account-lockout"
    assert told["found"]["encoded"] == 1
    # Nothing was made ready a second time
    assert not (tmp_path / "data" / "cache" / "models").exists()


def test_another_encoder_is_refused_with_what_to_do(
    tmp_path: Path, prefix: Path, modules: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_ENCODER", "sentence-transformers")
    done = run(COMMAND, prefix, modules, "index", "--content", str(CONTENT), "--data", str(tmp_path / "data"))
    assert done.returncode == 3
    assert "Install sentence-transformers, or leave KB_ENCODER at onnx" in " ".join(done.stderr.split())
