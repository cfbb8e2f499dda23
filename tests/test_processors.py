"""A text has the same meaning whatever processor encodes it: one that has no VNNI is put in the place of ours."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from indexer.encoder import Encoder
from indexer.model_files import DEFAULT_MODEL
from tests.conftest import CONTENT
from tests.programs import program

pytestmark = pytest.mark.long

_ENCODING = (
    "import json, sys\nfrom pathlib import Path\nfrom indexer import open_encoder\n"
    "cache, texts = json.load(sys.stdin)\n"
    f"vectors = open_encoder('onnx', {DEFAULT_MODEL!r}, Path(cache)).encode(texts)\n"
    "print(json.dumps(vectors.tolist()))\n"
)


def test_a_processor_without_vnni_gives_the_vectors_of_one_that_has_it(encoder: Encoder, model_cache: Path) -> None:
    texts = [file.read_text("utf-8").split("---\n", 2)[2][:600] for file in sorted(CONTENT.rglob("*.md"))[1::12]]
    command = [program("qemu-x86_64"), "-cpu", "Haswell", sys.executable, "-c", _ENCODING]
    given = json.dumps([str(model_cache), texts])
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cosines = np.sum(encoder.encode(texts) * np.array(json.loads(done.stdout)), axis=1)
    assert len(cosines) > 10
    assert cosines.mean() > 0.9995
    assert cosines.min() > 0.998
