"""An OpenID Connect provider, as the settings name it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kb_service.access import Role


@dataclass(frozen=True, slots=True)
class Provider:
    """Its tokens are for ``audience``, its sign-in is for ``client_id``; ``roles`` maps its groups to ours."""

    issuer: str
    audience: str
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    groups_claim: str = "groups"
    roles: Mapping[str, Role] = field(default_factory=dict)
