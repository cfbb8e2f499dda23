"""Git's own hook: a push to a repository on this machine, or a commit in it, is live at once.

The hook touches a file that the service watches, so that it needs no secret and no address. A push then waits a moment
for what the service writes beside it, and tells the author what is live and what was refused, at which line.
"""

import shlex
from pathlib import Path

from indexer.errors import KnowledgeBaseError
from indexer.git import GitError, Repository

# A bare repository is pushed to; in an author's own a branch moves in several ways
BARE_HOOKS = ("post-receive",)
CLONE_HOOKS = ("post-commit", "post-merge", "post-rewrite", "post-checkout")
_MARK = "# Made by 'kb hook install'."

_ASK = """\
#!/bin/sh
{mark} Asks the service on this machine to publish.
ask() {{
  mkdir -p {folder} && echo "$1" > {request}.$$ && mv {request}.$$ {request}
}}
"""
_AFTER_PUSH = """\
pushed=
while read -r _old new ref; do
  [ "$ref" = {ref} ] && pushed=$new
done
[ -n "$pushed" ] || exit 0
ask "$pushed" || exit 0
tries=50
while [ $tries -gt 0 ]; do
  if [ "$(head -n 1 {outcome} 2>/dev/null)" = "$pushed" ]; then
    tail -n +2 {outcome}
    exit 0
  fi
  tries=$((tries - 1))
  sleep 0.1
done
echo "kb: the service has not looked yet; it publishes when it runs again"
exit 0
"""
_AFTER_COMMIT = """\
ask commit
exit 0
"""


def install(repository: Repository, ref: str | None, request: Path, outcome: Path) -> list[Path]:
    """Write the hooks, ours anew; gives them. ``ref`` is the branch that is followed, or the repository's default one.

    Raises KnowledgeBaseError where there is a hook of somebody else's, and writes none then.
    """
    folder = _folder(repository)
    hooks = [folder / name for name in (BARE_HOOKS if repository.is_bare else CLONE_HOOKS)]
    text = (_ASK + (_AFTER_PUSH if repository.is_bare else _AFTER_COMMIT)).format(
        mark=_MARK,
        folder=shlex.quote(str(request.parent.resolve())),
        request=shlex.quote(str(request.resolve())),
        outcome=shlex.quote(str(outcome.resolve())),
        ref=shlex.quote(f"refs/heads/{ref.removeprefix('refs/heads/')}" if ref else _default(repository)),
    )
    for hook in hooks:
        if hook.exists() and _MARK not in hook.read_text("utf-8", "replace"):
            raise KnowledgeBaseError(
                f"{hook} is there already, and not made by kb", f"Move it away, or let it also do this:\n{text}"
            )
    folder.mkdir(parents=True, exist_ok=True)
    for hook in hooks:
        hook.write_text(text, "utf-8")
        hook.chmod(0o755)
    return hooks


def _folder(repository: Repository) -> Path:
    """Where the repository's hooks lie."""
    try:
        said = repository.run("config", "--local", "--get", "core.hooksPath").decode().strip()
    except GitError:
        return repository.git_dir / "hooks"
    return repository.top / Path(said).expanduser()


def _default(repository: Repository) -> str:
    try:
        return repository.run("symbolic-ref", "HEAD").decode().strip()
    except GitError as error:
        raise KnowledgeBaseError(
            f"{repository.git_dir} has no default branch", "Name the one to follow by KB_CONTENT_REF"
        ) from error
