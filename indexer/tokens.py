"""How many tokens a text takes, as the model's own tokenizer counts them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from indexer.of_words import LONGEST_KEPT, of_words

# What every BERT tokenizer takes words apart at
_SPACE = re.compile(r"[ \t\n\r]+")
# ... and what is a token by itself, of ASCII
_SIGN = re.compile(r"[!-/:-@\[-`{-~]")


class TokenCounter:
    """Counts the tokens of texts, special ones included; goes to another process by the name of its file.

    Where the tokenizer reads word by word, as those of BERT do, what a word takes is kept: a text is counted in a tenth
    of the time that it takes to be tokenized.
    """

    def __init__(self, file: Path) -> None:
        from tokenizers import Tokenizer

        self._file = file
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._around = len(self._tokenizer.encode("").ids)
        self._of_word = of_words(self._count_word)
        described = json.loads(self._tokenizer.to_str())
        self._by_word = reads_word_by_word(described)
        self._added = [token["content"] for token in described["added_tokens"]]

    def __reduce__(self) -> tuple[type["TokenCounter"], tuple[Path]]:
        return TokenCounter, (self._file,)

    def __call__(self, text: str) -> int:
        if self._by_word:
            return self._around + sum(map(self._of_word, _SPACE.split(text)))
        return len(self._tokenizer.encode(text).ids)

    def _count_word(self, word: str) -> int:
        if (
            len(word) > LONGEST_KEPT
            and self._by_word
            and word.isascii()
            and not any(map(word.__contains__, self._added))
        ):
            # An address, a path, a line of a log: each sign is a token, and what is between them is kept
            between = _SIGN.split(word)
            if len(between) > 1:
                return len(between) - 1 + sum(map(self._of_word, filter(None, between)))
        return len(self._tokenizer.encode(word).ids) - self._around


def reads_word_by_word(tokenizer: Mapping[str, Any]) -> bool:
    """Whether a text takes as many tokens as its words do one by one; ``tokenizer`` is as ``tokenizer.json`` has it."""
    normalizer = tokenizer["normalizer"] or {"type": None}
    return (
        tokenizer["model"]["type"] == "WordPiece"
        and (tokenizer["pre_tokenizer"] or {}).get("type") == "BertPreTokenizer"
        and normalizer["type"] in {None, "BertNormalizer"}
        and not any(_SPACE.search(token["content"]) for token in tokenizer["added_tokens"])
    )
