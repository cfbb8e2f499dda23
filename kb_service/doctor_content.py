"""The content: can it be read, is what it says live, can its remote be asked, and does a push tell the service."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from indexer.catalogue import Catalogue
from indexer.clone import wanted_refs
from indexer.database import look_into
from indexer.errors import KnowledgeBaseError, Problem
from indexer.git import Repository
from indexer.git_command import GitError, run_git, without_credentials
from indexer.git_ref import GitRef
from indexer.source import Content, Scan
from kb_service.content import is_ref, open_content
from kb_service.diagnosis import Case, Diagnosis
from kb_service.git_hook import amiss
from kb_service.settings import Settings

_CONTENT, _LIVE = "content", "published"
_ASK_SECONDS = 8.0


def content(case: Case) -> Iterator[Diagnosis]:
    """Whether it can be read, and how far what is live is from it. Nothing is fetched."""
    settings = case.settings
    if settings.content_remote and not settings.clone_folder.exists():
        yield Diagnosis(_CONTENT, "ok", f"{_remote(settings)}, not cloned yet: the first run does")
        return
    try:
        with closing(_at_hand(settings)) as opened:
            scan, revision = opened.scan(), opened.revision()
    except KnowledgeBaseError as error:
        yield Diagnosis(_CONTENT, "error", error.problem, error.remedy)
        return
    trouble = [*_history(settings)]
    yield from trouble
    if not scan.articles:
        what = f"no article in {_where(settings)}: all that is live is taken away at the next look"
        yield Diagnosis(_CONTENT, "error", what, "Name the right place by --content, KB_CONTENT or KB_CONTENT_FOLDER")
    elif not trouble:
        at = f", at commit {revision[:12]}" if revision else ", in no git repository: without history"
        yield Diagnosis(_CONTENT, "ok", f"{len(scan.articles)} articles in {_where(settings)}{at}")
    yield from _published(case, scan)


def remote(case: Case) -> Iterator[Diagnosis]:
    """Whether the remote answers and has the ref."""
    settings = case.settings
    if not settings.content_remote:
        return
    wanted = wanted_refs(settings.content_ref)
    asked = ("-c", "http.lowSpeedTime=5", "ls-remote", "--", settings.content_remote, *wanted)
    try:
        said = run_git(*asked, seconds=_ASK_SECONDS)
    except GitError as error:
        what = f"{_remote(settings)} cannot be asked, so nothing new is published: {error.problem}"
        yield Diagnosis(
            "remote", "error", what, "Look at the network, the address and the credentials: git ls-remote URL"
        )
        return
    if said.strip():
        yield Diagnosis("remote", "ok", f"{_remote(settings)} answers")
    else:
        missing = f"no branch or tag '{settings.content_ref}'" if settings.content_ref else "no commit yet"
        yield Diagnosis(
            "remote", "error", f"{_remote(settings)} has {missing}", "Push it, or name another by KB_CONTENT_REF"
        )


def hooks(case: Case) -> Iterator[Diagnosis]:
    """Whether a push to a repository on this machine tells the service."""
    settings = case.settings
    if settings.content_remote or not is_ref(settings):
        return
    try:
        repository = Repository(settings.content)
        found = amiss(repository, settings.content_ref, settings.request_file, settings.outcome_file)
    except KnowledgeBaseError:
        # That it cannot be read is said of the content
        return
    if found:
        late = f"only every {settings.poll_seconds:.0f} s" if settings.poll_seconds else "not at all"
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        remedy = f"Run: {case.kb('hook', 'install', content=True)}"
        yield Diagnosis("hooks", "warning", f"{found[0]}{more}: a push is looked for {late}", remedy)
    else:
        yield Diagnosis("hooks", "ok", "a push is told at once")


def _at_hand(settings: Settings) -> Content:
    """The content without asking a remote: its clone as it is."""
    if settings.content_remote:
        return GitRef(Repository(settings.clone_folder, settings.content_folder), "HEAD")
    return open_content(settings)


def _history(settings: Settings) -> Iterator[Diagnosis]:
    """Of files as they lie in a repository that git will not read: they are found, and have no history."""
    if is_ref(settings):
        return
    folder = settings.content / settings.content_folder
    top = next((one for one in (folder.resolve(), *folder.resolve().parents) if (one / ".git").exists()), None)
    if top is None:
        return
    try:
        Repository(folder)
    except GitError as error:
        yield Diagnosis(_CONTENT, "warning", f"articles have no history: {error.problem}", error.remedy)


def _published(case: Case, scan: Scan) -> Iterator[Diagnosis]:
    path = case.settings.data / "index.db"
    if not path.exists():
        return
    try:
        files, refusals = look_into(path, lambda connection: _recorded(Catalogue(connection)))
    except (sqlite3.Error, ValueError, KnowledgeBaseError):
        # That the index cannot be read is said of the index
        return
    refused = sorted({problem.path for problem in refusals})
    fresh = {
        name for name, stamp in scan.articles.items()
        if name not in refused and (name not in files or (stamp and files[name] and files[name] != stamp))
    }  # fmt: skip
    behind = fresh | (files.keys() - scan.articles.keys())
    if behind:
        example = min(behind)
        said = f"files that are not as they are live: {len(behind)}, {example} for one"
        again = case.kb("index", content=True)
        yield Diagnosis(
            _LIVE, "warning", said, f"A service that runs takes them up, or says in its log why not. Else run: {again}"
        )
    if refused:
        said = f"refused files: {len(refused)}. {refusals[0]}"
        yield Diagnosis(_LIVE, "warning", said, "Their last good version, if any, stays live. To see all: kb check")
    if not behind and not refused:
        yield Diagnosis(_LIVE, "ok", f"all {len(files)} files as they are")


def _recorded(catalogue: Catalogue) -> tuple[dict[str, str], list[Problem]]:
    return {name: state.stamp for name, state in catalogue.files().items()}, catalogue.refusals()


def _where(settings: Settings) -> str:
    if settings.content_remote:
        return _remote(settings)
    folder = Path(settings.content, "" if is_ref(settings) else settings.content_folder).absolute()
    inside = f"{settings.content_ref or 'HEAD'}:{settings.content_folder}".rstrip(":")
    return f"{folder} ({inside})" if is_ref(settings) else str(folder)


def _remote(settings: Settings) -> str:
    return without_credentials(settings.content_remote or "")
