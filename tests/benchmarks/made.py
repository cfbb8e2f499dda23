"""Articles and questions for benchmarks, made of the sentences of our own content: the same ones in every run."""

import random
import shutil
from pathlib import Path

from tests.conftest import CONTENT

ARTICLES = 1_000
SECTIONS = 8


def sentences() -> list[str]:
    """The sentences of our own content, to make new articles of."""
    texts = (path.read_text("utf-8") for path in sorted(CONTENT.rglob("*.md")))
    return [line for text in texts for line in text.splitlines() if len(line) > 60 and not line.startswith("|")]


def article(number: int, chance: random.Random, lines: list[str]) -> str:
    """An article of some ten passages."""
    parts = (f"## Part {part}\n\n" + "\n\n".join(chance.sample(lines, 3)) for part in range(SECTIONS))
    return f"---\ntitle: Article {number} {chance.choice(lines)[:40].split(':')[0]}\n---\n" + "\n\n".join(parts) + "\n"


def content(folder: Path, articles: int = ARTICLES) -> Path:
    """Our own articles, and made ones up to so many."""
    made = folder / "content"
    shutil.copytree(CONTENT, made)
    chance, lines = random.Random(1), sentences()  # noqa: S311 (the same articles in every run)
    (made / "more").mkdir()
    for number in range(articles - len(list(made.rglob("*.md")))):
        (made / "more" / f"{number}.md").write_text(article(number, chance, lines), "utf-8")
    return made


def questions(count: int, seed: int) -> list[str]:
    """Texts of 6 to 14 words, some 19 tokens, that nobody asked before: words of one sentence in another order."""
    chance, lines = random.Random(seed), [line.split() for line in sentences()]  # noqa: S311 (the same)
    asked = []
    for _ in range(count):
        words = chance.choice(lines)
        length = chance.randint(6, 14)
        first = chance.randint(0, max(0, len(words) - length))
        some = words[first : first + length]
        chance.shuffle(some)
        asked.append(" ".join(some))
    return asked
