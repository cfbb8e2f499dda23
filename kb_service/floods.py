"""Which of the incidents of a while are of one flood: many reports of the same fault, each in other words.

Two reports of one fault are often less alike than each is to what all of them say together, so a flood is what is near
its middle: begun with the incident that has most others near it, gathered again around their mean a few times,
and then widened once by what is not much further away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

# Inner products of unit vectors of the default encoder. Tried on floods of our sample and on rephrased questions among
# 200 others, see the commit: nearer ones lose reports of the flood, wider ones take up others
NEAR = 0.52
NEAR_MIDDLE = 0.65
# What is as near as this joins once the middle stands, but does not move it
NEAR_SETTLED = 0.6
# A report at the edge of a flood ("again!!") still belongs to it
NEAR_EDGE = 0.54
SAME_SERVICE = 0.1
SAME_ITEM = 0.08
LEAST = 3
_ROUNDS = 4

Vectors = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Report(Protocol):
    """What has to be known of an incident beside what it means."""

    @property
    def number(self) -> str: ...
    @property
    def opened_at(self) -> datetime | None: ...
    @property
    def service(self) -> str | None: ...
    @property
    def cmdb_ci(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Flood:
    """Incidents of one fault, oldest first, and their middle: ``(dimension,)`` float32, unit length."""

    incidents: tuple[Report, ...]
    middle: Vectors
    services: frozenset[str]

    def near(self, incident_vector: Vectors, service: str | None) -> bool:
        """Whether a report belongs to it, if only at its edge; one of another service must be as near as any."""
        is_same = bool(service) and str(service).casefold() in self.services
        is_other = bool(service and self.services) and not is_same
        likeness = float(self.middle @ incident_vector) + (SAME_SERVICE if is_same else 0.0)
        return likeness >= (NEAR_SETTLED if is_other else NEAR_EDGE)


def floods(incidents: Sequence[Report], vectors: Vectors, least: int = LEAST) -> list[Flood]:
    """The floods among incidents, the largest first; ``vectors`` are theirs, ``(n, dimension)`` unit length.

    Each incident is of one flood at most.
    """
    bonus = _shared(incidents)
    near = vectors @ vectors.T + bonus >= NEAR
    left = np.ones(len(incidents), np.bool_)
    found = []
    while left.any():
        neighbours = (near & left[None, :]).sum(axis=1) * left
        seed = int(np.argmax(neighbours))
        if neighbours[seed] < least:
            break
        members = _gathered(vectors, bonus[seed], near[seed] & left, left, seed)
        left &= ~members
        if members.sum() >= least:
            found.append(_flood(incidents, vectors, members))
    return sorted(found, key=lambda flood: -len(flood.incidents))


def _gathered(vectors: Vectors, bonus: Vectors, members: Mask, left: Mask, seed: int) -> Mask:
    """What is near the middle of the first ``members``; the seed stays, so that every round takes something."""
    for _ in range(_ROUNDS):
        before, members = members, _around(vectors, bonus, members, left, seed, NEAR_MIDDLE)
        if np.array_equal(members, before):
            break
    return _around(vectors, bonus, members, left, seed, NEAR_SETTLED)


def _around(vectors: Vectors, bonus: Vectors, members: Mask, left: Mask, seed: int, least: float) -> Mask:
    around: Mask = (vectors @ _middle(vectors, members) + bonus >= least) & left
    around[seed] = True
    return around


def _flood(incidents: Sequence[Report], vectors: Vectors, members: Mask) -> Flood:
    of_it = [incidents[place] for place in np.flatnonzero(members).tolist()]
    of_it.sort(key=lambda one: (str(one.opened_at), one.number))
    services = [one.service.casefold() for one in of_it if one.service]
    usual = frozenset(service for service in services if services.count(service) * 3 >= len(services))
    return Flood(tuple(of_it), _middle(vectors, members), usual)


def _shared(incidents: Sequence[Report]) -> NDArray[np.float32]:
    """What is added to the likeness of two for their common service and item."""
    added = np.zeros((len(incidents), len(incidents)), np.float32)
    for name, bonus in (("service", SAME_SERVICE), ("cmdb_ci", SAME_ITEM)):
        values = [(getattr(one, name) or "").casefold() for one in incidents]
        number_of = {value: number for number, value in enumerate(dict.fromkeys(values))}
        numbers = np.array([number_of[value] if value else -1 for value in values], np.int32)
        added += bonus * ((numbers[:, None] == numbers[None, :]) & (numbers[:, None] >= 0)).astype(np.float32)
    return added


def _middle(vectors: Vectors, members: Mask) -> Vectors:
    total = members.astype(np.float32) @ vectors
    unit: Vectors = total / max(float(np.linalg.norm(total)), 1e-12)
    return unit
