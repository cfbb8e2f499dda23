"""kb doctor on files: who may read them, what stopped runs left, and how much room there is."""

import os
import re
from pathlib import Path

from indexer.model_files import EXPORT_RECIPE
from kb_service import doctor_files
from kb_service.diagnosis import Case, size
from kb_service.settings import Settings
from tests.doctor.house import House


def test_files_that_others_can_read_or_own_are_closed_by_what_it_says(house: House) -> None:
    house.data.chmod(0o755)
    (house.data / "desk.db").chmod(0o644)
    house.do(house.only("data folder", "warning", "every user of this machine can read desk.db"))
    assert house.wrong() == []
    if os.geteuid() == 0:
        os.chown(house.data / "index.db", 12345, -1)
        house.do(house.only("data folder", "warning", "index.db of 12345, but the folder is root's"))
        assert house.wrong() == []


def test_what_stopped_runs_left_is_named_once_it_is_old(house: House) -> None:
    house.data.chmod(0o750)
    left = ["desk.db.part", "index-7-9.npy.part", "publish/requested.123", "cache/models/.export-abc/model.onnx"]
    for name in left:
        (house.data / name).parent.mkdir(parents=True, exist_ok=True)
        (house.data / name).write_bytes(b"x" * 1_500_000)
    kept = house.data / "desk-before-restore-20260101T000000.db"
    kept.touch()
    assert house.wrong() == [], "it may be at work"
    for path in (*(house.data / name for name in left), house.data / "cache/models/.export-abc"):
        os.utime(path, (1, 1))
    house.do(house.only("left over", "warning", "temporary files and folders .*: 4, 6.0 MB"))
    assert house.wrong() == []
    assert kept.exists()
    os.utime(kept, (1, 1))
    house.do(house.only("left over", "warning", "records as they were before a restore.*: 1"))
    assert house.wrong() == []


def test_models_of_earlier_versions_are_named(house: House) -> None:
    house.data.chmod(0o750)
    models = house.data / "cache" / "models"
    for name in ("abc-onnx-int8-0", f"abc-{EXPORT_RECIPE}"):
        (models / name).mkdir(parents=True)
        (models / name / "model.onnx").write_bytes(b"x" * 2_000_000)
    house.do(house.only("left over", "warning", "models as earlier versions prepared them: 1, 2.0 MB"))
    assert house.wrong() == []
    assert [one.name for one in models.iterdir()] == [f"abc-{EXPORT_RECIPE}"]


def test_room_is_judged_by_what_a_backup_and_a_rebuild_take(house: House) -> None:
    with (house.data / "index-1-1.npy").open("wb") as file:
        file.truncate(1_000_000_000)
    case = Case(Settings(data=house.data))
    for free, level in ((2_000_000_000, "ok"), (900_000_000, "warning"), (199_000_000, "error")):
        (found,) = doctor_files.room(case, free)
        assert found.level == level
        assert re.match(r"\d+ MB free|2.0 GB free", found.said), found.said
    assert [size(count) for count in (0, 999, 1_000, 52_428, 1_234_567, 12_345_678, 10**10)] == [
        "0 bytes", "999 bytes", "1 KB", "52 KB", "1.2 MB", "12 MB", "10 GB",
    ]  # fmt: skip


def test_a_disk_of_another_machine_is_told_by_its_mount() -> None:
    mounts = (
        "/dev/sda1 / ext4 rw 0 0\nserver:/kb /srv/kb\\040data nfs4 rw 0 0\n"
        "/dev/sdb1 /srv/kb\\040data/fast ext4 rw 0 0\ntmpfs /srv/k tmpfs rw 0 0\nbroken\n"
        "server:/b /mnt/b\u00fcro\u00a0b nfs4 rw 0 0\nserver:/c /mnt/b\udcfc nfs rw 0 0\n"
    )
    for path, kind in (
        ("/srv/kb data/data", "nfs4"), ("/srv/kb data/fast/data", "ext4"), ("/srv/kb", "ext4"), ("/srv/k", "tmpfs"),
        ("/mnt/b\u00fcro\u00a0b/data", "nfs4"), ("/mnt/b\udcfc", "nfs"),
    ):  # fmt: skip
        assert doctor_files.file_system(Path(path), mounts) == kind
    assert doctor_files.file_system(Path("/x"), "") == ""
