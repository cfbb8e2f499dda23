"""Articles that say what another says, by meaning: the vectors of their passages, without the headings above these.

Of each passage of one article the likest passage of the other is taken; the mean over an article's letters is how much
of it the other says. Headings stay out, since two articles on one subject share them without saying the same, and a
copy under another title does not.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.check_options import Options
from indexer.encoder import Encoder
from indexer.findings import Example, Fault, Related, Rule
from indexer.library import Article, Library
from indexer.passages import Passage, cut
from indexer.progress import Progress, in_batches, unwatched
from indexer.vectors import VectorCache, text_hash

Likenesses = NDArray[np.floating[Any]]

_BATCH = 64
# So many passages are compared with all at a time: some tens of megabytes where there are ten thousands
_BLOCK = 256
# Shorter ones are stubs, which say too little to be alike
_LEAST_LETTERS = 80
# A whole article that stands within another is found, too, if it is no stub and this much liker still
_LEAST_LETTERS_OF_PART = 400
_STILL_UNLIKE = 0.4
# Of each article so many likest, and so many sections of a pair
_MOST_OTHERS = 3
_MOST_SECTIONS = 6
_SECTION_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class _Said:
    """What articles say: passages and vectors of all, and where each article's begin."""

    articles: Sequence[Article]
    passages: Sequence[Passage]
    vectors: Likenesses
    letters: NDArray[np.float32]
    starts: NDArray[np.int64]

    def rows(self, place: int) -> slice:
        """The passages of an article."""
        end = place + 1
        return slice(int(self.starts[place]), int(self.starts[end]) if end < len(self.starts) else len(self.passages))

    def shares(self, wanted: Collection[int]) -> Iterator[tuple[int, Likenesses, Likenesses]]:
        """Of each wanted article against all: how much of it another says, and how much of that one it says; 0 to 1.

        A block of passages at a time, since a product of large matrices is a fast one; an article may be longer.
        """
        totals = np.add.reduceat(self.letters, self.starts) if self.passages else self.letters
        of_it, likest = totals, self.letters
        for begin in range(0, len(self.passages), _BLOCK):
            end = min(begin + _BLOCK, len(self.passages))
            first, last = (int(at) for at in np.searchsorted(self.starts, (begin, end - 1), side="right"))
            places = [place for place in range(first - 1, last) if place in wanted]
            if not places:
                continue
            likeness = self.vectors[begin:end] @ self.vectors.T
            likest_of_each = np.maximum.reduceat(likeness, self.starts, axis=1) * self.letters[begin:end, None]
            for place in places:
                rows = self.rows(place)
                if rows.start >= begin:
                    of_it, likest = np.zeros_like(totals), np.full_like(self.letters, -1)
                own = slice(max(rows.start - begin, 0), rows.stop - begin)
                of_it += likest_of_each[own].sum(axis=0)
                likest = np.maximum(likest, likeness[own].max(axis=0))
                if rows.stop <= end:
                    of_others = np.add.reduceat(likest * self.letters, self.starts) / totals
                    yield place, of_it / totals[place], of_others


def find_duplicates(
    library: Library,
    options: Options,
    encoder: Encoder,
    cache: VectorCache,
    wanted: Collection[str] | None = None,
    progress: Progress = unwatched,
) -> Iterator[Fault]:
    """Faults of articles, of the paths ``wanted`` only, that say what another says. ``cache`` keeps the vectors."""
    said = _said(library, encoder, cache, progress)
    places = {place for place, one in enumerate(said.articles) if wanted is None or one.path in wanted}
    for place, of_it, of_others in said.shares(places):
        yield from _alike(said, place, of_it, of_others, options)


def _alike(said: _Said, place: int, of_it: Likenesses, of_others: Likenesses, options: Options) -> Iterator[Fault]:
    """The articles that say what one says, the likest first."""
    part_from = 1 - (1 - options.near_duplicate) * _STILL_UNLIKE
    both = np.minimum(of_it, of_others)
    is_part = (of_it >= part_from) & (said.letters[said.rows(place)].sum() >= _LEAST_LETTERS_OF_PART)
    alike = np.maximum(both, of_it * is_part)
    alike[place] = 0
    for other in np.argsort(-alike, kind="stable")[:_MOST_OTHERS]:
        if alike[other] >= options.near_duplicate:
            what = "says the same as" if both[other] >= options.near_duplicate else "is wholly said in"
            yield _fault(said, place, int(other), f"{what} {said.articles[other].path}, {alike[other]:.0%} alike")


def _said(library: Library, encoder: Encoder, cache: VectorCache, progress: Progress) -> _Said:
    articles: list[Article] = []
    passages: list[Passage] = []
    starts: list[int] = []
    for article in library.articles.values():
        if article.knowledge.workflow_state == "retired":
            continue
        own = [
            one for one in cut(article.knowledge, encoder.count_tokens, encoder.max_tokens) if _is_text(one, article)
        ]
        if sum(len(one.text) for one in own) >= _LEAST_LETTERS:
            articles.append(article)
            starts.append(len(passages))
            passages += own
    vectors = _vectors([one.text for one in passages], encoder, cache, progress)
    letters = np.array([len(one.text) for one in passages], np.float32)
    return _Said(articles, passages, vectors, letters, np.array(starts, np.int64))


def _is_text(passage: Passage, article: Article) -> bool:
    """Names are alike where articles are not, and a summary says again what the text says."""
    summary = len(passage.heading_path) == 1 and not passage.anchor and passage.text in article.knowledge.summary
    return passage.role not in {"title", "name"} and not summary


def _vectors(texts: Sequence[str], encoder: Encoder, cache: VectorCache, progress: Progress) -> Likenesses:
    hashes = [text_hash(text) for text in texts]
    known = cache.get(list(dict.fromkeys(hashes)))
    missing = {digest: text for digest, text in zip(hashes, texts, strict=True) if digest not in known}
    for done, batch in in_batches(list(missing.items()), _BATCH):
        encoded = encoder.encode([text for _, text in batch]).astype(np.float16)
        made = dict(zip((digest for digest, _ in batch), encoded, strict=True))
        cache.put(made.items())
        known.update(made)
        progress("encode", done, len(missing))
    found: Likenesses = np.zeros((len(texts), encoder.dimension), np.float32)
    for row, digest in enumerate(hashes):
        found[row] = known[digest]
    return found


def _fault(said: _Said, place: int, other: int, what: str) -> Fault:
    article = said.articles[place]
    remedy = "Keep one of them and link to it, or say in both how they differ"
    return Fault(article.path, article.line_of_title(), what, remedy, tuple(_sections_alike(said, place, other)))


def _sections_alike(said: _Said, place: int, other: int) -> Iterator[Related]:
    """The sections of two articles side by side, the likest of each, in reading order."""
    own, others = said.rows(place), said.rows(other)
    pairs: dict[tuple[str, str], tuple[float, Passage, Passage]] = {}
    for begin in range(own.start, own.stop, _BLOCK):
        rows = slice(begin, min(begin + _BLOCK, own.stop))
        likeness = said.vectors[rows] @ said.vectors[others].T
        likest = likeness.argmax(axis=1)
        for passage, column, alike in zip(said.passages[rows], likest, likeness.max(axis=1), strict=True):
            twin = said.passages[others.start + int(column)]
            key = (passage.anchor, twin.anchor)
            if alike >= max(_SECTION_ALIKE, pairs[key][0] if key in pairs else 0):
                pairs[key] = (float(alike), passage, twin)
    shown = sorted(pairs.values(), key=lambda pair: -pair[0])[:_MOST_SECTIONS]
    for alike, passage, twin in (pair for pair in pairs.values() if pair in shown):
        there = said.articles[other]
        text = f"'{passage.heading_path[-1]}' ~ '{twin.heading_path[-1]}', {alike:.0%} alike"
        yield Related(there.path, there.anchor_line(twin.anchor), text)


_COPY = (
    "Write the note fifteen minutes before the end of the shift. Every open ticket has an owner before you go.\n"
    "Read the note together, aloud, and hear what the next shift will do first."
)
RULES = (
    Rule(
        "near-duplicate",
        "warning",
        "An article that says what another says, by meaning, with their sections side by side (`near_duplicate`).",
        Example(
            _COPY, "See [the handover](hand-over-a-shift.md). At weekends, the duty manager takes over by telephone."
        ),
        needs="model",
    ),
)
