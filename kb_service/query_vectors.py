"""What queries mean: their vectors, each text encoded once however many indexes are asked."""

from functools import lru_cache

import numpy as np

from indexer.encoder import Encoder, Vectors

# Pages and typing ask for the same text again, triage asks it of articles and of incidents
_KEPT = 512
# How much the first line of a report counts in its meaning, beside the whole of it
HEADLINE_WEIGHT = 0.3


class QueryVectors:
    """Vectors of one encoder's queries. One serves all threads."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.of = lru_cache(_KEPT)(self._encode)

    def _encode(self, text: str, headline: str, _within: bool) -> Vectors:
        """``(dimension,)`` float32, unit length; a headline counts beside the whole.

        Texts of the desk are kept apart: a requester must not tell by the time it takes that a text was asked there.
        """
        vectors = self.encoder.encode([text, headline] if headline else [text], "query")
        whole: Vectors = vectors[0] if not headline else vectors[0] + HEADLINE_WEIGHT * vectors[1]
        return np.ascontiguousarray(whole / max(float(np.linalg.norm(whole)), 1e-12), np.float32)
