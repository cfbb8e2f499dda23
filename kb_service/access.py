"""Who asks, what they may see, and what they may do: audiences, groups and services; roles.

A requester is a ticket form or a person at the portal, an agent works at the desk, an author writes articles, an admin
runs the service. What one may see is decided before anything is looked for, never after.
"""

import getpass
import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, get_args

from indexer.errors import KnowledgeBaseError
from indexer.frontmatter import AUDIENCES, Audience, audiences_of

Role = Literal["requester", "agent", "author", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


class NotForCallerError(KnowledgeBaseError):
    """The caller is known, and may not do or see this."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What of the content and of the record one may see.

    Up to an ``audience``; of what is restricted, that of the ``groups`` (None: of all). With ``services``, what
    concerns one of these, or none at all.
    """

    audience: Audience = "internal"
    groups: frozenset[str] | None = frozenset()
    services: frozenset[str] | None = None

    @property
    def within(self) -> bool:
        """Whether one belongs to the desk, and does not only come to it."""
        return self.audience != "public"

    @property
    def audiences(self) -> frozenset[str]:
        """The audiences that one is of, as the index knows them."""
        wide = frozenset(AUDIENCES[: AUDIENCES.index(self.audience) + 1])
        if self.audience != "restricted" or self.groups is None:
            return wide
        return (wide - {"restricted"}) | (audiences_of("restricted", self.groups) - {"restricted"})

    @property
    def sees_all(self) -> bool:
        """Whether nothing is hidden from one, also what is not known to be for anybody."""
        return self.audience == "restricted" and self.groups is None and self.services is None

    def sees(self, audience: Audience, groups: Collection[str], services: Collection[str]) -> bool:
        """Whether what is for this audience and concerns these services may be seen."""
        return bool(self.audiences & audiences_of(audience, groups)) and self.concerns(services)

    def concerns(self, services: Collection[str]) -> bool:
        """Whether what is of these services, or of none, is one's own concern."""
        if self.services is None or not services:
            return True
        return not {one.casefold() for one in services}.isdisjoint(one.casefold() for one in self.services)

    def narrowed(self, audience: Audience) -> "Sight":
        """As one who sees no more than this audience. Raises NotForCallerError for a wider one."""
        if AUDIENCES.index(audience) > AUDIENCES.index(self.audience):
            raise NotForCallerError(
                f"The audience '{audience}' is not for this caller, who may see '{self.audience}'", "Ask for less"
            )
        return replace(self, audience=audience)


PUBLIC = Sight("public")
INTERNAL = Sight("internal")
EVERYTHING = Sight("restricted", None)


def sight_up_to(audience: Audience) -> Sight:
    """What one sees who is at the machine itself, or whom nobody asked for a key: of what is restricted, all."""
    return Sight(audience, None)


def sight_of(role: Role, groups: Collection[str] = (), services: Collection[str] | None = None) -> Sight:
    """What a role sees: requesters what is public, others what is internal and what is their groups', admins all."""
    concern = frozenset(services) if services else None
    if role == "requester":
        return Sight("public", frozenset(), concern)
    if role == "admin":
        return Sight("restricted", None, concern)
    return Sight("restricted" if groups else "internal", frozenset(groups), concern)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: ``id`` stands in what is kept of it (``key:…``, ``oidc:…``), ``name`` is for people.

    ``is_shared``: that is many, who must not learn of one another, as whoever comes without a key.
    """

    id: str
    name: str
    role: Role
    sight: Sight
    is_shared: bool = False

    @property
    def is_somebody(self) -> bool:
        """Whether it is known who it is: by a key, a token or a sign-in."""
        return ":" in self.id

    def is_at_least(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)

    def require_concern(self, services: Collection[str]) -> None:
        """Raises NotForCallerError for a record of services that are not the caller's."""
        if not self.sight.concerns(services):
            raise NotForCallerError("Records of other services are not this caller's to write", "Ask for another key")

    def require(self, role: Role, what: str) -> None:
        """Raises NotForCallerError where the caller's role does not reach."""
        if not self.is_at_least(role):
            raise NotForCallerError(f"{what} is for the role '{role}' and above; this caller is '{self.role}'",
                                    "Ask an administrator for another key")  # fmt: skip


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # In a container the number may have no name
        return str(os.getuid())


LOCAL = Caller(f"local:{_user()}", "this machine", "admin", EVERYTHING)
"""Who works at the machine itself, by the shell or a program."""
