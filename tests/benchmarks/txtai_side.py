"""The same passages in txtai, to be asked beside us: ``python txtai_side.py PASSAGES.jsonl MODEL_FOLDER FOLDER``.

Runs in an environment of its own, which has txtai. Writes an index and ``app.yml`` for txtai's own server into FOLDER,
and prints how many passages a second it took up. Hybrid search as txtai has it by default: BM25 and vectors, half each.
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

CONFIG = "path: {folder}/index\nwritable: false\nembeddings:\n  path: {model}\n  hybrid: true\n  content: false\n"


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: python txtai_side.py PASSAGES.jsonl MODEL_FOLDER FOLDER")
    passages, model, folder = (Path(argument) for argument in sys.argv[1:])
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    texts: list[str] = [json.loads(line) for line in passages.read_text("utf-8").split("\n") if line]
    embeddings: Any = import_module("txtai").Embeddings(
        path=str(model), hybrid=True, content=False, backend="faiss", maxlength=True
    )
    embeddings.transform("the model is read before the time counts")
    started = time.perf_counter()
    embeddings.index((number, text, None) for number, text in enumerate(texts))
    print(len(texts) / (time.perf_counter() - started))
    embeddings.save(str(folder / "index"))
    (folder / "app.yml").write_text(CONFIG.format(folder=folder, model=model), "utf-8")


if __name__ == "__main__":
    main()
