"""A reader follows from one generation to the next: what it has then is as if it was read anew."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer import Owner, Passage
from indexer.database import writing
from indexer.errors import IndexDamagedError
from indexer.folding import fold
from indexer.language import ENGLISH
from indexer.prepared import Prepared
from indexer.vector_files import BaseFile, read_base
from tests.posting_lists import check_lists
from tests.test_index import ENCODER, EVERYBODY, PUBLIC, SEEN, TEXT, ask, encode_pending, make, put, shape


def test_a_reader_that_cannot_follow_reads_anew(tmp_path: Path) -> None:
    index, writer = make(tmp_path), make(tmp_path)
    for number in range(3):
        put(writer, Owner(f"a{number}", frozenset({"public"})), ["VPN", "vpn"])
    assert len(ask(index, "vpn").candidates) == 3
    for forgotten in ("seq <= 4", "1"):
        put(writer, Owner("more", frozenset({"public"})), ["VPN", "vpn"])
        put(writer, Owner(f"more {forgotten}", frozenset({"public"})), ["VPN", "vpn"])
        writer.connection.execute(f"DELETE FROM changed WHERE {forgotten}")
        assert shape(ask(index, "vpn")) == shape(ask(make(tmp_path), "vpn"))
    assert len(ask(index, "vpn").candidates) == 6


def test_lists_of_many_vectors_follow_what_comes_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.vector_files.MOST_PLAIN", 100)
    index = make(tmp_path)
    with writing(index.connection):
        index.set_meta("encoder", ENCODER.identity)

    def held() -> tuple[BaseFile, int, set[int]]:
        file = BaseFile(**json.loads(index.meta("base") or ""))
        base = read_base(tmp_path, file)
        assert base.lists is not None
        assert base.lists.ntotal == len(base.keys) == file.count
        for key, vector in zip(base.keys.tolist(), base.vectors(np.arange(file.count)).astype(np.float32), strict=True):
            _, near = base.lists.search(vector[None, :], 20)
            assert key in near[0]
        return file, base.lists.nlist, set(base.keys.tolist())

    for number in range(150):
        put(index, Owner(f"a{number}", frozenset({"public"})), [f"Title {number}", f"text of {number} {number * 7}"])
    fold(index)
    first, before, _ = held()
    with index.changing() as change:
        for number in range(10, 20):
            change.delete(f"a{number}")
        change.upsert(Owner("a3", frozenset({"public"})), [])
    put(index, Owner("new", frozenset({"public"})), ["Another", "and its text"])
    assert int(index.meta("dead") or 0) == 22
    fold(index)
    second, after, keys = held()
    assert after == before, "trained once"
    assert keys == {key for (key,) in index.connection.execute("SELECT key FROM passages")}
    assert index.meta("dead") is None
    assert {path.name for path in tmp_path.glob("index-*")} == {*first.names, *second.names}
    fold(index, keep_previous=False)
    assert len([*tmp_path.glob("index-*")]) == 2
    (tmp_path / held()[0].lists_name).write_bytes(b"")
    with pytest.raises(IndexDamagedError, match="is not as it was written"):
        make(tmp_path).check_base()


CHANGED = st.tuples(
    st.integers(0, 5),
    st.sampled_from(["put", "put", "put", "delete", "rename"]),
    st.sampled_from([("public",), ("internal",), ("public", "internal")]),
    st.sampled_from([(), ("VPN",), ("mail",)]),
    st.sampled_from([None, datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)]),
    st.lists(TEXT, min_size=1, max_size=4),
)
FILTERS = [
    PUBLIC,
    EVERYBODY,
    SEEN,
    replace(EVERYBODY, facets={"service": frozenset({"vpn"})}),
    replace(EVERYBODY, validity="any", exclude=frozenset({"a1"})),
]


@pytest.mark.parametrize("all_at_once", [True, False])
@settings(max_examples=30, deadline=None)
@given(rounds=st.lists(st.lists(CHANGED, min_size=1, max_size=4), min_size=1, max_size=6), query=TEXT)
def test_what_is_followed_is_as_if_it_was_read_anew(
    all_at_once: bool,
    rounds: list[list[tuple[int, str, tuple[str, ...], tuple[str, ...], datetime | None, list[str]]]],
    query: str,
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        # With few dead rows allowed all are read anew now and then
        patch.setattr("indexer.columns._MANY", 1 if all_at_once else 1_000)
        patch.setattr("indexer.vector_files.MOST_PLAIN", 1_000 if all_at_once else 0)
        index = make(Path(folder))
        with writing(index.connection):
            index.set_meta("encoder", ENCODER.identity)
        held: list[tuple[NDArray[np.generic], NDArray[np.generic]]] = []
        for number, changes in enumerate(rounds):
            with index.changing() as change:
                for name, what, audiences, services, until, texts in changes:
                    owner = Owner(f"a{name}", frozenset(audiences), {"service": services}, valid_to=until)
                    if what == "put":
                        passages = [Passage("", owner.id, (texts[0],), "", texts[0], "title")]
                        passages += [Passage("", owner.id, (texts[0],), "", text, "section") for text in texts[1:]]
                        change.upsert(owner, [Prepared.of(passage, ENGLISH) for passage in passages])
                    elif what == "delete":
                        change.delete(owner.id)
                    else:
                        change.delete("another")
                        change.rename(owner.id, "another")
                encode_pending(index)
                index.raise_generation()
            if number % 2:
                fold(index)
            fresh = make(Path(folder))
            for wanted in FILTERS if number % 2 else FILTERS[:2]:
                assert shape(ask(index, query, wanted)) == shape(ask(fresh, query, wanted))
                with index.snapshot() as one, fresh.snapshot() as other:
                    columns = (getattr(one.columns.passages, name) for name in ("keys", "owner_of", "position_of"))
                    held += [(column, column.copy()) for column in (*columns, one.columns.owners.alive)]
                    assert one.view(wanted).words == other.view(wanted).words
                    assert one.encoded_share(index.connection, wanted) == other.encoded_share(fresh.connection, wanted)
                    for had, has in ((one.view(wanted).bodies, other.view(wanted).bodies),
                                     (one.view(wanted).names, other.view(wanted).names)):  # fmt: skip
                        assert sorted(had.keys.tolist()) == sorted(has.keys.tolist())
                        every = np.arange(100)
                        assert (had.has(every) == np.isin(every, had.keys)).all()
                        assert had.count == len(had.keys)
        check_lists(index.connection)
        assert all((column == as_it_was).all() for column, as_it_was in held), "who reads is not disturbed"
