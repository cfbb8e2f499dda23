"""Tokens are counted as the tokenizer counts them, however it is done."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from indexer.model_files import DEFAULT_MODEL, model_folder
from indexer.tokens import TokenCounter, reads_word_by_word
from tests.conftest import CONTENT

FILE = model_folder(DEFAULT_MODEL) / "tokenizer.json"
COUNTER = TokenCounter(FILE)
TOKENIZER = Tokenizer.from_file(str(FILE))
TOKENIZER.no_truncation()
TOKENIZER.no_padding()


def by_the_tokenizer(text: str) -> int:
    return len(TOKENIZER.encode(text).ids)


def test_of_everything_we_have_written() -> None:
    for file in CONTENT.rglob("*.md"):
        text = file.read_text("utf-8")
        assert COUNTER(text) == by_the_tokenizer(text)


@given(st.text(max_size=200))
def test_of_any_text(text: str) -> None:
    assert COUNTER(text) == by_the_tokenizer(text)


APART = (
    "[SEP]",
    "[MASK]",
    "é",
    "e\u0301",
    "漢字",
    "\u00a0",
    "\x1c",
    "\t",
    "a" * 120,
    "##ing",
    " ",
    "`" * 70,
    "a.b/" * 20,
    "\x01" * 70,
)


@given(st.lists(st.sampled_from(APART)))
def test_of_what_tokenizers_treat_apart(parts: list[str]) -> None:
    text = "".join(parts)
    assert COUNTER(text) == by_the_tokenizer(text)


def test_it_goes_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(COUNTER))("VPN drops") == COUNTER("VPN drops")  # noqa: S301 (our own bytes)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"model": {"type": "BPE"}}, False),
        ({"pre_tokenizer": {"type": "Metaspace"}}, False),
        ({"pre_tokenizer": None}, False),
        ({"normalizer": {"type": "Lowercase"}}, False),
        ({"added_tokens": [{"content": "New York"}]}, False),
    ],
)
def test_word_by_word_only_where_that_is_the_same(change: dict[str, object], expected: bool) -> None:
    described = json.loads(TOKENIZER.to_str()) | change
    assert reads_word_by_word(described) is expected
