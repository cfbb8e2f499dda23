"""The words lane at sizes at which not every word is read."""

from pathlib import Path

import pytest

from indexer.retrieval import Owner
from tests.test_index import ask, make, put


def test_words_that_many_say_are_left_out_while_rarer_ones_remain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make(tmp_path)
    for number in range(12):
        put(index, Owner(f"a{number}", frozenset({"public"})), ["Printers", f"printer jams again {number}"])
    put(index, Owner("rare", frozenset({"public"})), ["Plotters", "plotter jams again, printer does not"])
    said = {hit.owner_id: hit.said for hit in ask(index, "printer plotter jams").candidates}
    assert (said["rare"], said["a1"]) == (3, 2)
    monkeypatch.setattr("indexer.words.MOST_READ", 3)
    found = ask(index, "printer plotter jams")
    assert found.asked == 1
    assert [hit.owner_id for hit in found.candidates if hit.article_words > 0] == ["rare"]
    # The rarest there is stays, however many say it; of a word that nobody says nothing is read
    found = ask(index, "printer jams unheard")
    assert found.asked == 2
    assert sum(hit.article_words > 0 for hit in found.candidates) == 13
    assert ask(index, "printer").asked == 1
