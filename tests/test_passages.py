"""Golden cases, and what must hold for any text."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import Encoder, KnowledgeObject, Passage, cut, parse
from indexer.encoder import HashingEncoder
from indexer.passages import spoken

TEXT = (Path(__file__).parent / "cases" / "passages.md").read_text("utf-8")
CASE = re.compile(r"^# (?P<title>[^\n]+)\n(?P<path>\S+)\n\.\n(?P<text>.*?)\n\.\n(?P<expected>.*?)\n\.$", re.S | re.M)
CASES = list(CASE.finditer(TEXT))
HASHING = HashingEncoder()


def known(path: str, text: str) -> KnowledgeObject:
    parsed = parse(path, text.encode())
    assert isinstance(parsed, KnowledgeObject), parsed
    return parsed


def shown(passage: Passage) -> str:
    text = passage.text.replace("\n", " / ")
    return f"{passage.role} | {' > '.join(passage.heading_path)} | {passage.anchor} | {text}".replace("  ", " ")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_golden(case: re.Match[str]) -> None:
    passages = cut(known(case["path"], case["text"]), lambda text: len(text.split()), 1000)
    found = [shown(passage) for passage in passages if passage.role not in {"title", "name"}]
    assert found == [line.replace("  ", " ") for line in case["expected"].splitlines()]


def test_every_case_of_the_file_is_read() -> None:
    assert len(CASES) * 3 == len(re.findall(r"^\.$", TEXT, re.M))


def test_names_come_first_and_the_file_s_name_is_not_encoded() -> None:
    knowledge = known(
        "a/KubePodCrashLooping.md", "---\ntitle: Pod restarts\naliases: [crash loop]\n---\n# Crashing\n\nx"
    )
    passages = cut(knowledge, HASHING.count_tokens, 64)
    assert [(p.role, p.text) for p in passages[:4]] == [
        ("title", "Pod restarts"),
        ("title", "Crashing"),
        ("title", "crash loop"),
        ("name", "KubePodCrashLooping"),
    ]
    assert [bool(p.encoded_text) for p in passages[:4]] == [True, True, True, False]


def test_a_transcript_is_indexed_under_its_video() -> None:
    knowledge = known("a/b.md", "## Watch\n\n![How to](how.mp4)")
    vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\nOpen the <b>settings</b>\n\n00:02.000 --> 00:03.000\nand reset\n"
    passages = cut(knowledge, HASHING.count_tokens, 64, {"how.mp4": vtt})
    assert (passages[-1].anchor, passages[-1].text) == ("watch", "Open the settings and reset")


def test_a_transcript_of_tags_never_closed_is_read_in_a_moment() -> None:
    started = time.thread_time()
    assert spoken("<" * 200_000 + "\n<v Ann>Hello") == "<" * 200_000 + " Hello"
    assert time.thread_time() - started < 1


def test_a_heading_of_signs_without_end_is_cut_in_a_moment() -> None:
    knowledge = known("glossary/a.md", f"x\n\nwhat {'!' * 900}\\\nx\n===\n\ntext\n\n" * 200)
    started = time.thread_time()
    assert cut(knowledge, HASHING.count_tokens, 64)
    assert time.thread_time() - started < 2


def test_subrip_is_spoken_without_its_numbers() -> None:
    assert (
        spoken("1\n00:00:01,000 --> 00:00:02,000\nHello\n\n2\n00:00:02,000 --> 00:00:03,000\nHello\nthere")
        == "Hello there"
    )


@given(st.text(max_size=3000), st.integers(min_value=24, max_value=80))
def test_no_passage_is_longer_than_the_window_and_nothing_is_lost(text: str, most: int) -> None:
    knowledge = parse("a/b.md", text.encode("utf-8", "ignore"))
    if isinstance(knowledge, list):
        return
    passages = cut(knowledge, HASHING.count_tokens, most)
    assert all(HASHING.count_tokens(passage.encoded_text) <= most for passage in passages)
    said = " ".join(passage.text for passage in passages)
    for section in knowledge.document.sections:
        for block in section.blocks:
            if not block.cells:
                assert all(word in said for word in block.text.split() if len(word) < 20)


def test_a_long_text_fits_the_real_window(encoder: Encoder) -> None:
    words = "0x80070005 Zugriffsverweigerung https://example.com/a?b=c 雪 naïve🙂 " * 400
    deep = "".join(f"{'#' * level} {'Heading ' * 60}\n\n" for level in range(1, 7))
    knowledge = known("a/b.md", f"{deep}{words}\n\n```\n{'x' * 5000}\n```")
    passages = cut(knowledge, encoder.count_tokens, encoder.max_tokens)
    assert len(passages) > 10
    assert all(encoder.count_tokens(passage.encoded_text) <= encoder.max_tokens for passage in passages)
