"""By what the hits of a search can be narrowed, and how many each value would leave."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NAMES = ("type", "service", "tier", "tag")
# So many values of a facet are worth reading
MOST_VALUES = 8


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a facet: how many hits have it, whatever else of this facet is chosen."""

    name: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet and its values: those chosen, then the commonest."""

    name: str
    values: tuple[Value, ...]


def facet_of(name: str, hits: Iterable[Mapping[str, list[str]]], chosen: Iterable[str]) -> Facet:
    """Count one facet over what each hit has of all; a value counts once a hit, whatever its case.

    What is chosen is there also where no hit has it, so that it can be taken back.
    """
    written: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for hit in hits:
        values = {value.casefold(): value for value in hit.get(name, ())}
        for key, value in values.items():
            written.setdefault(key, value)
        counts.update(values.keys())
    picked = {value.casefold(): value for value in chosen}
    common = sorted((key for key in counts if key not in picked), key=lambda key: (-counts[key], key))
    first = sorted(picked, key=lambda key: (-counts[key], key))
    return Facet(
        name,
        tuple(
            Value(written.get(key, picked.get(key, key)), counts[key], key in picked)
            for key in [*first, *common][: max(MOST_VALUES, len(first))]
        ),
    )
