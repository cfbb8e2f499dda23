"""kb doctor on indexes, vectors and the model."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.model_files import DEFAULT_MODEL, export_folder, model_folder, model_hash
from kb_service import doctor_index
from kb_service.diagnosis import Case
from kb_service.settings import Settings
from tests.doctor.house import House, everything, execute, flip, flip_table

MADE_BEFORE = "UPDATE meta SET value = 'hashing-1:64:0' WHERE name = 'made_by'"


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("index.db", lambda data: (data / "index.db").write_text("garbage " * 900), "is damaged"),
        ("index.db", lambda data: flip_table(data / "index.db", "passages"), "is damaged"),
        ("index.db", lambda data: execute(data / "index.db", "PRAGMA user_version=1"), "another version"),
        ("index.db", lambda data: flip(next(data.glob("index-*.npy"))), "is not as it was written"),
        ("index.db", lambda data: execute(data / "index.db", MADE_BEFORE), "cut its passages"),
        ("index.db", lambda data: execute(data / "index.db", "UPDATE passages SET has_vector = 0"), "by meaning yet"),
        ("incidents.db", lambda data: (data / "incidents.db").write_bytes(b"\0" * 9_000), "is damaged"),
        ("incidents.db", lambda data: next(data.glob("incidents-*.npy")).unlink(), "cannot be read: No such file"),
        ("vectors", lambda data: flip(data / "cache" / "vectors.db"), "cannot be read"),
        ("vectors", lambda data: (data / "incident-vectors.db").write_text("garbage " * 900), "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_derived_and_damaged_is_named_and_made_anew_by_what_it_says(
    house: House, name: str, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(house.data)
    before = everything(house.data)
    wrong = house.wrong()
    assert everything(house.data) == before
    (found,) = [one for one in wrong if re.search(said, one["said"])]
    assert found["name"] == name
    house.do(found["remedy"])
    assert house.wrong() == []


def test_an_index_of_another_encoder_is_told(house: House) -> None:
    made_by = "UPDATE meta SET value = 'f0a09a93:onnx-int8-1:254:6' WHERE name = 'made_by'"
    execute(house.data / "index.db", made_by)
    assert "KB_ENCODER" in house.only("index.db", "warning", "another encoder made it")


@pytest.mark.usefixtures("encoder")
def test_a_file_of_the_model_that_is_gone_or_flipped_is_named(model_cache: Path, house: House) -> None:
    export = export_folder(model_cache, model_hash(model_folder(DEFAULT_MODEL)))
    own = house.data / "cache" / "models" / export.name
    shutil.copytree(export, own)
    case = Case(Settings(data=house.data))
    assert [one.level for one in doctor_index.model(case)] == ["ok"]
    flip(own / "tokenizer.json")
    (found,) = doctor_index.model(case)
    assert (found.level, str(own / "tokenizer.json") in found.said) == ("error", True)
    (own / "model.onnx").unlink()
    (found,) = doctor_index.model(case)
    assert (found.level, found.said) == ("error", f"{own / 'model.onnx'} is missing")
    (own / "encoder.json").write_text("{")
    (found,) = doctor_index.model(case)
    assert (found.level, "encoder.json cannot be read" in found.said) == ("error", True)
    house.do(found.remedy.partition(" && ")[0])
    (found,) = doctor_index.model(case)
    assert (found.level, f"{DEFAULT_MODEL}, not exported yet" in found.said) == ("ok", True)


def test_a_model_that_is_not_here_is_named_and_nothing_is_fetched(house: House) -> None:
    house.settings.update(KB_ENCODER="onnx", KB_MODEL="no/such-model")
    assert house.only("model", "error", "'no/such-model' is no folder") == "Mend KB_MODEL"
    house.settings["KB_MODEL"] = str(house.folder)
    house.only("model", "error", "holds no .safetensors file")
