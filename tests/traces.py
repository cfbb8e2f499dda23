"""Words that stand nowhere else, and where bytes of them are left."""

import random
from collections.abc import Sequence
from pathlib import Path


def secrets(seed: int, count: int) -> list[str]:
    chance = random.Random(seed)  # noqa: S311
    return ["zq" + "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=14)) for _ in range(count)]


def traces(data: Path, needles: Sequence[bytes]) -> list[tuple[str, bytes]]:
    files = [(file.name, file.read_bytes().lower()) for file in data.rglob("*") if file.is_file()]
    return [(name, needle) for needle in needles for name, content in files if needle.lower() in content]
