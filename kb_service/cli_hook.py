"""``kb hook install``: a push to a repository on this machine is live at once."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from indexer.git import Repository
from kb_service.cli_options import Content, Data, settings_of
from kb_service.git_hook import install as write_hooks
from kb_service.terminal import err, out

hook_app = typer.Typer(help="Git's own hook, where the repository lies on the service's machine.", no_args_is_help=True)


@hook_app.command()
def install(
    repository: Annotated[
        Path | None, typer.Argument(metavar="[REPOSITORY]", help="Where authors push to.  [default: KB_CONTENT]")
    ] = None,
    content: Content = None,
    data: Data = None,
) -> None:
    """Write a post-receive hook (in a bare repository) or post-commit ones, which ask the service to publish."""
    settings = settings_of(content=content, data=data)
    found = Repository(repository or settings.content)
    for hook in write_hooks(found, settings.content_ref, settings.request_file, settings.outcome_file):
        out.print(escape(str(hook)))
    followed = settings.content_ref or "HEAD"
    if found.commit(followed) is None:
        err.print(escape(f"There is no commit at {followed} yet, which is what is followed."))
        err.print("Name the branch by KB_CONTENT_REF, or make it the default: git symbolic-ref HEAD refs/heads/NAME")
    out.print(f"They ask the service over {escape(str(settings.data))}, while it runs, to publish.")


@hook_app.callback()
def hook() -> None:
    """Git's own hook, where the repository lies on the service's machine."""
