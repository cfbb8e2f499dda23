"""The settings: can they be read, are they ones of ours, and do they fit together."""

import difflib
import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from indexer.language import ENGLISH
from indexer.model_files import DEFAULT_MODEL
from kb_service.diagnosis import Case, Diagnosis
from kb_service.secret_files import settings_in
from kb_service.setting_values import is_loopback
from kb_service.settings import Settings, wrong_settings

_NAME = "settings"
# Half of what NIST SP 800-107 has of a key for HMAC with SHA-256: shorter ones may be tried out
_LEAST_SECRET = 16


def read(given: Mapping[str, Any]) -> tuple[Settings, list[Diagnosis]]:
    """The settings with what is given over them, the default in the place of each that cannot be read, and which."""
    overruled: dict[str, Any] = {}
    found: list[Diagnosis] = []
    while True:
        try:
            return Settings(**{**given, **overruled}), found
        except ValidationError as error:
            for name, said in wrong_settings(error):
                # What is wrong with several together is wrong with the provider's
                fields = (name,) if name else ("oidc_issuer", "key_sign_in")
                if fields[0] in overruled:
                    raise
                defaults = {one: Settings.model_fields[one].get_default(call_default_factory=True) for one in fields}
                overruled |= defaults
                shown = f"; below, '{defaults[name]}' is taken for it" if name else ""
                remedy = "No other command runs before it is mended in the environment"
                found.append(Diagnosis(_NAME, "error", f"{said}{shown}", remedy))


def settings(case: Case) -> Iterator[Diagnosis]:
    """Names that are none of ours, and what is pointless or unsafe together. Who may come in depends on keys."""
    folder = case.settings.secrets
    in_files = {f"KB_{name.upper()}" for name in settings_in(folder)} if folder else set()
    found = [*_unknown({*os.environ, *in_files}), *_together(case.settings)]
    yield from found
    if not found:
        known = sorted({name for name in os.environ if name.startswith("KB_") and os.environ[name]} | in_files)
        told = f"{', '.join(known)} set" if known else "none is set, defaults are used"
        yield Diagnosis(_NAME, "ok", told)


def _unknown(environment: Collection[str]) -> Iterator[Diagnosis]:
    ours = [f"KB_{name.upper()}" for name in Settings.model_fields]
    for name in sorted(environment):
        if name.startswith("KB_") and name not in ours:
            near = difflib.get_close_matches(name, ours, 1)
            meant = f"Perhaps {near[0]} is meant" if near else "The README lists those that there are"
            yield Diagnosis(_NAME, "warning", f"{name} is set, but there is no such setting", meant)


def _together(given: Settings) -> Iterator[Diagnosis]:
    def doubtful(said: str, remedy: str) -> Diagnosis:
        return Diagnosis(_NAME, "warning", said, remedy)

    secret = given.hook_secret.get_secret_value() if given.hook_secret else ""
    if secret and len(secret) < _LEAST_SECRET:
        yield doubtful(
            f"KB_HOOK_SECRET has {len(secret)} characters, few enough to be tried out",
            "Take a longer one, here and at the git server: openssl rand -hex 32",
        )
    if given.content_remote and not given.poll_seconds and not secret:
        yield doubtful(
            "KB_POLL_SECONDS is 0 and there is no KB_HOOK_SECRET: nothing tells the service of a push",
            "Set KB_HOOK_SECRET and a webhook at the git server, or KB_POLL_SECONDS",
        )
    if not given.oidc_issuer and (given.oidc_client_id or given.oidc_audience or given.oidc_roles):
        yield doubtful("KB_OIDC_… is set without KB_OIDC_ISSUER: nobody can sign in by it", "Set KB_OIDC_ISSUER")
    if not given.is_loopback and not given.url.startswith("https://"):
        yield doubtful(
            "other machines are answered, and KB_URL is no https:// address: keys and answers may be read on their way",
            "Let a proxy end TLS, name it by KB_PROXIES, and set KB_URL=https://…",
        )
    elif not given.is_loopback and not is_loopback(given.host) and not given.proxies:
        yield doubtful(
            "KB_URL is https://, but KB_PROXIES names no proxy: limits by address count the proxy for everybody",
            "Name the proxy that ends TLS by KB_PROXIES",
        )
    if given.language != ENGLISH.code and given.encoder != "hashing" and given.model == DEFAULT_MODEL:
        yield doubtful(
            f"KB_LANGUAGE is {given.language}, but the default model knows English only: what is said in other words is"
            " hardly found",
            "Name a model of several languages by KB_MODEL",
        )
    cores = os.cpu_count() or 1
    if given.workers >= cores > 0 and given.workers:
        yield doubtful(
            f"KB_WORKERS is {given.workers}, with the service's own more processes than the {cores} cores here",
            f"Set it to {cores - 1} at most",
        )
