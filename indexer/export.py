"""``python -m indexer.export MODEL [FOLDER]``: a sentence-transformers model as an int8 ONNX file, once for a model.

Without a folder it lies beside the program, for whoever serves from this installation.

The whole pipeline (transformer, pooling, normalisation) goes into the graph. The result is compared with the
original on a sample; where it differs, ``encoder.json`` says so and the plain encoder is used.
"""

import json
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from indexer.encoder import OnnxEncoder, PlainEncoder, TextKind, load_model, prompts_of, window_of
from indexer.errors import EncoderError
from indexer.model_files import (
    EXPORT_RECIPE,
    INSTALLED,
    export_folder,
    exported,
    file_hash,
    hash_of_card,
    model_folder,
    model_hash,
)

# int8 moves a vector a little: all-MiniLM-L6-v2 keeps a cosine of 0.99 and more with its original on these texts
LEAST_COSINE = 0.95
SAMPLE = (
    "What does MTTR mean?",
    "Is something listening on port 52311?",
    "The VPN client reports error 809 since this morning and cannot connect.",
    "Users in two offices cannot reach the file server; shared drives show as disconnected.",
    "0x80070005",
    "KubePodCrashLooping: Pod payments/checkout-7b9c6d5f4-mm8zt (app) is in waiting state (reason: CrashLoopBackOff).",
    "Disk /dev/sda1 is 97 % full on the database host. Find what grows, free space safely, and keep the service up.",
    "1. Open an elevated prompt.\n2. Run `netstat -ano | findstr LISTENING`.\n3. Read the process id at the end.",
    "Passwort vergessen, Konto gesperrt",
    "A problem is the cause, or possible cause, of one or more incidents. " * 6,
)


def export(model_name: str, folder: Path) -> None:
    """Write ``model.onnx``, ``tokenizer.json`` and ``encoder.json`` to ``folder``, whole or not at all."""
    from indexer.smoothing import TYPICAL_TEXTS, smooth

    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".export-", dir=folder.parent))
    try:
        model = load_model(model_name)
        card = _card(model_name, model)
        smooth(model, [*SAMPLE, *TYPICAL_TEXTS.read_text("utf-8").splitlines()])
        _write_graph(model, card["inputs"], work)
        model.tokenizer.save_pretrained(str(work / "tokenizer"))
        shutil.move(work / "tokenizer" / "tokenizer.json", work / "tokenizer.json")
        shutil.rmtree(work / "tokenizer")
        card["files"] = {name: file_hash(work / name) for name in ("model.onnx", "tokenizer.json")}
        _write_card(work, card)
        card["least_cosine"] = _least_cosine(OnnxEncoder(work), PlainEncoder(model_name))
        card["differs"] = card["least_cosine"] < LEAST_COSINE
        _write_card(work, card)
        _put(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _card(model_name: str, model: Any) -> dict[str, Any]:
    prompts = prompts_of(model)
    return {
        "identity": f"{model_hash(model_folder(model_name))}:{EXPORT_RECIPE}",
        "inputs": [name for name in model.tokenizer.model_input_names if name != "token_type_ids" or _has_types(model)],
        "prompts": prompts,
        "dimension": int(model.get_embedding_dimension()),
        "max_tokens": window_of(model, prompts),
        "window": int(model.max_seq_length or 512),
        "differs": False,
    }


def _has_types(model: Any) -> bool:
    return int(getattr(model[0].auto_model.config, "type_vocab_size", 0) or 0) > 0


def _write_graph(model: Any, inputs: list[str], work: Path) -> None:
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Pipeline(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]  # torch is there only to export
        """All modules of the model, from token ids to a vector of unit length."""

        def __init__(self) -> None:
            super().__init__()
            self.stages = torch.nn.ModuleList(list(model))

        def forward(self, *values: Any) -> Any:
            features = dict(zip(inputs, values, strict=True))
            for stage in self.stages:
                features = stage(features)
            return torch.nn.functional.normalize(features["sentence_embedding"], p=2, dim=1)

    sample = model.tokenizer([SAMPLE[2]], return_tensors="pt")
    axes: dict[str, dict[int, str]] = {name: {0: "batch", 1: "tokens"} for name in inputs}
    with torch.no_grad():
        torch.onnx.export(
            Pipeline().eval(),
            tuple(sample[name] for name in inputs),
            str(work / "full.onnx"),
            input_names=inputs,
            output_names=["embedding"],
            dynamic_axes={**axes, "embedding": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )
    quant_pre_process(str(work / "full.onnx"), str(work / "shaped.onnx"), skip_symbolic_shape=True)
    # Weights of seven bits: sums of eight overflow in processors without VNNI, which then give other vectors
    quantize_dynamic(
        str(work / "shaped.onnx"), str(work / "model.onnx"),
        weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
    )  # fmt: skip
    (work / "full.onnx").unlink()
    (work / "shaped.onnx").unlink()


def _least_cosine(exported: OnnxEncoder, original: PlainEncoder) -> float:
    kinds: tuple[TextKind, ...] = ("passage", "query")
    pairs = [(exported.encode([text], kind), original.encode([text], kind)) for text in SAMPLE for kind in kinds]
    return float(min(np.sum(ours * theirs) for ours, theirs in pairs))


def _write_card(work: Path, card: dict[str, Any]) -> None:
    (work / "encoder.json").write_text(json.dumps({**card, "card": hash_of_card(card)}, indent=1), "utf-8")


def _put(work: Path, folder: Path) -> None:
    """Move the finished folder into place; another process may have been first, with the same files."""
    work.chmod(0o755)
    if folder.exists():
        try:
            exported(folder)
        except EncoderError:
            shutil.rmtree(folder)
    try:
        os.rename(work, folder)  # noqa: PTH104 (Path.rename has no other meaning; the error is what is wanted)
    except OSError:
        if not (folder / "encoder.json").exists():
            raise


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the tracer of torch warns of every branch it fixes; the comparison above judges
    named, *given = sys.argv[1:]
    export(named, Path(given[0]) if given else export_folder(INSTALLED.parent, model_hash(model_folder(named))))
