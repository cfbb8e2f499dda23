"""Git's own hook: a push to a repository on this machine, or a commit in it, is live at once.

The hook touches a file that the service watches, so that it needs no secret and no address. A push then waits a moment
for what the service writes beside it, and tells the author what is live and what was refused, at which line. What the
service says of a later commit counts too, where that holds the one that was pushed and is still on the branch.
"""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from indexer.errors import KnowledgeBaseError
from indexer.git import Repository
from indexer.git_command import GitError

# A bare repository is pushed to; in an author's own a branch moves in several ways
BARE_HOOKS = ("post-receive",)
CLONE_HOOKS = ("post-commit", "post-merge", "post-rewrite", "post-checkout")
_MARK = "# Made by 'kb hook install'."

_ASK = """\
#!/bin/sh
{mark} Asks the service on this machine to publish.
ask() {{
  mkdir -p {folder} && rm -f {outcome} && echo "$1" > {request}.$$ && mv {request}.$$ {request}
}}
"""
_AFTER_PUSH = """\
pushed=
while read -r _old new ref; do
  case "$ref" in {refs}) pushed=$new followed=$ref ;; esac
done
[ -n "$pushed" ] || exit 0
answered() {{
  seen=$(head -n 1 {outcome}) || return 1
  # Without a commit it says why the service could not look
  [ -z "$seen" ] && return 0
  git merge-base --is-ancestor "$pushed" "$seen" && git merge-base --is-ancestor "$seen" "$followed"
}}
ask "$pushed" || exit 0
tries=50
while [ $tries -gt 0 ]; do
  if answered 2>/dev/null; then
    tail -n +2 {outcome}
    exit 0
  fi
  tries=$((tries - 1))
  sleep 0.1
done
echo "kb: no answer from the service within 5 s"
exit 0
"""
_AFTER_COMMIT = """\
ask commit
exit 0
"""


def install(repository: Repository, ref: str | None, request: Path, outcome: Path) -> list[Path]:
    """Write the hooks, ours anew; gives them. ``ref`` is the branch or tag that is followed, if not the default branch.

    Raises KnowledgeBaseError where there is a hook of somebody else's, and writes none then.
    """
    hooks, text = _hooks(repository), _text(repository, ref, request, outcome)
    for hook in hooks:
        if hook.exists() and _MARK not in hook.read_text("utf-8", "replace"):
            raise KnowledgeBaseError(
                f"{hook} is there already, and not made by kb", f"Move it away, or let it also do this:\n{text}"
            )
    hooks[0].parent.mkdir(parents=True, exist_ok=True)
    for hook in hooks:
        hook.write_text(text, "utf-8")
        hook.chmod(0o755)
    return hooks


def amiss(repository: Repository, ref: str | None, request: Path, outcome: Path) -> list[str]:
    """What keeps the hooks from asking as ``install`` would have them ask; nothing where all is well."""
    text = _text(repository, ref, request, outcome)
    found = []
    for hook in _hooks(repository):
        there = hook.read_text("utf-8", "replace") if hook.exists() else None
        if there is None:
            found.append(f"there is no {hook}")
        elif _MARK not in there:
            found.append(f"{hook} is not made by kb")
        elif there != text:
            asks_here = shlex.quote(str(request.resolve())) in there
            found.append(f"{hook} is of another branch or version" if asks_here else f"{hook} asks another data folder")
        elif not os.access(hook, os.X_OK):
            found.append(f"{hook} is not executable")
    return found


def _hooks(repository: Repository) -> list[Path]:
    folder = _folder(repository)
    return [folder / name for name in (BARE_HOOKS if repository.is_bare else CLONE_HOOKS)]


def _text(repository: Repository, ref: str | None, request: Path, outcome: Path) -> str:
    return (_ASK + (_AFTER_PUSH if repository.is_bare else _AFTER_COMMIT)).format(
        mark=_MARK,
        folder=shlex.quote(str(request.parent.resolve())),
        request=shlex.quote(str(request.resolve())),
        outcome=shlex.quote(str(outcome.resolve())),
        refs="|".join(shlex.quote(one) for one in _followed(repository, ref)) if repository.is_bare else "",
    )


def _folder(repository: Repository) -> Path:
    """Where the repository's hooks lie."""
    try:
        said = repository.run("config", "--local", "--get", "core.hooksPath").decode().strip()
    except GitError:
        # A linked worktree has none of its own
        common = os.fsdecode(repository.run("rev-parse", "--git-common-dir")).removesuffix("\n")
        return repository.top / common / "hooks"
    return repository.top / Path(said).expanduser()


def _followed(repository: Repository, ref: str | None) -> Sequence[str]:
    """The full names that what is followed may have."""
    if ref:
        return [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    try:
        return [repository.run("symbolic-ref", "HEAD").decode().strip()]
    except GitError as error:
        raise KnowledgeBaseError(
            f"{repository.git_dir} has no default branch", "Name the one to follow by KB_CONTENT_REF"
        ) from error
