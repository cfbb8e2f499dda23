"""Every setting: name, default, help. Read once, from the environment (``KB_DATA=…``) and the command line."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from indexer.encoder import DEFAULT_MODEL, Encoder, open_encoder
from indexer.frontmatter import Audience
from kb_service.confidence import STRONG
from kb_service.major import Criteria
from kb_service.recurrence import Recurrence
from kb_service.vocabulary import Priority


class Settings(BaseSettings):
    """Settings of one knowledge base."""

    model_config = SettingsConfigDict(env_prefix="KB_", env_ignore_empty=True, frozen=True, extra="ignore")

    content: Path = Field(
        Path("content"),
        description="The folder of Markdown knowledge objects: files as they lie, or, with KB_CONTENT_REF, a git "
        "repository. A bare one is always read by ref.",
    )
    content_ref: str | None = Field(
        None,
        description="The branch or tag that is live, read from git's object store. Default of a remote or a bare "
        "repository: its default branch.",
    )
    content_folder: str = Field("", description="The folder of the articles inside the repository. Default: the whole.")
    content_remote: str | None = Field(
        None, description="A git URL: cloned into the data folder and fetched by itself; KB_CONTENT is not used then."
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
    default_audience: Audience = Field(
        "internal", description="What a caller without a key may see: `public`, or `internal` too."
    )
    host: str = Field("127.0.0.1", description="The address `kb serve` listens on.")
    port: int = Field(8000, ge=0, le=65535, description="The port `kb serve` listens on; 0 takes a free one.")

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
    major_minutes: int = Field(30, ge=1, description="They count when they were opened within so many minutes.")
    major_priority: Priority = Field("P1", description="An incident of this priority proposes one by itself.")
    major_users: int = Field(200, ge=1, description="So do so many users affected, all alike ones together.")
    problem_count: int = Field(
        4, ge=2, description="The same fault on so many different days, over two weeks at least, proposes a problem."
    )
    problem_days: int = Field(90, ge=15, description="So many days back are looked at for that.")

    @field_validator("content_folder")
    @classmethod
    def _folder_inside(cls, value: str) -> str:
        if ".." in value.split("/"):
            raise ValueError("a folder inside the repository has no '..'")
        return value.strip("/")

    @field_validator("content_ref", "content_remote")
    @classmethod
    def _no_option(cls, value: str | None) -> str | None:
        if value is not None and value.startswith("-"):
            raise ValueError("a name must not start with '-'")
        return value

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

    def open_encoder(self) -> Encoder:
        """The encoder that the settings name; the model is exported the first time. Raises EncoderError."""
        return open_encoder(self.encoder, self.model, self.cache_folder)
