"""Options that several commands share, and what they stand for."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from indexer.encoder import PlainEncoder
from indexer.errors import KnowledgeBaseError
from indexer.model_files import INSTALLED
from kb_service.desk import Desk
from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings, wrong_settings
from kb_service.terminal import err

Content = Annotated[
    Path | None, typer.Option("--content", metavar="DIR", help="The Markdown folder.  [default: KB_CONTENT or content]")
]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Where the index lives.  [default: KB_DATA or data]")
]
Demo = Annotated[bool, typer.Option("--demo", help="Over sample records, in a data folder of their own: <data>/demo.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def settings_of(**given: Any) -> Settings:
    """The settings, with what was given on the command line over those of the environment."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise typer.BadParameter("; ".join(said for _, said in wrong_settings(error))) from error


def of_demo(settings: Settings) -> Settings:
    """A demo desk has its own data; the model and texts once encoded are shared with the real one."""
    return settings.model_copy(update={"data": settings.data / "demo", "cache": settings.cache_folder})


def record_of(settings: Settings) -> Desk:
    """The record, which must be there: none is made where somebody only named another folder.

    Raises KnowledgeBaseError, DeskError.
    """
    return Desk(with_record(settings).data / "desk.db")


def with_record(settings: Settings) -> Settings:
    """These settings, of a data folder that has a record. Raises KnowledgeBaseError."""
    if not (settings.data / "desk.db").exists():
        raise KnowledgeBaseError(
            f"there is no record in {settings.data}",
            "Name its folder by --data or KB_DATA; a new one begins with 'kb serve' or 'kb incidents import FILE'",
        )
    return settings


def demo_desk(settings: Settings) -> Settings:
    """Those of a demo desk that has records. Raises KnowledgeBaseError."""
    demo = of_demo(settings)
    if not (demo.data / "desk.db").exists():
        raise KnowledgeBaseError(f"there is no demo desk in {demo.data}", "Start one by 'kb serve --demo'")
    return demo


def prepare_model(settings: Settings) -> None:
    """Say why the first run takes long."""
    if settings.encoder == "onnx" and not (INSTALLED.exists() or (settings.cache_folder / "models").exists()):
        err.print("[dim]Preparing the model, once: about half a minute[/dim]")


def opened(settings: Settings) -> KnowledgeBase:
    """The knowledge base; what is unusual about its encoder is said."""
    prepare_model(settings)
    base = KnowledgeBase(settings)
    if settings.encoder == "onnx" and isinstance(base.encoder, PlainEncoder):
        err.print(
            f"The export of {settings.model} differs from the original: the plain encoder is used, which is slower"
        )
    return base


def each_of(values: list[str] | None, option: str, kind: Any) -> list[str]:
    """The values of an option, each one of the literal type ``kind``."""
    allowed = kind.__args__
    for value in values or []:
        if value not in allowed:
            raise typer.BadParameter(f"{option}: '{value}' is none of {', '.join(allowed)}")
    return values or []
