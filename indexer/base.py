"""The vectors of an index that are on disk: a file of all of them, and for many a FAISS index that finds candidates.

The file is an array of records, a passage's key and its vector in half precision each, which is mapped into memory:
what several processes read of it is there once. The index of many is an IVF whose lists hold one bit a dimension
(RaBitQ, Gao and Long, 2024), 64 bytes a vector: it names the few hundred that may be nearest, and the records say how
near they are. Both are written once, and replaced as a whole.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamagedError
from indexer.vectors import HalfVectors

Keys = NDArray[np.int64]
Records = NDArray[np.void]

# Up to so many vectors are compared with a query one and all: 10,000 in 0.3 ms, and no list is as exact
MOST_PLAIN = 30_000
# So many vectors of each list are enough to find where its middle is
_VECTORS_PER_TRAINED_LIST = 50
_ROUNDS = 8
_AT_ONCE = 50_000
_SEED = 1


@dataclass(frozen=True, slots=True)
class BaseFile:
    """A base on disk: its name in the data folder, SHA-256, number of vectors, and the SHA-256 of its lists.

    There are ``lists`` where the vectors are many.
    """

    name: str
    sha256: str
    count: int
    lists: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Of its files."""
        return (self.name, self.lists_name) if self.lists else (self.name,)

    @property
    def lists_name(self) -> str:
        return f"{Path(self.name).stem}.faiss"


@dataclass(frozen=True, slots=True)
class Base:
    """``keys`` and ``vectors``, ``(n, dimension)``, as they lie in the file; ``lists`` give keys, and are for many."""

    keys: Keys
    vectors: HalfVectors
    lists: faiss.IndexIVF | None


def record_of(dimension: int) -> np.dtype[np.void]:
    """The type of a record."""
    return np.dtype([("key", "<i8"), ("vector", "<f2", (dimension,))])


def records(keys: Keys, vectors: HalfVectors) -> Records:
    """Records of keys and vectors, ``(n, dimension)``."""
    made = np.empty(len(keys), record_of(vectors.shape[1]))
    made["key"], made["vector"] = keys, vectors
    return made


def write_base(
    folder: Path, name: str, count: int, parts: Iterable[Records], lists: faiss.IndexIVF | None = None
) -> BaseFile:
    """Write a base of ``count`` records whole: on return it is on disk under its name.

    ``lists`` are those of the base before, without what is gone and with what has come; made anew where there are none.
    """
    part = folder / f"{name}.part"
    with part.open("wb") as file:
        for number, some in enumerate(parts):
            if not number:
                np.lib.format.write_array_header_2_0(
                    file, {"descr": some.dtype.descr, "fortran_order": False, "shape": (count,)}
                )
            file.write(some.tobytes())
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / name)
    base = BaseFile(name, _hash_of(folder / name), count)
    if count <= MOST_PLAIN:
        return base
    base = BaseFile(base.name, base.sha256, count, "-")
    _write_lists(folder / base.lists_name, lists or _trained(folder / name))
    return BaseFile(base.name, base.sha256, count, _hash_of(folder / base.lists_name))


def number_of_lists(count: int) -> int:
    """For so many vectors: the power of two next to their root and a half of it."""
    return 1 << max(0, round(float(np.log2(1.4 * np.sqrt(max(count, 1))))))


def add_to(lists: faiss.IndexIVF, some: Records) -> None:
    """Put records into lists."""
    for start in range(0, len(some), _AT_ONCE):
        part = some[start : start + _AT_ONCE]
        lists.add_with_ids(part["vector"].astype(np.float32), np.ascontiguousarray(part["key"]))


def _trained(path: Path) -> faiss.IndexIVF:
    every: Records = np.load(path, mmap_mode="r")
    dimension = every["vector"].shape[1]
    count = number_of_lists(len(every))
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    lists = faiss.IndexIVFRaBitQ(faiss.IndexFlatIP(dimension), dimension, count, faiss.METRIC_INNER_PRODUCT)
    lists.cp.niter, lists.cp.max_points_per_centroid = _ROUNDS, _VECTORS_PER_TRAINED_LIST
    lists.cp.min_points_per_centroid = 1
    some = min(len(every), count * _VECTORS_PER_TRAINED_LIST)
    picked = np.sort(np.random.default_rng(_SEED).choice(len(every), some, replace=False))
    lists.train(every["vector"][picked].astype(np.float32))
    add_to(lists, every)
    return lists


def _write_lists(path: Path, lists: faiss.IndexIVF) -> None:
    part = path.with_name(f"{path.name}.part")
    faiss.write_index(lists, str(part))
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


def read_base(folder: Path, file: BaseFile) -> Base:
    """The base of a file. Raises IndexDamagedError where its bytes are not those that were written.

    They are looked at first, since FAISS reads a flipped bit without a word.
    """
    check_base(folder, file)
    every = np.asarray(np.load(folder / file.name, mmap_mode="r"))
    lists = faiss.read_index(str(folder / file.lists_name)) if file.lists else None
    return Base(every["key"], every["vector"], lists)


_looked_at: dict[Path, tuple[str, int, int, int]] = {}


def check_base(folder: Path, file: BaseFile) -> None:
    """Raise IndexDamagedError where a file is not as it was written; one that nobody touched is looked at once."""
    for path, expected in zip((folder / name for name in file.names), (file.sha256, file.lists), strict=False):
        try:
            found = path.stat()
            seen = (expected, found.st_mtime_ns, found.st_size, found.st_ino)
            if _looked_at.get(path) == seen:
                continue
            digest = _hash_of(path)
        except OSError as error:
            raise IndexDamagedError(
                f"{path} cannot be read: {error.strerror}", "Run 'kb index' to rebuild it"
            ) from error
        if digest != expected:
            raise IndexDamagedError(f"{path} is not as it was written", "Run 'kb index' to rebuild it")
        _looked_at[path] = seen


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
