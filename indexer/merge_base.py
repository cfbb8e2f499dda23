"""What a branch is compared with: the last commit that it and its base have in common."""

from collections.abc import Iterator
from dataclasses import dataclass

from indexer.errors import KnowledgeBaseError
from indexer.git import Repository
from indexer.git_command import GitError
from indexer.history import is_shallow

_WHOLE = (
    "This clone lacks its older commits: set 'fetch-depth: 0' at actions/checkout, 'GIT_DEPTH: 0' in GitLab CI, or run"
    " 'git fetch --unshallow'"
)


class BaseMissingError(KnowledgeBaseError):
    """There is nothing that a branch could be compared with, or not what was named."""


@dataclass(frozen=True, slots=True)
class Base:
    """A branch's base: what was taken for it, and the full name of the commit where the branch left it."""

    name: str
    commit: str


def merge_base(repository: Repository, named: str | None = None) -> Base:
    """The base of what is checked out.

    Where none is named: the branch's upstream, else the remote's default branch, else main or master. An upstream that
    is only the branch's own copy on the remote is no base as long as there is another. Raises BaseMissingError and
    GitError.
    """
    head = repository.commit("HEAD")
    if head is None:
        raise BaseMissingError("nothing is committed yet", "Commit first; then there is something to compare with")
    name, tip = _tip(repository, named)
    try:
        common = repository.run("merge-base", tip, head).decode().strip()
    except GitError as error:
        remedy = _WHOLE if is_shallow(repository) else "Name another base: kb preview BASE"
        raise BaseMissingError(f"this branch and {name} have no commit in common", remedy) from error
    return Base(name, common)


def _tip(repository: Repository, named: str | None) -> tuple[str, str]:
    for name in _usual(repository) if named is None else [named]:
        tip = repository.commit(name)
        if tip is not None:
            return name, tip
    if is_shallow(repository):
        remedy = _WHOLE
    else:
        remedy = "Name a branch, tag or commit that is here; 'git fetch' brings a remote's"
    if named is None:
        raise BaseMissingError("there is no branch to compare with: no upstream, origin, main or master", remedy)
    raise BaseMissingError(f"there is no commit '{named}' here", remedy)


def _usual(repository: Repository) -> Iterator[str]:
    """What may be the base, the likeliest first."""
    branch = _said(repository, "symbolic-ref", "--quiet", "--short", "HEAD")
    upstream = _said(repository, "rev-parse", "--abbrev-ref", "@{upstream}")
    if upstream and upstream.partition("/")[2] != branch:
        yield upstream
    default = _said(repository, "rev-parse", "--abbrev-ref", "origin/HEAD")
    yield from filter(None, [default, "origin/main", "origin/master", "main", "master", upstream])


def _said(repository: Repository, *arguments: str) -> str:
    """What git says; nothing where it has nothing to say."""
    try:
        return repository.run(*arguments).decode("utf-8", "replace").strip()
    except GitError:
        return ""
