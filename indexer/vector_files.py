"""The vectors of an index that are on disk: a file of all of them, and for many a FAISS index that finds candidates.

The file is two arrays as numpy saves them, the passages' keys and their vectors in half precision. The index of many is
an IVF whose lists hold one bit a dimension (RaBitQ, Gao and Long, 2024), 64 bytes a vector: it names the few hundred
that may be nearest, and the vectors say how near they are. Both are written once, and replaced as a whole.
"""

import hashlib
import os
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import repeat
from pathlib import Path
from typing import BinaryIO

import faiss
import numpy as np
from numpy.typing import NDArray

from indexer.disk import about, whole
from indexer.errors import IndexDamagedError
from indexer.vectors import HalfVectors

Keys = NDArray[np.int64]

# Up to so many vectors are compared with a query one and all: 10,000 in 0.3 ms, and no list is as exact
MOST_PLAIN = 30_000
# So many vectors of each list are enough to find where its middle is
_VECTORS_PER_TRAINED_LIST = 50
_ROUNDS = 8
AT_ONCE = 50_000
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


class Base:
    """``keys`` of all vectors; ``lists`` give keys, and are for many.

    Vectors are read from the file when they are asked for, whose pages the system keeps for all processes: in a map of
    the file, each would bring its neighbours into the memory of whoever asks.
    """

    def __init__(self, path: Path, lists: faiss.IndexIVF | None) -> None:
        with about(path), path.open("rb") as file:
            (count,) = _shape(file)
            self.keys: Keys = np.frombuffer(file.read(count * 8), np.int64)
            _, self.dimension = _shape(file)
            self._begin = file.tell()
        self.lists = lists
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def vectors(self, rows: Keys) -> HalfVectors:
        """Those at some rows, ``(n, dimension)``. What lies together is read together."""
        size = self.dimension * 2
        first = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
        sizes = np.diff(first, append=len(rows)) * size
        places = self._begin + rows[first] * size
        read = map(os.pread, repeat(self._file), sizes.tolist(), places.tolist())
        return np.frombuffer(b"".join(read), np.float16).reshape(len(rows), self.dimension)


def _shape(file: BinaryIO) -> tuple[int, ...]:
    """That of the array that begins here; on return its numbers are next."""
    np.lib.format.read_magic(file)
    shape: tuple[int, ...] = np.lib.format.read_array_header_1_0(file)[0]
    return shape


def write_base(
    folder: Path, name: str, keys: Keys, parts: Iterable[HalfVectors], lists: faiss.IndexIVF | None = None
) -> BaseFile:
    """Write a base whole: on return it is on disk under its name. ``parts`` are its vectors, some at a time.

    ``lists`` are those of the base before, without what is gone and with what has come; made anew where there are none.
    """
    with _writing(folder / name) as written:
        written.write(_header("<i8", (len(keys),)) + keys.tobytes())
        for number, some in enumerate(parts):
            if not number:
                written.write(_header("<f2", (len(keys), some.shape[1])))
            written.write(some.tobytes())
    base = BaseFile(name, written.sha256, len(keys))
    if len(keys) <= MOST_PLAIN:
        return base
    lists = lists or _trained(Base(folder / name, None))
    with _writing(folder / f"{Path(name).stem}.faiss") as written:
        # Of its own file FAISS does not say when what was left to write could not be
        faiss.write_index(lists, faiss.PyCallbackIOWriter(written.write))
    return replace(base, lists=written.sha256)


class _Writing:
    """A file being written. What its hash is made of never was on the disk, which may lose some of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._hash = file, hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def _writing(path: Path) -> Iterator[_Writing]:
    with whole(path) as part, part.open("wb") as file:
        yield _Writing(file)


def _header(kind: str, shape: tuple[int, ...]) -> bytes:
    """What ``numpy.save`` puts before an array. It writes the numbers by itself, and says nothing where it cannot."""
    file = BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file.getvalue()


def number_of_lists(count: int) -> int:
    """For so many vectors: the power of two next to their root and a half of it."""
    return 1 << max(0, round(float(np.log2(1.4 * np.sqrt(max(count, 1))))))


def add_to(lists: faiss.IndexIVF, keys: Keys, vectors: HalfVectors) -> None:
    """Put vectors into lists."""
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    lists.add_with_ids(vectors.astype(np.float32), keys)


def _trained(base: Base) -> faiss.IndexIVF:
    count, among = number_of_lists(len(base.keys)), len(base.keys)
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    lists = faiss.IndexIVFRaBitQ(faiss.IndexFlatIP(base.dimension), base.dimension, count, faiss.METRIC_INNER_PRODUCT)
    lists.cp.niter, lists.cp.max_points_per_centroid = _ROUNDS, _VECTORS_PER_TRAINED_LIST
    lists.cp.min_points_per_centroid = 1
    some = min(among, count * _VECTORS_PER_TRAINED_LIST)
    picked = np.sort(np.random.default_rng(_SEED).choice(among, some, replace=False))
    lists.train(base.vectors(picked).astype(np.float32))
    for start in range(0, among, AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, among))
        add_to(lists, base.keys[rows], base.vectors(rows))
    return lists


def read_base(folder: Path, file: BaseFile) -> Base:
    """The base of a file. Raises IndexDamagedError where its bytes are not those that were written.

    They are looked at first, since FAISS reads a flipped bit without a word.
    """
    check_base(folder, file)
    return Base(folder / file.name, _read_lists(folder / file.lists_name) if file.lists else None)


def _read_lists(path: Path) -> faiss.IndexIVF:
    # Through our own file: of its own, FAISS does not say which error it was
    with about(path), path.open("rb") as file:
        return faiss.read_index(faiss.PyCallbackIOReader(file.read))


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


def remove(path: Path) -> None:
    """Delete a file that no base has any more."""
    path.unlink(missing_ok=True)
    _looked_at.pop(path, None)


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
