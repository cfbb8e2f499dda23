"""A data folder that a service has left, what it answers, and what is done to its files."""

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests import forked
from tests.authors import Service

ASKED = ("password reset", "vpn drops error 809", "disk is full", "printer offline", "0x80070005", "network")
ARTICLES = 80
RECORDS = 30


@dataclass(frozen=True)
class Whole:
    """A data folder that a service has left, and what it answered."""

    folder: Path
    content: Path
    answers: list[Any]
    records: list[Any]


def asked(client: httpx2.Client) -> list[Any]:
    """What is answered, but for what differs from one index to the next: times and generations."""
    found = []
    for text in ASKED:
        body = client.get("/api/search", params={"q": text, "limit": 20}).raise_for_status().json()
        found.append([{**hit, "parts": None} for hit in body["hits"]])
        if body["hits"]:
            article = client.get(f"/api/articles/{body['hits'][0]['id']}").raise_for_status().json()
            found.append([article["title"], article["html"]])
    return found


def recorded(client: httpx2.Client) -> list[Any]:
    """Every record as it is kept, and what is like the first one."""
    kept = [client.get(f"/api/incidents/INC{number:04}").raise_for_status().json() for number in range(RECORDS)]
    for one in kept:
        one.pop("age_minutes", None)
    like = client.get("/api/incidents/INC0000/related").json()
    return [kept, [hit.get("number") for hit in like.get("hits", [])]]


def ready(client: httpx2.Client) -> bool:
    answer = client.get("/readyz")
    if answer.status_code != 200:
        return False
    body = answer.json()
    return (
        not body["publishing"] and body["encoded"]["share"] == 1 and not body["incidents"]["behind"]
        and body["failure"] is None
    )  # fmt: skip


def service_of(folder: Path, content: Path, **settings: str) -> Service:
    return Service(folder, KB_CONTENT=str(content), **settings)


def files_of(folder: Path) -> list[Path]:
    """Those that are read again; what is empty is a lock."""
    return sorted(
        file for file in folder.rglob("*") if file.is_file() and file.stat().st_size and file.suffix != ".lock"
    )


def spoil(file: Path, how: str, chance: random.Random) -> None:
    data = bytearray(file.read_bytes())
    if how == "truncated":
        data = data[: len(data) // 2]
    elif how == "emptied":
        data = bytearray()
    elif how == "garbage":
        data = bytearray(chance.randbytes(len(data)))
    else:
        first, last = {"head": (0, 100), "tail": (len(data) - 64, len(data)), "flipped": (0, len(data))}[how]
        at = chance.randrange(max(0, first), max(1, min(last, len(data))))
        data[at] ^= 1 << chance.randrange(8)
    file.write_bytes(data)


HOW = ("flipped", "flipped", "flipped", "head", "tail", "truncated", "emptied", "garbage")


def refused(service: Service) -> str:
    """What is said of a record that is refused, by any command, and left as it is."""
    record = Path(service.environment["KB_DATA"]) / "desk.db"
    before = record.read_bytes()
    for _again in range(2):
        done = forked.kb(["keys", "list"], service.environment)
        said = " ".join(done.stderr.split())
        assert done.returncode == 3, said
        assert "desk.db" in said
        assert "kb restore FILE" in said
        assert "Traceback" not in said
        assert record.read_bytes() == before
    return said


def words_piece(folder: Path) -> None:
    """One bit of the list of a word that is searched, where SQLite sees nothing."""
    with closing(sqlite3.connect(folder / "index.db", isolation_level=None)) as connection:
        for (piece,) in connection.execute(
            "SELECT p.id FROM terms t JOIN pieces p ON p.id BETWEEN t.number << 20 AND (t.number << 20) + 1048575"
            " WHERE t.term = 'password'"
        ).fetchall():
            (said,) = connection.execute("SELECT list FROM pieces WHERE id = ?", (piece,)).fetchone()
            changed = bytearray(said)
            changed[-1] ^= 1
            connection.execute("UPDATE pieces SET list = ? WHERE id = ?", (bytes(changed), piece))


def flip_text(folder: Path, which: str, what: str) -> None:
    with closing(sqlite3.connect(folder / "index.db", isolation_level=None)) as connection:
        rows = connection.execute(which).fetchall()
        assert rows
        for key, said in rows:
            changed = said.replace("password", "qassword")
            connection.execute(f"UPDATE {what} = ? WHERE rowid = ?", (changed, key))
