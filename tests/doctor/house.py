"""A data folder that the doctor looks at, and what is done to it."""

import gc
import json
import os
import re
import shlex
import sqlite3
import subprocess
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from typer.testing import CliRunner, Result

from kb_service import desk_sums
from kb_service.cli import app

Found = list[dict[str, str]]


class House:
    """A data folder and its content, in a folder of their own, and what the doctor says of them."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.data, self.content = folder, folder / "data", folder / "content"
        # Whatever else runs on this machine, no service is asked, unless that is what is tried
        self.settings = {
            "KB_CONTENT": str(self.content), "KB_DATA": str(self.data), "KB_ENCODER": "hashing", "KB_PORT": "0",
            **settings,
        }  # fmt: skip

    def run(self, *options: str) -> Result:
        return CliRunner().invoke(app, ["doctor", *options], env=self.settings)

    def doctor(self, *options: str) -> Found:
        result = self.run("--json", *options)
        found: Found = json.loads(result.stdout)
        assert result.exit_code == int(any(one["level"] == "error" for one in found)), result.output
        assert {tuple(one) for one in found} == {("name", "level", "said", "remedy")}
        assert all(bool(one["remedy"]) == (one["level"] != "ok") for one in found), found
        assert "cannot be judged" not in result.stdout
        return found

    def wrong(self, *options: str) -> Found:
        return [one for one in self.doctor(*options) if one["level"] != "ok"]

    def only(self, name: str, level: str, said: str) -> str:
        """The remedy of the one thing that is wrong."""
        (found,) = self.wrong()
        assert (found["name"], found["level"]) == (name, level), found
        assert re.search(said, found["said"]), found
        return found["remedy"]

    def do(self, remedy: str, **named: str) -> None:
        """Run the command of a remedy as a person would; ``kb`` in this process, which is quicker."""
        _, found, command = re.split(r"([Rr]un: )", remedy, maxsplit=1)
        assert found
        for name, value in named.items():
            command = command.replace(name, value)
        for part in command.split(" && "):
            words = shlex.split(part)
            if ours := re.match(r"(KB_CACHE=\S+ )?kb ", part):
                environment = {**self.settings, **dict([words[0].split("=", 1)] if ours[1] else [])}
                result = CliRunner().invoke(app, words[words.index("kb") + 1 :], env=environment)
                assert result.exit_code == 0, (part, result.output, result.exception)
                # Else its files stay open, until chance closes them
                gc.collect()
            else:
                environment = {**os.environ, **self.settings, "HOME": str(self.folder)}
                subprocess.run(["sh", "-c", part], env=environment, check=True, capture_output=True)


def everything(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Every file of a folder, to the byte, with its permissions and the time of its last change."""
    return {
        str(path.relative_to(folder)): (
            sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
        )
        for path in (folder, *folder.rglob("*"))
    }


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    middle, some = len(data) // 2, min(2_000, len(data) // 4)
    for at in range(middle - some, middle + some):
        data[at] ^= 0xFF
    path.write_bytes(data)


def flip_table(path: Path, table: str) -> None:
    """What is in use of a database, not what was deleted and lies there yet."""
    with closing(sqlite3.connect(path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    data = bytearray(path.read_bytes())
    page = slice((root - 1) * size, root * size)
    data[page] = bytes(one ^ 0xFF for one in data[page])
    path.write_bytes(data)


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        desk_sums.know(connection)
        for statement in statements:
            connection.execute(statement)
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
