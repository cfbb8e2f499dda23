"""Whether the lists of an index say of every passage what it says, and nothing else."""

import json
import sqlite3
from collections import Counter

from indexer import postings
from indexer.language import ENGLISH
from indexer.passages import Passage
from indexer.prepared import terms_of


def check_lists(connection: sqlite3.Connection) -> None:
    """Compare every list with the texts."""
    expected: dict[tuple[int, str], dict[int, int]] = {}
    for scope, key, path, anchor, text, role in connection.execute(
        "SELECT o.scope, p.key, p.heading_path, p.anchor, p.text, p.role"
        " FROM passages p JOIN owners o ON o.key = p.owner ORDER BY p.key"
    ):
        passage = Passage("", "", tuple(json.loads(path)), anchor, text, role)
        for term, count in Counter(terms_of(passage, ENGLISH)).items():
            expected.setdefault((scope, term), {})[key] = min(count, 255)
    lists = connection.execute("SELECT scope, term, holders FROM terms").fetchall()
    found = {(scope, term): postings.read(connection, [scope], term) for scope, term, _ in lists}
    assert {what: [*one.items()] for what, one in expected.items()} == {
        what: [*zip(one.keys.tolist(), one.counts.tolist(), strict=True)] for what, one in found.items()
    }
    assert {(scope, term): count for scope, term, count in lists} == {what: len(one) for what, one in expected.items()}
    numbers = "SELECT number FROM terms"
    assert connection.execute(f"SELECT id FROM pieces WHERE id >> 20 NOT IN ({numbers})").fetchall() == []
