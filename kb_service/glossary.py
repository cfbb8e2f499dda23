"""The glossary objects at work: their terms with all their names and definitions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from indexer.index import PassageIndex
from indexer.snapshot import Filter

_WITH_EXPANSION = re.compile(r"^(?P<short>[^()]{1,80}?)\s*\((?P<long>[^()]{2,120})\)$")
_WITH_DASH = re.compile(r"^(?P<short>[^:–—]{1,80}?)\s*(?::|\s[–—-])\s+(?P<long>.{2,120})$")


@dataclass(frozen=True, slots=True)
class Term:
    """A term with its names (abbreviation and expansion, aliases), its definition, and where it is defined."""

    term: str
    names: tuple[str, ...]
    definition: str
    article_id: str
    anchor: str


def names_of(heading: str) -> tuple[str, ...]:
    """``MTTR (mean time to resolve)`` -> ``MTTR``, ``mean time to resolve``; a plain heading is its own name."""
    match = _WITH_EXPANSION.match(heading) or _WITH_DASH.match(heading)
    return (match["short"].strip(), match["long"].strip()) if match else (heading.strip(),)


def terms(index: PassageIndex, wanted: Filter) -> list[Term]:
    """All terms that a filter lets through, by name."""
    with index.snapshot() as snapshot:
        allowed = snapshot.select(wanted)
        visible = {owner for owner, place in snapshot.position_of.items() if allowed[place]}
        found = [term for term in _terms(index) if term.article_id in visible]
    return sorted(found, key=lambda term: (term.term.casefold(), term.article_id))


def lookup(index: PassageIndex, wanted: Filter, name: str) -> list[Term]:
    """The terms that go by a name, whatever its case; those that have it as their first name come first."""
    asked = " ".join(name.casefold().split())
    found = [term for term in terms(index, wanted) if asked in {one.casefold() for one in (term.term, *term.names)}]
    return sorted(found, key=lambda term: asked not in {term.term.casefold(), term.names[0].casefold()})


def _terms(index: PassageIndex) -> Iterator[Term]:
    """A definition that was cut into several passages is put together again."""
    whole: dict[tuple[str, tuple[str, ...], str], list[str]] = {}
    aliases: dict[str, list[str]] = {}
    for passage in index.passages_of_roles(("term", "title")):
        if passage.role == "title":
            aliases.setdefault(passage.owner_id, []).append(passage.text)
        else:
            whole.setdefault((passage.owner_id, passage.heading_path, passage.anchor), []).append(passage.text)
    for (owner_id, path, anchor), texts in whole.items():
        heading = path[-1]
        others = aliases.get(owner_id, []) if len(path) == 1 else []
        names = dict.fromkeys((*names_of(heading), *(other for other in others if other != heading)))
        yield Term(names_of(heading)[0], tuple(names), "\n".join(texts), owner_id, anchor)
