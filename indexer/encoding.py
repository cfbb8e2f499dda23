"""Gives the passages of an index their vectors, batch by batch, so that a killed run goes on where it stopped."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from indexer.database import writing
from indexer.encoder import Encoder
from indexer.folding import fold_if_due
from indexer.index import PassageIndex
from indexer.passages import Passage
from indexer.progress import Progress, in_batches
from indexer.vectors import HalfVectors, VectorCache, text_hash

ENCODE_BATCH = 64
# So many passages are encoded before a switch at most, a second or two of work; the vectors of a larger change follow
# behind its words
ENCODE_BEFORE_SWITCH = 100
# Those that are known already take no time
LINK_AT_SWITCH = 2_000


class Encoding:
    """Vectors for one index. ``encoded`` counts the texts that the model was asked for; all others were cached.

    Those of the owners named ``first`` come before all others.
    """

    def __init__(
        self,
        index: PassageIndex,
        encoder: Encoder,
        cache: VectorCache,
        progress: Progress,
        first: Sequence[str] = (),
    ) -> None:
        self._index, self._encoder, self._cache, self._progress = index, encoder, cache, progress
        self._first = first
        self.encoded = 0

    def encode_ahead(self, texts: Iterable[str], most: int = ENCODE_BEFORE_SWITCH) -> None:
        """Encode what a small change needs before it goes live: found by meaning from the first moment.

        Nothing of a change with more than ``most`` texts.
        """
        wanted: dict[bytes, str] = {}
        for text in texts:
            wanted[text_hash(text)] = text
            if len(wanted) > most:
                return
        known = self._cache.get(list(wanted))
        missing = {digest: text for digest, text in wanted.items() if digest not in known}
        self._encode(missing, 0, len(missing))

    def encode_pending(self, stop: Callable[[], bool] | None = None) -> bool:
        """Encode and link, batch by batch, what still has no vector; whether that is all done.

        ``stop`` is asked before each batch, a small one then: whether there is something more urgent.
        """
        most = ENCODE_BATCH if stop else ENCODE_BATCH * 4
        _, wanted, there = self._index.counts()
        while batch := self._index.pending(most, self._first):
            if stop and stop():
                return False
            known = self._cache.get([digest for _, digest, _ in batch])
            self._encode(
                {digest: passage.encoded_text for _, digest, passage in batch if digest not in known}, there, wanted
            )
            with writing(self._index.connection):
                self.link(batch)
            there += len(batch)
            self._progress("encode", there, wanted)
            fold_if_due(self._index)
        return True

    def link(self, batch: Sequence[tuple[int, bytes, Passage]]) -> None:
        """Give pending passages the vectors that are known. Inside a transaction of the caller's."""
        known = self._cache.get([digest for _, digest, _ in batch])
        found: dict[int, HalfVectors] = {key: known[digest] for key, digest, _ in batch if digest in known}
        self._index.add_vectors(found)

    def _encode(self, texts: Mapping[bytes, str], done: int, of: int) -> None:
        for count, batch in in_batches(list(texts.items()), ENCODE_BATCH):
            vectors = self._encoder.encode([text for _, text in batch]).astype(np.float16)
            self._cache.put(zip((digest for digest, _ in batch), vectors, strict=True))
            self.encoded += len(batch)
            self._progress("encode", done + count, of)
