"""An encoder over whose texts a process can hang for ever."""

from indexer.encoder import HashingEncoder
from indexer.passages import CountTokens

HANGS = "hang for ever"


def count_tokens(text: str) -> int:
    """As the words are, but of a text that says so it never comes to an end."""
    while HANGS in text:
        pass
    return len(text.split()) + 2


class HangingEncoder(HashingEncoder):
    """One by which other processes count so."""

    @property
    def counter(self) -> CountTokens:
        return count_tokens
