"""An OpenID Connect provider, as the settings name it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from indexer.errors import KnowledgeBaseError
from kb_service.access import ROLES, Caller, Role, sight_of


@dataclass(frozen=True, slots=True)
class Provider:
    """Its tokens are for ``audience``, its sign-in is for ``client_id``; ``roles`` maps its groups to ours.

    ``strengths`` are the ways of signing in that count (``acr``), none where all do.
    """

    issuer: str
    audience: str
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    groups_claim: str = "groups"
    roles: Mapping[str, Role] = field(default_factory=dict)
    strengths: tuple[str, ...] = ()

    def caller_of(self, caller_id: str, name: str, groups: Collection[str]) -> Caller | None:
        """Somebody in these groups, with the highest role that they have here; None where they have none."""
        roles = [self.roles[group] for group in groups if group in self.roles]
        if not roles:
            return None
        role = max(roles, key=ROLES.index)
        return Caller(caller_id, name, role, sight_of(role, groups))

    def is_strong_enough(self, strength: str) -> bool:
        """Whether a sign-in of that ``acr`` counts."""
        return not self.strengths or strength in self.strengths


class TokenRefusedError(KnowledgeBaseError):
    """The token is none of the provider's, not for this service, or over."""


class ProviderError(KnowledgeBaseError):
    """The provider cannot be asked, or says what makes no sense."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How somebody signed in there (``acr``), empty where that is not said, and when (``auth_time``), 0 likewise."""

    strength: str
    at: int


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that has begun: what must come back from it."""

    state: str
    nonce: str
    verifier: str
