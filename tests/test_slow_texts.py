"""No text of the size that a file may have takes long, whatever it is made of: it is read and shown, or refused."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pytest
from pygments.lexers import get_all_lexers

from indexer import WorkingTree, update
from indexer.encoder import Encoder, HashingEncoder, TextKind, Vectors
from indexer.html import HIGHLIGHTED, render_html
from indexer.knowledge import MOST_HEADING_LETTERS, MOST_WORDS, KnowledgeObject, parse
from indexer.language import ENGLISH
from indexer.markdown import parse_markdown
from indexer.passages import CountTokens, cut
from indexer.prepared import Prepared, to_json
from tests.client import client_of
from tests.conftest import Desk
from tests.hostile import texts
from tests.slow_texts import plain_text, slow_texts

pytestmark = pytest.mark.breaking

# So many times as long as plain words of the same size
MOST_TIMES = 2.0
MOST_SECONDS = 5.0
# Front matter is as long in a short text; of what takes less than this nothing is said
LEAST_SECONDS = 1.0
# So many times as long as plain code of the same size, coloured
MOST_TIMES_CODE = 30.0


class Took(NamedTuple):
    """CPU seconds to read a text (front matter, sections), to cut it, to prepare what is found by, and to show it."""

    read: float
    cut: float
    prepared: float
    shown: float
    refused: str

    @property
    def seconds(self) -> float:
        return self.read + self.cut + self.prepared + self.shown

    def __str__(self) -> str:
        parts = " ".join(f"{part:5.2f}" for part in self[:4])
        return f"{self.seconds:5.2f} = {parts}  {self.refused}"


def timed(data: bytes, count_tokens: CountTokens, most: int) -> Took:
    """What it takes to do all that is done with a text when it is indexed and shown."""
    parse_markdown.cache_clear()
    at = [time.process_time()]
    parsed = parse("a.md", data)
    at.append(time.process_time())
    if isinstance(parsed, list):
        return Took(at[1] - at[0], 0, 0, 0, parsed[0].problem[:60])
    passages = cut(parsed, count_tokens, most)
    at.append(time.process_time())
    to_json(Prepared.of(passage, ENGLISH) for passage in passages)
    at.append(time.process_time())
    render_html(parsed.document, lambda target: target)
    at.append(time.process_time())
    return Took(at[1] - at[0], at[2] - at[1], at[3] - at[2], at[4] - at[3], "")


def slower(files: Mapping[str, bytes], plain: bytes, count_tokens: CountTokens, most: int) -> list[str]:
    """The texts that take too many times as long as a plain one, the slowest first, as a table."""
    timed(plain, count_tokens, most)
    reference = max(timed(plain, count_tokens, most) for _ in range(3))
    rows = []
    for name, data in files.items():
        took = timed(data, count_tokens, most)
        if took.seconds > reference.seconds * MOST_TIMES:
            # Once more, since something else may have run beside it
            took = min(took, timed(data, count_tokens, most), key=lambda one: one.seconds)
        rows.append((took.seconds, f"{took}  {name}"))
    rows.sort(reverse=True)
    print(f"\n{reference}  plain words", *(row for _, row in rows), sep="\n")
    allowed = min(max(reference.seconds * MOST_TIMES, LEAST_SECONDS), MOST_SECONDS)
    return [row for seconds, row in rows if seconds > allowed]


def test_no_text_of_a_tenth_takes_much_longer_than_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.markdown_rules.MOST_MARKUP", 25_000)
    monkeypatch.setattr("indexer.knowledge.MOST_WORDS", MOST_WORDS // 10)
    every = slow_texts(100_000, 2_000)
    left_out = ("in lines", "in rows", "as code", "in 'title: '", "in 'tags: ['")
    files = {name: data for name, data in every.items() if not name.endswith(left_out)}
    assert not slower(files, plain_text(100_000), HashingEncoder().count_tokens, 256)


@pytest.mark.long
def test_no_text_takes_much_longer_than_plain_words(encoder: Encoder) -> None:
    files = {**texts(1_000_000), **slow_texts()}
    assert encoder.counter is not None
    assert not slower(files, plain_text(), encoder.counter, encoder.max_tokens)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("---\ntitle: a\n---\n" + "[" * 100_000, 4, "signs of markup"),
        ("words\n" * 3_000 + "- item\n" * 16_000, 14_000, "signs of markup"),
        ("---\ntitle: a\n---\n\na\n\n# " + "b" * (MOST_HEADING_LETTERS + 1), 7, "the heading has 1,001 letters"),
        (" ".join(map(str, range(MOST_WORDS + 1))), 1, "different words"),
    ],
    ids=["brackets", "items", "heading", "words"],
)
def test_what_is_too_much_is_refused_at_its_line(text: str, line: int, what: str) -> None:
    problems = parse("a.md", text.encode())
    assert isinstance(problems, list)
    assert what in problems[0].problem
    assert problems[0].line == pytest.approx(line, abs=3_000 if line > 100 else 0)


def test_a_text_with_too_much_markup_is_code_as_it_stands() -> None:
    text = "# Title\n\n" + "*a **b " * 100_000 + "<script>"
    document = parse_markdown(text)
    assert document.too_much_at == 2
    assert render_html(document, lambda target: target).count("&lt;script&gt;") == 1
    assert document.sections[0].blocks[0].text == text


@pytest.mark.parametrize("signs", ["&", "&a", "& ", "&amp;", "a&\n", "\u00a0", '"&<>'])
def test_what_is_escaped_is_shown_in_a_moment(signs: str) -> None:
    text = signs * (400_000 // len(signs))
    started = time.process_time()
    html = render_html(parse_markdown(f"```\n{text}\n```"), lambda target: target)
    assert time.process_time() - started < 1.5
    assert unescape(html) == f"<pre><code>{text}\n</code></pre>\n"


_WORST = (
    '\\"', "a\n", "  a\n", "_", "a:", ": ", "&", "$ ", "a(", '"', "'", "<a ", "{{", "[", "/*", "<<A\n",
    "|a|", "(", "{",
)  # fmt: skip
_MORE = (
    "<", "`", "\\", "/", "#", "$", "$(", "${", "@", "-", "=", "a", "a ", "0", "1.", "\n", " ", "\t", '"a', "'''",
    '"""', "<!--", "<?", "%", "{%", "a.", "a=", "a,", "//", "--", "~", "^", "**", "!", "?", ";", "::", "->", "- a\n",
    "a: b\n", "[a]\n", "1a", "0x", "é", "$a", "@a", "%a", "\\a", "q{", "m/", "s/", "qw ", "class a ", "def a(", "if ",
    "begin ", "do ", "function a", "select a ", "a<b", 'r#"', 'R"(', 'f"{', ">>> ", "PS> ", "a/", "a+", "--a ",
)  # fmt: skip


def seconds_to_colour(language: str, piece: str, times: int) -> float:
    """Of code repeated to the most that is coloured, at its best of two."""
    document, took = parse_markdown(f"```{language}\n{piece * (3_990 // len(piece))}\n```\n\n" * times), []
    for _ in range(2):
        started = time.process_time()
        render_html(document, lambda target: target)
        took.append(time.process_time() - started)
    return min(took)


def slow_languages(pieces: tuple[str, ...], times: int) -> list[tuple[float, str, str]]:
    """The languages in whose colours some code takes too long."""
    slow, plain = [], seconds_to_colour("python", "x = f(1)\n", times)
    for name, aliases, _, _ in get_all_lexers(plugins=False):
        for piece in pieces if name in HIGHLIGHTED else ():
            took = seconds_to_colour(aliases[0], piece, times)
            if took > MOST_TIMES_CODE * plain:
                slow.append((round(took / plain, 1), name, piece))
    return slow


def test_no_language_takes_long_to_colour() -> None:
    assert {name for name, *_ in get_all_lexers(plugins=False)} >= HIGHLIGHTED
    assert slow_languages(_WORST[:2], 1) == []


@pytest.mark.long
def test_no_language_takes_long_to_colour_whatever_the_code() -> None:
    assert slow_languages(_WORST + _MORE, 4) == []


def test_code_in_other_languages_stays_as_it_stands() -> None:
    def shown(language: str, code: str) -> str:
        return render_html(parse_markdown(f"```{language}\n{code}\n```"), lambda target: target)

    assert '<span class="' in shown("sh", "echo $HOME")
    assert "<span" not in shown("csharp", "var a = 1;")
    assert "<span" not in shown("sh", "echo $HOME\n" * 1_000), "a long piece is left as it is"
    inner = shown("markdown", "~~~csharp\nvar a = 1;\n~~~\n")
    assert "k" not in {part.split('"')[0] for part in inner.split('class="')}, "nor is code within the code coloured"


def within(seconds: float, work: Callable[[], object]) -> None:
    started = time.process_time()
    work()
    assert time.process_time() - started < seconds


def test_one_video_shown_often_is_said_once(desk: Desk) -> None:
    words = "".join(f"00:{n % 60:02}.000 --> 00:{n % 60:02}.500\nPress wombat{n}\n\n" for n in range(2_000))
    desk.write("faq/reset.vtt", f"WEBVTT\n\n{words}")
    desk.write("faq/video.md", "---\ntitle: A video\n---\n" + "![Reset](reset.mp4) ![Again](./reset.mp4)\n\n" * 500)
    within(10, desk.update)
    count = desk.index.connection.execute("SELECT count(*) FROM passages").fetchone()[0]
    assert count < 1_000, "by either of its names it is said once, not five hundred times"


def test_transcripts_of_more_than_a_file_are_left_out_and_that_is_said(desk: Desk) -> None:
    for number in range(3):
        desk.write(f"faq/{number}.vtt", f"WEBVTT\n\n00:00.000 --> 00:02.000\nwombat{number} " + "word " * 100_000)
    desk.write("faq/videos.md", "---\ntitle: Videos\n---\n![a](0.mp4)\n\n![b](1.mp4)\n\n![c](2.mp4)\n")
    (refused,) = desk.update().refusals
    assert "is without the words of some videos" in refused.problem
    said = [row[0] for row in desk.index.connection.execute("SELECT text FROM passages")]
    assert any("wombat1" in text for text in said)
    assert not any("wombat2" in text for text in said)


def test_a_page_of_many_videos_and_links_is_shown_in_a_moment(tmp_path: Path) -> None:
    from kb_service import KnowledgeBase, Settings

    content = tmp_path / "content"
    content.mkdir()
    (content / "a.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:02.000\n" + "word " * 50_000)
    (content / "videos.md").write_text("# Videos\n\n" + "![a](a.mp4) " * 3_000)
    (content / "links.md").write_text("# Links\n\n" + "".join(f"[a](b{n}.md) " for n in range(8_000)))
    base = KnowledgeBase(Settings(content=content, data=tmp_path / "data", encoder="hashing"))
    assert base.update().refused == 0
    with client_of(base) as client:
        for name, most in (("videos", 4_000_000), ("links", 2_000_000)):
            page = client.get(f"/a/{name}")
            assert page.status_code == 200
            assert len(page.content) < most, "what is said is not said three thousand times"
            within(5, partial(client.get, f"/a/{name}"))


def test_what_is_refused_now_and_was_live_is_shown_as_it_stands() -> None:
    knowledge = KnowledgeObject("a", "howto", "A", "[" * 300_000, "a.md", "0" * 40)
    assert [section.title for section in knowledge.document.sections] == [""]


class Counting(HashingEncoder):
    """How many texts it was asked for stands in ``encoded``."""

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, texts: Sequence[str], kind: TextKind = "passage") -> Vectors:
        self.encoded += len(texts)
        return super().encode(texts, kind)


def test_a_long_page_is_found_by_words_before_any_of_it_is_encoded(tmp_path: Path) -> None:
    encoder = Counting()
    desk = Desk(tmp_path, encoder)
    desk.write("a.md", plain_text(200_000).decode())
    before: list[int] = []

    def live() -> None:
        before.append(encoder.encoded)

    report = update(WorkingTree(desk.content), desk.index, encoder, desk.cache, after_switch=live)
    assert before == [0]
    assert encoder.encoded == report.encoded > 100
