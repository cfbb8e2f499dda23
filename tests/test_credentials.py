"""Secrets are found where they stand, and what only looks like one is not."""

import re
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.credentials import credentials_in

_TEXT = (Path(__file__).parent / "cases" / "credentials.md").read_text("utf-8").replace("¦", "")
SECRETS, NONE = _TEXT.split("\n# None\n")
CASE = re.compile(r"^([\w ]{3,30}) \|(?:\n```\n(.*?)\n```| ([^\n]+))$", re.S | re.M)
CASES = [(match[1], match[2] or match[3]) for match in CASE.finditer(SECRETS)]


@pytest.mark.parametrize(("kind", "text"), CASES)
def test_a_secret_is_found_and_only_the_secret(kind: str, text: str) -> None:
    plain = text.replace("«", "").replace("»", "")
    found = credentials_in(plain)
    assert [plain[one.start : one.end] for one in found] == re.findall("«(.*?)»", text, re.S) != []
    assert {one.kind for one in found} == {kind}


@pytest.mark.parametrize("text", NONE.split("\n"))
def test_what_only_looks_like_a_secret_is_none(text: str) -> None:
    assert [text[one.start : one.end] for one in credentials_in(text)] == []


def test_every_case_of_the_file_is_read() -> None:
    assert sum(text.count("«") for _, text in CASES) == SECRETS.count("«") - 1  # one stands in the explanation


def test_a_text_of_many_secrets_gives_each_in_order() -> None:
    texts = [text.replace("«", "").replace("»", "") for _, text in CASES]
    whole = "\n\n".join(texts)
    assert [whole[one.start : one.end] for one in credentials_in(whole)] == [
        secret for _, text in CASES for secret in re.findall("«(.*?)»", text, re.S)
    ]


@given(st.text(st.sampled_from(list("passwordtokenkey:=|-\"'` \n.@/$<{AKI019+_")), max_size=400))
def test_secrets_of_any_text_lie_apart_and_within_it(text: str) -> None:
    found = credentials_in(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(before.end <= after.start for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("begin", "text"),
    [
        ("", "a"),
        ("", "password "),
        ("", "-p"),
        ("", "://a:"),
        ("", "1-"),
        ("", "sk-"),
        ("", "eyJ-"),
        ("", "mysql "),
        ("", "mariadb-"),
        ("", "curl "),
        ("", "A-a: -----BEGIN PRIVATE KEY-----\n"),
        ("-----BEGIN PRIVATE KEY-----", "\n"),
        ("", "password: AKIAZ7Q3MVUP4LX2WTRB\n"),
    ],
)
def test_no_text_takes_long(begin: str, text: str) -> None:
    """Where a pattern looks at all that follows from each place on, twice the text takes four times as long."""

    def seconds(letters: int) -> float:
        start = time.thread_time()
        credentials_in(begin + text * (letters // len(text)) + "!")
        return time.thread_time() - start

    # Once in a while a search for garbage falls into it
    assert min(seconds(80_000) for _ in range(3)) < 3 * seconds(40_000) + 0.2
