"""Who asks: told by a key, a token or a session. Without any key and provider everybody at this machine may come in."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from indexer.errors import KnowledgeBaseError
from kb_service.access import PUBLIC, Caller, NotForCallerError, Role
from kb_service.keys import PREFIX, KeyRefusedError, Keys
from kb_service.page_sessions import PageSession, Person
from kb_service.provider import Provider, TokenRefusedError
from kb_service.setting_values import is_loopback
from kb_service.settings import Settings

if TYPE_CHECKING:
    from kb_service.oidc import Oidc

CredentialsRefusedError = (KeyRefusedError, TokenRefusedError)
ANYBODY = Caller("anonymous", "anybody", "requester", PUBLIC, is_shared=True)


class NoCredentialsError(KnowledgeBaseError):
    """Nothing came with the request that says who asks."""

    def __init__(self) -> None:
        super().__init__(
            "Who asks is not said", "Send a key as 'Authorization: Bearer …' or 'X-API-Key', or sign in at /login"
        )


def check_doors(settings: Settings, has_key: Callable[[], bool]) -> None:
    """Raises KnowledgeBaseError where other machines could come in and nobody would be asked who it is.

    ``has_key`` says whether there ever was a key; it is asked only where that matters.
    """
    if settings.is_loopback or settings.provider is not None or has_key():
        return
    where = settings.host or "every address"
    if is_loopback(settings.host):
        where = settings.url or settings.hosts or settings.proxies
    raise KnowledgeBaseError(
        f"other machines could use the service (by {where}), and there is no key and no OIDC provider",
        "Make a key first: kb keys create --role admin. Or leave out what names other machines",
    )


def _oidc(provider: Provider) -> "Oidc":
    # Cryptography that takes a tenth of a second to import, and that few need
    from kb_service.oidc import Oidc

    return Oidc(provider)


class Callers:
    """Tells callers from what they show. One serves all threads."""

    def __init__(self, keys: Keys, settings: Settings) -> None:
        self.keys, self._settings = keys, settings
        self.oidc = _oidc(settings.provider) if settings.provider else None
        self._had_key = False

    @property
    def is_open(self) -> bool:
        """Whether there is nothing to show: no provider, and never any key. Only loopback is ever open."""
        if self.oidc is not None or not self._settings.is_loopback:
            return False
        self._had_key = self._had_key or self.keys.any()
        return not self._had_key

    @property
    def takes_keys(self) -> bool:
        """Whether the pages let in by a key."""
        return self._settings.key_sign_in

    def by_credential(self, credential: str, origin: str | None) -> Caller:
        """Whose key or bearer token it is. A publishable key counts at its own origins only.

        Raises KeyRefusedError, TokenRefusedError, NotForCallerError, ProviderError.
        """
        if self.oidc is not None and not credential.startswith(PREFIX):
            return self.oidc.caller(credential)
        key = self.keys.verify(credential)
        if key.origins and origin not in key.origins:
            raise NotForCallerError(
                f"The key '{key.name}' is for pages of {', '.join(key.origins)}",
                "Ask from there, or with another key",
            )
        self.keys.used(key)
        return key.caller

    def by_session(self, session: PageSession) -> Caller | None:
        """Who is signed in; None where nobody is, or what one signed in by does not count any more."""
        if session.person is not None:
            return self._as_it_is_now(session.person)
        key = self.keys.get(session.key) if session.key and self.takes_keys else None
        return key.caller if key is not None and key.is_live else None

    def _as_it_is_now(self, person: Person) -> Caller | None:
        """By the settings of now; None where the provider is another one, or maps none of the groups to a role.

        Nor does a sign-in count that would not be strong enough any more.
        """
        provider = self._settings.provider
        if provider is None or provider.issuer != person.issuer or not provider.is_strong_enough(person.strength):
            return None
        return provider.caller_of(person.id, person.name, person.groups)

    def without(self) -> Caller | None:
        """Who it is that shows nothing; None where that is nobody who may come in."""
        if self.is_open:
            sight = self._settings.default_sight
            role: Role = "admin" if sight.within else "requester"
            return Caller("open", "everybody", role, sight, is_shared=not sight.within)
        return ANYBODY if self._settings.anonymous else None
