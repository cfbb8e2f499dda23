"""Texts become unit vectors, the same for indexing and for queries."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer import Encoder, open_encoder
from indexer.encoder import HashingEncoder, OnnxEncoder, PlainEncoder
from indexer.errors import EncoderError
from indexer.model_files import DEFAULT_MODEL, EXPORT_RECIPE, hash_of_card, model_folder

TEXTS = ["Is something listening on port 52311?", "0x80070005", "The VPN cannot connect. " * 20]


def test_vectors_are_of_unit_length_and_do_not_depend_on_their_company(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS)
    assert together.shape == (3, 384)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.array_equal(np.concatenate([encoder.encode([text]) for text in TEXTS]), together)
    assert encoder.encode([]).shape == (0, 384)


def test_the_export_is_the_model_s_own_meaning(encoder: Encoder) -> None:
    plain = PlainEncoder(DEFAULT_MODEL)
    cosines = np.sum(encoder.encode(TEXTS) * plain.encode(TEXTS), axis=1)
    assert cosines.min() > 0.97
    assert [encoder.count_tokens(text) for text in TEXTS] == [plain.count_tokens(text) for text in TEXTS]
    assert (encoder.max_tokens, encoder.dimension) == (plain.max_tokens, plain.dimension) == (256, 384)
    assert encoder.identity != plain.identity


def test_related_texts_are_near(encoder: Encoder) -> None:
    query, near, far = encoder.encode(["pod keeps restarting", "container crash loop", "printer out of paper"])
    assert query @ near > query @ far + 0.2


def test_serving_needs_no_torch(encoder: Encoder, model_cache: Path) -> None:
    assert isinstance(encoder, OnnxEncoder)
    code = (
        "import sys\nfrom pathlib import Path\nfrom kb_service import app\nfrom indexer import open_encoder\n"
        f"open_encoder('onnx', {DEFAULT_MODEL!r}, Path({str(model_cache)!r})).encode(['x'], 'query')\n"
        "print(sorted({'torch', 'sentence_transformers', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of another make: cls pooling, its own prompts, a short window, no normalisation of its own."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(1)
    (folder / "bert").mkdir()
    vocabulary = (model_folder(DEFAULT_MODEL) / "vocab.txt").read_text("utf-8").splitlines()[:6000]
    (folder / "bert" / "vocab.txt").write_text("\n".join(vocabulary), "utf-8")
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        initializer_range=0.4,  # so that a vector depends on its text, as in a trained model
    )
    BertModel(config).save_pretrained(folder / "bert")
    BertTokenizerFast(str(folder / "bert" / "vocab.txt")).save_pretrained(folder / "bert")
    transformer = modules.Transformer(str(folder / "bert"), max_seq_length=32)
    model = SentenceTransformer(
        modules=[transformer, modules.Pooling(64, pooling_mode="cls")],
        prompts={"query": "query: ", "document": "text to find: "},
        device="cpu",
    )
    model.save_pretrained(str(folder / "whole"))
    return folder / "whole"


@pytest.fixture(scope="module")
def exported_once(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds its export."""
    cache = tmp_path_factory.mktemp("exported")
    open_encoder("onnx", str(small_model), cache)
    return cache


@pytest.fixture
def cache(exported_once: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(exported_once, tmp_path / "cache"))


def test_another_model_s_prompts_pooling_and_window_are_honoured(small_model: Path, cache: Path) -> None:
    exported = open_encoder("onnx", str(small_model), cache)
    plain = PlainEncoder(str(small_model))
    assert isinstance(exported, OnnxEncoder)
    assert exported.max_tokens == plain.max_tokens < 32
    for kind in ("passage", "query"):
        ours, theirs = exported.encode(TEXTS, kind), plain.encode(TEXTS, kind)
        assert np.sum(ours * theirs, axis=1).min() > 0.95
    assert not np.allclose(exported.encode(TEXTS, "passage"), exported.encode(TEXTS, "query"), atol=0.01)


def test_its_weights_leave_room_for_sums_on_every_processor(cache: Path) -> None:
    """What is multiplied by eight bits and summed in pairs must fit into sixteen where there is no VNNI."""
    import onnx

    (file,) = cache.glob("models/*/model.onnx")
    tensors = {one.name: onnx.numpy_helper.to_array(one) for one in onnx.load(file).graph.initializer}
    # What words and places stand for is looked up, not multiplied
    weights = [one for one in tensors.values() if one.dtype == np.int8 and one.ndim == 2]
    assert len(weights) == 12
    assert max(int(np.abs(one.astype(int)).max()) for one in weights) <= 64


def test_smoothing_leaves_a_model_as_it_was_and_its_inputs_even(small_model: Path) -> None:
    import torch

    from indexer.encoder import load_model
    from indexer.smoothing import largest_inputs, smooth

    model = load_model(str(small_model))
    before, uneven = model.encode(TEXTS), largest_inputs(model, TEXTS)
    smooth(model, TEXTS)
    assert np.allclose(model.encode(TEXTS), before, atol=1e-4)
    after = largest_inputs(model, TEXTS)
    assert len(after) == len(uneven) >= 12

    def spread(inputs: dict[str, torch.Tensor]) -> float:
        return float(np.mean([(one.max() / one.median()).item() for one in inputs.values()]))

    assert spread(after) < 0.8 * spread(uneven)


def test_where_the_export_differs_the_plain_encoder_is_used(small_model: Path, cache: Path) -> None:
    (card,) = cache.glob(f"models/*-{EXPORT_RECIPE}/encoder.json")
    differs = {**json.loads(card.read_text("utf-8")), "differs": True}
    card.write_text(json.dumps({**differs, "card": hash_of_card(differs)}), "utf-8")
    assert isinstance(open_encoder("onnx", str(small_model), cache), PlainEncoder)


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize(
    ("name", "spoil"),
    [("model.onnx", flipped), ("encoder.json", flipped), ("tokenizer.json", Path.unlink), ("encoder.json", emptied)],
)
def test_a_damaged_export_is_never_loaded(cache: Path, name: str, spoil: Callable[[Path], None]) -> None:
    (file,) = cache.glob(f"models/*/{name}")
    spoil(file)
    with pytest.raises(EncoderError, match=rf"{name} (is not the file that was exported|cannot be read|is missing)"):
        OnnxEncoder(file.parent)


@pytest.mark.breaking
def test_a_damaged_export_is_made_again(small_model: Path, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = open_encoder("onnx", str(small_model), cache).encode(TEXTS)
    (file,) = cache.glob("models/*/encoder.json")
    flipped(file)
    assert np.allclose(open_encoder("onnx", str(small_model), cache).encode(TEXTS), before, atol=1e-6)
    assert "the model is exported again" in caplog.text


def test_where_it_cannot_be_exported_it_is_said_what_to_install(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "hidden"
    for name in ("torch", "sentence_transformers"):
        (hidden / name).mkdir(parents=True)
        (hidden / name / "__init__.py").write_text(f"raise ImportError(\"No module named '{name}'\")", "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{hidden}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with pytest.raises(EncoderError, match="needs PyTorch, and that is not installed here"):
        open_encoder("onnx", str(small_model), tmp_path)


@pytest.mark.parametrize(
    ("kind", "model", "says"), [("onnx", "no/such-model", "cannot be fetched"), ("x", "y", "no enc")]
)
def test_a_wrong_name_is_said(kind: str, model: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=says):
        open_encoder(kind, model, tmp_path)


def test_a_folder_without_weights_is_said(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="safetensors"):
        open_encoder("onnx", str(tmp_path), tmp_path / "cache")


def test_the_model_free_encoder_is_steady() -> None:
    first, second = HashingEncoder().encode(["reset password", "password reset"])
    assert np.allclose(first, second)
    assert np.isclose(np.linalg.norm(first), 1)
