"""Texts become unit vectors, the same for indexing and for queries.

Three encoders stand behind one protocol: ONNX Runtime int8 (the default; no torch in the process), plain
sentence-transformers (any model, where the export differs from it), and a model-free one for tests of everything
but relevance.
"""

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.errors import EncoderError
from indexer.model_files import export_folder, exported, model_folder, model_hash
from indexer.tokens import TokenCounter

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
TextKind = Literal["passage", "query"]
CountTokens = Callable[[str], int]

_EXPORT_SECONDS = 1800

# ONNX Runtime (1.29 and later) keeps an id of the machine in the home folder and tells its makers over the network that
# it runs, unless this is there before it is loaded. Who searches tells nobody outside
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_log = logging.getLogger("kb.encoder")


class Encoder(Protocol):
    """What the index needs of a model."""

    @property
    def identity(self) -> str:
        """Names the vectors: equal identities give equal vectors for equal texts."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    @property
    def max_tokens(self) -> int:
        """The most tokens of a text, its prompt left out and special tokens included."""

    def count_tokens(self, text: str) -> int:
        """How many of ``max_tokens`` a text takes."""

    @property
    def counter(self) -> CountTokens | None:
        """``count_tokens`` for another process; None where it cannot go there."""

    def encode(self, texts: Sequence[str], kind: TextKind = "passage") -> Vectors:
        """``(n, dimension)`` float32, unit length."""


class HashingEncoder:
    """Words and letter triples hashed into 256 places: no model, no download, meaning only by shared letters."""

    identity = "hashing-1"
    dimension = 256
    max_tokens = 64

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    @property
    def counter(self) -> CountTokens:
        return self.count_tokens

    def encode(self, texts: Sequence[str], kind: TextKind = "passage") -> Vectors:  # noqa: ARG002 (both kinds are alike)
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in text.casefold().split():
                triples = (word[i : i + 3] for i in range(max(1, len(word) - 2)))
                for feature in (word, *triples):
                    digest = hashlib.blake2b(feature.encode(), digest_size=4).digest()
                    vectors[row, int.from_bytes(digest, "little") % self.dimension] += 1
        return _unit(vectors)


class WordsAlone:
    """In place of a model that cannot be opened: nothing is found by meaning, and nothing is put into an index."""

    identity = "none"
    dimension = 1

    def __init__(self, trouble: EncoderError) -> None:
        self.trouble = trouble

    @property
    def max_tokens(self) -> int:
        raise self.trouble

    @property
    def counter(self) -> CountTokens | None:
        raise self.trouble

    def count_tokens(self, text: str) -> int:  # noqa: ARG002 (no text can be cut)
        raise self.trouble

    def encode(self, texts: Sequence[str], kind: TextKind = "passage") -> Vectors:  # noqa: ARG002 (no text has a meaning)
        return np.ones((len(texts), self.dimension), np.float32)


class OnnxEncoder:
    """The exported model in ONNX Runtime: one text a run, unpadded, as int8 vectors change with their company.

    Texts of a call are encoded side by side, each on the thread that carries it.
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        card = exported(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # A quarter of its memory, for nothing that could be measured
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer_file = str(folder / "tokenizer.json")
        self._tokenizer = Tokenizer.from_file(self._tokenizer_file)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(card["window"])
        self._inputs: list[str] = card["inputs"]
        self._prompts: dict[str, str] = card["prompts"]
        self.identity: str = card["identity"]
        self.dimension: int = card["dimension"]
        self.max_tokens: int = card["max_tokens"]

    @cached_property
    def counter(self) -> TokenCounter:
        return TokenCounter(Path(self._tokenizer_file))

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="encode")

    def count_tokens(self, text: str) -> int:
        return self.counter(text)

    def encode(self, texts: Sequence[str], kind: TextKind = "passage") -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        prompted = [self._prompts[kind] + text.strip() for text in texts]
        rows = map(self._one, prompted) if len(texts) == 1 else self._threads.map(self._one, prompted)
        return np.concatenate(list(rows))

    def _one(self, text: str) -> Vectors:
        tokens = np.array([self._tokenizer.encode(text).ids], np.int64)
        values = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
        }
        result: Vectors = self._session.run(None, {name: values[name] for name in self._inputs})[0]
        return result


class PlainEncoder:
    """The model as sentence-transformers runs it."""

    def __init__(self, model: str) -> None:
        self._model = load_model(model)
        self.identity = f"{model_hash(model_folder(model))}:sentence-transformers-1"
        self.dimension = int(self._model.get_embedding_dimension())
        self._prompts = prompts_of(self._model)
        self.counter = None
        self.max_tokens = window_of(self._model, self._prompts)

    def count_tokens(self, text: str) -> int:
        return len(self._model.tokenizer(text, truncation=False, verbose=False)["input_ids"])

    def encode(self, texts: Sequence[str], kind: TextKind = "passage") -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        found = self._model.encode(
            list(texts), prompt=self._prompts[kind], convert_to_numpy=True, show_progress_bar=False, batch_size=16
        )
        return _unit(np.asarray(found, np.float32))


def open_encoder(kind: str, model: str, cache: Path) -> Encoder:
    """The encoder that the settings name; exports the model into ``cache`` the first time.

    ``kind`` is ``onnx``, ``sentence-transformers`` or ``hashing``. Raises EncoderError.
    """
    os.environ.setdefault("HF_HOME", str(cache.absolute() / "hub"))
    if kind == "hashing":
        return HashingEncoder()
    if kind == "sentence-transformers":
        return PlainEncoder(model)
    if kind != "onnx":
        raise EncoderError(f"there is no encoder '{kind}'", "Set KB_ENCODER to onnx, sentence-transformers or hashing")
    folder = export_folder(cache, model_hash(model_folder(model)))
    try:
        card = exported(folder) if folder.exists() else None
    except EncoderError as error:
        _log.warning("%s; the model is exported again", error.problem)
        card = None
    if card is None:
        _export(model, folder)
        card = exported(folder)
    return PlainEncoder(model) if card.get("differs") else OnnxEncoder(folder)


def load_model(model: str) -> "SentenceTransformer":
    """The sentence-transformers model: safetensors only, no code of the model's own."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ModuleNotFoundError as error:
        said = f"the model '{model}' is to be run by sentence-transformers: {error}"
        raise EncoderError(said, "Install sentence-transformers, or leave KB_ENCODER at onnx") from error

    logging.disable_progress_bar()
    return SentenceTransformer(
        str(model_folder(model)),
        device="cpu",
        trust_remote_code=False,
        local_files_only=True,
        model_kwargs={"attn_implementation": "eager", "use_safetensors": True},
    )


def prompts_of(model: Any) -> dict[str, str]:
    """The model's own prompts for passages and queries, under whichever of the usual names it has them."""
    own: dict[str, str] = dict(model.prompts or {})
    default = own.get(model.default_prompt_name or "", "")
    passage = next((own[name] for name in ("passage", "document", "corpus") if own.get(name)), default)
    return {"passage": passage, "query": own.get("query") or default}


def window_of(model: Any, prompts: dict[str, str]) -> int:
    """How many tokens are left for a text when the longest prompt stands before it."""
    longest = max(len(model.tokenizer(prompt, add_special_tokens=False)["input_ids"]) for prompt in prompts.values())
    return int(model.max_seq_length or 512) - longest


def _export(model: str, folder: Path) -> None:
    """Export in a process of its own: it takes torch, 1 GB of memory and half a minute, once for a model."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "indexer.export", model, str(folder)]
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=folder.parent) as scratch:
        own = {"TMPDIR": scratch, "TORCHINDUCTOR_CACHE_DIR": scratch}
        environment = {**os.environ, **own, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False, timeout=_EXPORT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise EncoderError(
                f"the model '{model}' was not exported within {_EXPORT_SECONDS // 60} minutes",
                "Look at the machine, or set KB_ENCODER=sentence-transformers",
            ) from error
    if done.returncode == 0:
        return
    if "No module named" in done.stderr:
        raise EncoderError(
            f"the model '{model}' is to be exported, which needs PyTorch, and that is not installed here",
            f"Install sentence-transformers, or copy {folder.name} into {folder.parent} from where it was exported",
        )
    last = (done.stderr.strip().splitlines() or ["no output"])[-1]
    raise EncoderError(f"the model '{model}' could not be exported: {last}", "Set KB_ENCODER=sentence-transformers")


def _unit(vectors: Vectors) -> Vectors:
    lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
