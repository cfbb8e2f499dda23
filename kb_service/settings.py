"""Every setting: name, default, help. Read once, from the environment (``KB_DATA=…``), files, and the command line."""

import os
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from indexer.encoder import Encoder, open_encoder
from indexer.frontmatter import Audience
from indexer.language import Code, Language, language_of
from indexer.model_files import DEFAULT_MODEL
from kb_service.access import Sight, sight_up_to
from kb_service.confidence import STRONG
from kb_service.logs import Form
from kb_service.major import Criteria
from kb_service.provider import Provider
from kb_service.recurrence import Recurrence
from kb_service.retention import Retention
from kb_service.secret_files import settings_in
from kb_service.setting_values import (
    Address,
    FolderInside,
    GitName,
    HostNames,
    Networks,
    Rate,
    Roles,
    SecretFiles,
    is_loopback,
    listed,
)
from kb_service.vocabulary import Priority


class Settings(BaseSettings):
    """Settings of one knowledge base."""

    model_config = SettingsConfigDict(env_prefix="KB_", env_ignore_empty=True, frozen=True, extra="ignore")

    content: Path = Field(
        Path("content"),
        description="The folder of Markdown knowledge objects: files as they lie, or, with KB_CONTENT_REF, a git "
        "repository. A bare one is always read by ref.",
    )
    content_ref: GitName | None = Field(
        None,
        description="The branch or tag that is live, read from git's object store. Default of a remote or a bare "
        "repository: its default branch.",
    )
    content_folder: FolderInside = Field(
        "", description="The folder of the articles inside the repository. Default: the whole."
    )
    content_remote: GitName | None = Field(
        None, description="A git URL: cloned into the data folder and fetched by itself; KB_CONTENT is not used then."
    )
    edit_url: str = Field(
        "",
        pattern=r"^$|^https?://.*\{path\}",
        description="Where an article is edited, `{path}` for its path in the content. Default: by KB_CONTENT_REMOTE "
        "and KB_CONTENT_REF, where it is a GitHub, GitLab, Gitea or Forgejo.",
    )
    poll_seconds: float = Field(
        60,
        ge=0,
        le=86400,
        allow_inf_nan=False,
        description="How often the content is looked at while the service runs; 0: not by itself.",
    )
    hook_secret: SecretStr | None = Field(
        None, description="What a git server signs its webhooks with: `POST /hooks/git` answers only then."
    )
    hook_repository: str | None = Field(
        None,
        description="The repository whose webhooks are taken, `owner/name` or a URL. Default: KB_CONTENT_REMOTE, or "
        "the repository's remote.",
    )
    data: Path = Field(
        Path("data"),
        description="Where the index and the desk's record live. Nothing is kept elsewhere, but for KB_CACHE.",
    )
    cache: Path | None = Field(
        None,
        description="Exported models and encoded texts; may be shared between data folders. Default: `<data>/cache`.",
    )
    encoder: Literal["onnx", "sentence-transformers", "hashing"] = Field(
        "onnx",
        description="How texts become vectors: `onnx` (int8, exported once), `sentence-transformers` (plain, with "
        "torch), `hashing` (no model, for tests).",
    )
    model: str = Field(
        DEFAULT_MODEL,
        description="Any sentence-transformers model: a folder or a hub name. Default: one that comes as a package.",
    )
    language: Code = Field(
        "en",
        description="The language that articles and tickets are written in: `en`, `de`, `es`, `fr`, `it` or `nl`. For "
        "another than English KB_MODEL should name a multilingual one.",
    )
    default_audience: Audience = Field(
        "internal",
        description="What everybody may see while there is no key and no OIDC provider: `public`, or `internal` too.",
    )
    anonymous: bool = Field(
        False, description="Where there are keys or an OIDC provider: whoever shows neither may see what is public."
    )
    secrets: SecretFiles | None = Field(
        None,
        description="A folder of files that are called like settings and hold their values, as vaults, containers and "
        "systemd's credentials give them. What the environment says goes before.",
    )
    host: str = Field("127.0.0.1", description="The address `kb serve` listens on.")
    port: int = Field(8000, ge=0, le=65535, description="The port `kb serve` listens on; 0 takes a free one.")
    workers: int = Field(
        0,
        ge=0,
        le=256,
        description="So many processes search beside the service's own, each with 150 MB or more: one for each further "
        "core that is to answer.",
    )
    url: Address = Field(
        "",
        description="The address that people use, as in `https://kb.example.org`, or `https://example.org/kb` where it "
        "lies below a path: for sign-in, and where pages may ask from. Default: the one that each request names.",
    )
    hosts: HostNames = Field(
        "",
        description="The host names that are answered, with commas between; `/healthz` and `/readyz` under any. "
        "Default: on loopback its own names, else any.",
    )
    proxies: Networks = Field(
        "",
        description="Addresses or networks of reverse proxies, with commas between, whose `X-Forwarded-For` and "
        "`-Proto` count.",
    )
    rate_key: Rate = Field(
        "1200/minute", description="How often one key or person may ask; `none`: as often as wanted."
    )
    rate_address: Rate = Field(
        "3000/minute", description="How often one address may ask, of IPv6 one network; not while the service is open."
    )
    rate_refused: Rate = Field(
        "10/minute", description="How often one address may show a key or token that is not valid."
    )
    session_hours: float = Field(12, gt=0, le=720, description="How long a sign-in to the pages lasts.")
    session_idle_hours: float = Field(
        4, gt=0, le=720, description="How long it lasts while nothing is asked; a page that is only read asks nothing."
    )
    key_sign_in: bool = Field(
        True,
        description="Whether a key lets into the pages. `false`: people come in through the provider only, which can "
        "ask for a second factor; keys are for programs.",
    )
    oidc_issuer: str = Field("", description="The OpenID Connect provider, as its tokens name it (`iss`).")
    oidc_audience: str = Field("", description="What its bearer tokens must be for (`aud`).")
    oidc_client_id: str = Field("", description="The client of the pages' sign-in; without one they take keys only.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Its secret; none for a public client.")
    oidc_groups_claim: str = Field("groups", description="The claim that names a person's groups.")
    oidc_roles: Roles = Field(
        {},
        description='Their groups as roles, as JSON: `{"Service Desk": "agent", "KB Admins": "admin"}`. Who is in none '
        "may not come in.",
    )
    oidc_acr: str = Field(
        "",
        description="How one must have signed in there, as the provider calls it (`acr`), one of several with spaces "
        "between: by a second factor, say. It is asked for, and no other sign-in or token is taken.",
    )
    log: Form = Field(
        "text",
        description="How `kb serve` logs on standard error: `text`, faults only, or `json`, each request "
        "and publish too.",
    )
    log_texts: bool = Field(
        False,
        description="What failures say and, with `json`, the address of each request may be logged: both may hold what "
        "was asked and what incidents say.",
    )
    retain_searches: int = Field(
        90,
        ge=0,
        le=36_500,
        description="After so many days what was searched, opened and suggested is deleted; 0: never.",
    )
    retain_feedback: int = Field(
        365, ge=0, le=36_500, description="After so many days comments are deleted, and whose a vote was; 0: never."
    )
    retain_incidents: int = Field(
        0,
        ge=0,
        le=36_500,
        description="So many days after they were resolved, and last changed, incidents are erased; 0: never.",
    )

    strong: float = Field(
        STRONG, gt=0, lt=1, description="The probability of answering from which a hit counts as strong."
    )
    suggest: float = Field(
        0.5, gt=0, lt=1, description="The probability of answering from which an article is suggested to a ticket form."
    )

    major_count: int = Field(
        10, ge=2, description="So many open incidents alike, of whatever service, propose a major incident."
    )
    major_service_count: int = Field(6, ge=2, description="The same for alike ones of one service.")
    major_minutes: int = Field(
        30, ge=1, le=10_080, description="They count when they were opened within so many minutes."
    )
    major_priority: Priority = Field("P1", description="An incident of this priority proposes one by itself.")
    major_users: int = Field(200, ge=1, description="So do so many users affected, all alike ones together.")
    problem_count: int = Field(
        4, ge=2, description="The same fault on so many different days, over two weeks at least, proposes a problem."
    )
    problem_days: int = Field(90, ge=15, le=3_650, description="So many days back are looked at for that.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the library names what it passes)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the same)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The command line, the environment, then the files of KB_SECRETS."""
        said: dict[str, str] = {}
        # Where they cannot be read the field's own check says so
        if folder := os.environ.get("KB_SECRETS"):
            with suppress(ValueError):
                said = settings_in(Path(folder))
        return init_settings, env_settings, InitSettingsSource(settings_cls, said)

    @model_validator(mode="after")
    def _provider_is_whole(self) -> "Settings":
        if self.oidc_issuer and not (self.oidc_audience or self.oidc_client_id):
            raise ValueError("KB_OIDC_ISSUER: with it KB_OIDC_AUDIENCE or KB_OIDC_CLIENT_ID is needed, or both")
        issuer = urlsplit(self.oidc_issuer)
        if self.oidc_issuer and issuer.scheme != "https" and not is_loopback(issuer.hostname or ""):
            raise ValueError("KB_OIDC_ISSUER: it must be an https:// address, as its keys are fetched from there")
        if self.oidc_issuer and not self.oidc_roles:
            raise ValueError("KB_OIDC_ROLES: with an issuer it is needed, or nobody could come in")
        if not self.key_sign_in and not (self.oidc_issuer and self.oidc_client_id):
            raise ValueError("KB_KEY_SIGN_IN: without it KB_OIDC_ISSUER and KB_OIDC_CLIENT_ID are needed")
        return self

    @property
    def provider(self) -> Provider | None:
        """The OpenID Connect provider, if there is one."""
        if not self.oidc_issuer:
            return None
        return Provider(
            self.oidc_issuer,
            self.oidc_audience,
            self.oidc_client_id,
            self.oidc_client_secret.get_secret_value(),
            self.oidc_groups_claim,
            self.oidc_roles,
            tuple(self.oidc_acr.split()),
        )

    @property
    def origin(self) -> str:
        """Scheme and host of the address that people use; empty where it is not given."""
        return self.url.removesuffix(self.root) if self.root else self.url

    @property
    def root(self) -> str:
        """The path that the service lies below, ``/kb``; empty where it has the host for itself."""
        return urlsplit(self.url).path

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine is answered, neither directly nor by a proxy any other."""
        named = [*listed(self.hosts), urlsplit(self.url).hostname or ""]
        return is_loopback(self.host) and not self.proxies and all(map(is_loopback, filter(None, named)))

    def is_proxy(self, address: str) -> bool:
        """Whether requests from there are a proxy's of ours, and say themselves where they come from."""
        return any(ip_address(address) in ip_network(one, strict=False) for one in listed(self.proxies))

    @property
    def retention(self) -> Retention:
        return Retention(self.retain_searches, self.retain_feedback, self.retain_incidents)

    @property
    def default_sight(self) -> Sight:
        return sight_up_to(self.default_audience)

    @property
    def criteria(self) -> Criteria:
        return Criteria(
            self.major_count, self.major_service_count, self.major_minutes, self.major_priority, self.major_users
        )

    @property
    def recurrence(self) -> Recurrence:
        return Recurrence(self.problem_count, self.problem_days)

    @property
    def clone_folder(self) -> Path:
        return self.data / "content.git"

    @property
    def request_file(self) -> Path:
        """Touched by git's own hook: the service publishes at once."""
        return self.data / "publish" / "requested"

    @property
    def outcome_file(self) -> Path:
        """What the last look came to: the commit, then what to tell its author."""
        return self.data / "publish" / "outcome"

    @property
    def cache_folder(self) -> Path:
        return self.cache or self.data / "cache"

    @property
    def spoken(self) -> Language:
        """The language, with what is known of it."""
        return language_of(self.language)

    def open_encoder(self) -> Encoder:
        """The encoder that the settings name; the model is exported the first time. Raises EncoderError."""
        return open_encoder(self.encoder, self.model, self.cache_folder)


def wrong_settings(error: ValidationError) -> list[tuple[str, str]]:
    """Each setting that cannot be read, as its field is called, and what is wrong, by its name.

    Of several together the message names them, and the field is empty.
    """
    found = []
    for one in error.errors():
        field, *inside = map(str, one["loc"] or ("",))
        setting = f"KB_{field.upper()}: " if field else ""
        what = one["msg"].removeprefix("Value error, ")
        found.append((field, setting + "".join(f"'{name}': " for name in inside) + what))
    return found
