"""Where the content comes from, by the settings: files as they lie, a ref of a repository, or a remote's clone."""

from pathlib import Path

from indexer.clone import Clone
from indexer.errors import ContentMissingError
from indexer.git import Repository
from indexer.git_command import GitError
from indexer.git_ref import GitRef
from indexer.source import Content, WorkingTree
from kb_service.settings import Settings

MOST_FILE_BYTES = 32 * 1024 * 1024
_FILE_MODES = frozenset({"100644", "100755"})


def is_ref(settings: Settings) -> bool:
    """Whether a commit is followed; else files as they lie."""
    return bool(settings.content_remote or settings.content_ref) or _is_bare(settings.content)


def open_content(settings: Settings) -> Content:
    """The content as it is now; a remote is fetched first. Raises ContentMissingError and GitError."""
    if settings.content_remote:
        Clone(settings.content_remote, settings.clone_folder).fetch(settings.content_ref)
        return GitRef(Repository(settings.clone_folder, settings.content_folder), "HEAD", is_copy=True)
    if is_ref(settings):
        return GitRef(Repository(_there(settings.content), settings.content_folder), settings.content_ref or "HEAD")
    return working_tree(settings)


def put_aside_if_damaged(settings: Settings) -> bool:
    """Whether the clone of a remote is damaged; it is put aside then, and made anew when content is opened."""
    remote = settings.content_remote
    return bool(remote) and Clone(str(remote), settings.clone_folder).put_aside_if_damaged()


def working_tree(settings: Settings) -> WorkingTree:
    """The files as they lie, as an author has them. Raises ContentMissingError."""
    tree = WorkingTree(settings.content / settings.content_folder, (settings.data, settings.cache_folder))
    if tree.root.is_relative_to(settings.data.resolve()):
        raise ContentMissingError(f"the content {tree.root} is inside the data folder", "Keep the two apart")
    return tree


def repository(settings: Settings) -> Repository | None:
    """The repository that the content's history is asked of; None without git. Nothing is fetched."""
    try:
        if settings.content_remote:
            return Repository(settings.clone_folder, settings.content_folder)
        if is_ref(settings):
            return Repository(settings.content, settings.content_folder)
        return Repository(settings.content / settings.content_folder)
    except GitError:
        return None


def _there(folder: Path) -> Path:
    if not folder.is_dir():
        raise ContentMissingError(f"there is no repository {folder}", "Name one by KB_CONTENT, or KB_CONTENT_REMOTE")
    return folder


def _is_bare(folder: Path) -> bool:
    """A bare repository by its looks: asking git would cost a process for every look at a working tree."""
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()


def followed_repository(settings: Settings) -> str:
    """The name or URL of the repository that is followed, as webhooks may call it."""
    if settings.hook_repository or settings.content_remote:
        return settings.hook_repository or settings.content_remote or ""
    found = repository(settings)
    if found is None:
        return str(settings.content.resolve())
    try:
        return found.run("config", "--get", "remote.origin.url").decode().strip()
    except GitError:
        return str(found.top)


def followed_ref(settings: Settings) -> frozenset[str] | None:
    """The full names that the ref that is followed may have; None where any push may matter."""
    if settings.content_ref:
        name = settings.content_ref
        # ``origin/main`` of a clone is what the server calls ``main``
        there = name.removeprefix("origin/")
        return frozenset({name, f"refs/heads/{there}", f"refs/tags/{there}"})
    return None


def read_file(settings: Settings, path: str, commit: str | None, live: str | None) -> bytes | None:
    """A file beside the articles: as a commit has it, else as it is live.

    None where there is none, or it is a link, or too large. Raises GitError.
    """
    if any(part.startswith(".") or not part for part in path.split("/")) or not path.isprintable():
        return None
    data = _committed(settings, path, commit, live) if commit or is_ref(settings) else _lying(settings, path)
    return data if data is not None and len(data) <= MOST_FILE_BYTES else None


def _committed(settings: Settings, path: str, commit: str | None, live: str | None) -> bytes | None:
    found = repository(settings)
    if found is None or live is None:
        return None
    at = commit or live
    if not found.is_ancestor(at, live):
        return None
    listed = found.run("ls-tree", "-z", "--full-tree", at, "--", f"{found.prefix}{path}")
    mode, _, name = listed.partition(b"\t")[0].decode().partition(" blob ")
    if mode not in _FILE_MODES:
        return None
    data = found.blob(name, MOST_FILE_BYTES + 1)
    if data is None:
        raise GitError(f"{path} is missing in the repository", "Look at the repository by 'git fsck'")
    return data


def _lying(settings: Settings, path: str) -> bytes | None:
    root = (settings.content / settings.content_folder).resolve()
    asked = root / path
    if asked.resolve() != asked or not asked.is_relative_to(root) or not asked.is_file():
        return None
    with asked.open("rb") as file:
        return file.read(MOST_FILE_BYTES + 1)
