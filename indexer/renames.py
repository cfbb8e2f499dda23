"""Which files that are gone are back under another path: their ids live on as aliases.

As git does it: the same bytes, or else at least half of the lines in common. Works in a folder without git, too.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from indexer.knowledge import KnowledgeObject

LEAST_SHARE = 0.5
# A line that so many files have says nothing about which of them is the one
_COMMON_LINE = 50


def renamed(
    gone: Iterable[KnowledgeObject], fresh: Mapping[str, KnowledgeObject], names: Mapping[str, str]
) -> Iterator[tuple[KnowledgeObject, KnowledgeObject]]:
    """Pairs of an object that is gone and the fresh one (by path) that it became; each is in one pair at most.

    ``names`` are paths that git knows to be renamed, old to new: they go first.
    """
    left = dict(fresh)
    by_id = {knowledge.id: path for path, knowledge in fresh.items()}
    by_revision = {knowledge.revision: path for path, knowledge in fresh.items()}
    unlike = []
    for before in gone:
        ways = (names.get(before.path), by_id.get(before.id), by_revision.get(before.revision))
        path = next((path for path in ways if path in left), None)
        if path is not None:
            yield before, left.pop(path)
        else:
            unlike.append(before)
    if not (unlike and left):
        return
    lines = {path: _lines(knowledge) for path, knowledge in left.items()}
    holders: dict[str, list[str]] = {}
    for path, of_file in lines.items():
        for line in of_file:
            holders.setdefault(line, []).append(path)
    for before in unlike:
        own = _lines(before)
        telling = (line for line in own if len(holders.get(line, ())) <= _COMMON_LINE)
        near = Counter(path for line in telling for path in holders.get(line, ()) if path in left)
        shares = {path: len(own & lines[path]) / max(len(own), len(lines[path])) for path, _ in near.most_common(5)}
        best = max(shares, key=lambda path: shares[path], default=None)
        if best is not None and shares[best] >= LEAST_SHARE:
            yield before, left.pop(best)


def _lines(knowledge: KnowledgeObject) -> frozenset[str]:
    return frozenset(line.strip() for line in knowledge.body.splitlines() if line.strip())
