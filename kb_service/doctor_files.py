"""The data folder: can it be used, by whom, is there room in it, and what was left in it."""

import os
import pwd
import re
import shlex
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from indexer.errors import KnowledgeBaseError
from indexer.model_files import EXPORT_RECIPE
from kb_service.diagnosis import Case, Diagnosis, size

_LEAST_FREE = 200_000_000
_HOUR, _DAY = 3_600, 86_400
_KEPT_DAYS = 30
_SECRET = ("desk*.db*", "incidents.db*", "incident-vectors.db*", "session.key")
_PARTS = ("*.part", "desk-restoring.db*", "publish/*.part", "publish/requested.*")
_SCRATCH = ("models/.scratch-*", "models/.export-*")
# Of /proc/mounts: what several machines may have mounted, or what has no shared memory for files
_OVER_NETWORK = frozenset(
    "nfs nfs4 cifs smb3 smbfs ncpfs afs ceph glusterfs lustre beegfs gfs2 ocfs2 davfs 9p fuse.sshfs fuse.s3fs"
    " fuse.glusterfs fuse.ceph fuse.rclone fuse.gcsfuse".split()
)


def data_folder(case: Case) -> Iterator[Diagnosis]:
    """Whether it is there, can be written, lies on a disk of this machine, and is closed to others."""
    name, folder = "data folder", case.settings.data
    if not folder.is_dir():
        what = f"{folder.absolute()} is no folder" if folder.exists() else f"there is no folder {folder.absolute()}"
        anew = f"To begin a new one, run: {case.kb('index', content=True)}"
        yield Diagnosis(name, "error", what, f"Mount it, or name the right one by --data or KB_DATA. {anew}")
        return
    found = [*_access(folder), *_owners(folder), *_open_to_others(folder), *_network(folder)]
    yield from found
    if not found:
        yield Diagnosis(name, "ok", f"{folder.absolute()}, of {_user(folder.stat().st_uid)}, can be written")


def room(case: Case, free: int | None = None) -> Iterator[Diagnosis]:
    """Free space, in terms of what a backup and a rebuild would write; ``free`` bytes if that is known."""
    name, folder = "free space", case.settings.data
    if not folder.is_dir():
        return
    if free is None:
        disk = os.statvfs(folder)
        free = disk.f_bavail * disk.f_frsize
    there = sum(file.stat().st_size for file in _files(folder))
    told = f"{size(free)} free; the files of the data folder take {size(there)}"
    remedy = "Free some, or move the data folder to a larger disk"
    if free < _LEAST_FREE:
        yield Diagnosis(name, "error", f"{told}: soon nothing can be written", remedy)
    elif free < there:
        yield Diagnosis(name, "warning", f"{told}: too little for a backup and a rebuild beside them", remedy)
    else:
        yield Diagnosis(name, "ok", told)


def left_over(case: Case) -> Iterator[Diagnosis]:
    """What runs that were stopped left, records that were kept when a backup was restored, earlier versions' models."""
    name, data, cache = "left over", case.settings.data, case.settings.cache_folder
    if not data.is_dir():
        return
    stray = [*_older(data, _PARTS, _HOUR), *_older(cache, _SCRATCH, _HOUR)]
    if stray:
        taken = size(sum(map(_size, stray)))
        yield Diagnosis(
            name, "warning", f"temporary files and folders of runs that were stopped: {len(stray)}, {taken}",
            f"Nothing needs them. Run: {shlex.join(['rm', '-r', '--', *map(str, stray)])}",
        )  # fmt: skip
    if kept := _older(data, ["desk-before-restore-*.db"], _KEPT_DAYS * _DAY):
        yield Diagnosis(
            name, "warning",
            f"records as they were before a restore, over {_KEPT_DAYS} days old: {len(kept)}. What was erased since may"
            " be in them",
            f"If they are not needed any more, run: {shlex.join(['rm', '--', *map(str, kept)])}",
        )  # fmt: skip
    earlier = (path for path in _older(cache, ["models/*-onnx-*"], 0) if not path.name.endswith(f"-{EXPORT_RECIPE}"))
    if exports := list(earlier):
        yield Diagnosis(
            name, "warning",
            f"models as earlier versions prepared them: {len(exports)}, {size(sum(map(_size, exports)))}",
            f"If none of those is gone back to, run: {shlex.join(['rm', '-r', '--', *map(str, exports)])}",
        )  # fmt: skip
    if not stray and not kept and not exports:
        yield Diagnosis(name, "ok", "nothing")


def file_system(path: Path, mounts: str) -> str:
    """The type of the file system that a path lies on, as /proc/mounts tells; empty where it does not."""
    best, kind = -1, ""
    for line in mounts.split("\n"):
        _, where, found, *_ = [*line.split(" "), "", "", ""]
        # Spaces and the like stand there as \040 (proc(5))
        mounted = os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda one: bytes([int(one[1], 8)]), os.fsencode(where)))
        # Of two on one place the later one is seen
        if mounted and path.is_relative_to(mounted) and len(mounted) >= best:
            best, kind = len(mounted), found
    return kind


def _access(folder: Path) -> Iterator[Diagnosis]:
    user = _user(os.geteuid())
    if not os.access(folder, os.R_OK | os.X_OK):
        owner = _user(folder.stat().st_uid)
        raise KnowledgeBaseError(f"{folder.absolute()} cannot be read by {user}", f"Do this as {owner}, whose it is")
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        remedy = "Look at the disk (dmesg): one that fails is mounted so. Then mount it to be written"
        yield Diagnosis("data folder", "error", f"{folder.absolute()} lies on a disk that is mounted read-only", remedy)
    elif not os.access(folder, os.W_OK):
        remedy = f"Do this as {_user(folder.stat().st_uid)}, whose it is, or give {user} the right to write"
        yield Diagnosis("data folder", "error", f"{folder.absolute()} cannot be written by {user}", remedy)


def _owners(folder: Path) -> Iterator[Diagnosis]:
    owner = folder.stat().st_uid
    others = sorted(file for file in _files(folder) if file.stat().st_uid != owner)
    if others:
        whose = ", ".join(sorted({_user(file.stat().st_uid) for file in others}))
        mend = shlex.join(["chown", _user(owner), "--", *map(str, others)])
        yield Diagnosis(
            "data folder", "warning",
            f"{_names(others)} of {whose}, but the folder is {_user(owner)}'s: its service cannot write them",
            f"Run: {mend}",
        )  # fmt: skip


def _open_to_others(folder: Path) -> Iterator[Diagnosis]:
    if not folder.stat().st_mode & 0o001:
        return
    found = sorted({file for one in _SECRET for file in folder.glob(one) if file.stat().st_mode & 0o004})
    if found:
        mend = shlex.join(["chmod", "o-rwx", "--", *map(str, found)])
        said = f"every user of this machine can read {_names(found)}, with all records"
        yield Diagnosis("data folder", "warning", said, f"Run: {mend}")


def _network(folder: Path) -> Iterator[Diagnosis]:
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "surrogateescape")
    except OSError:
        return
    kind = file_system(folder.resolve(), mounts)
    if kind in _OVER_NETWORK:
        yield Diagnosis(
            "data folder", "warning",
            f"{folder.absolute()} lies on {kind}: SQLite's write-ahead log needs a disk of this machine, else files"
            " may be damaged",
            "Move the data folder to a disk of this machine, and back up to the other by 'kb backup'",
        )  # fmt: skip


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()]


def _older(folder: Path, patterns: Iterable[str], seconds: float) -> list[Path]:
    """What lies there by these names and was last written so long ago: what runs now has younger ones."""
    since = time.time() - seconds
    return sorted(path for one in patterns for path in folder.glob(one) if path.lstat().st_mtime < since)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files)


def _names(files: list[Path]) -> str:
    names = ", ".join(file.name for file in files[:3])
    return names if len(files) <= 3 else f"{names} and {len(files) - 3} more"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
