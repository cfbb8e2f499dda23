"""What an author should mend before merging: every rule asked of every article, in one go."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from indexer.check_duplicates import find_duplicates
from indexer.check_external import find_external
from indexer.check_options import Options
from indexer.check_rules import RULES
from indexer.encoder import Encoder
from indexer.findings import Fault, Finding
from indexer.library import Library, read_library
from indexer.progress import Progress, unwatched
from indexer.source import Content
from indexer.vectors import VectorCache

DUPLICATES = "near-duplicate"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What articles are compared with by meaning."""

    encoder: Encoder
    cache: VectorCache


def check(
    content: Content,
    options: Options | None = None,
    *,
    paths: Collection[str] | None = None,
    meaning: Meaning | None = None,
    external: bool = False,
    progress: Progress = unwatched,
) -> list[Finding]:
    """All findings, by path and line; of these ``paths`` only, if given, while links and twins are sought in all.

    Near-duplicates are sought where there is a ``meaning``, and pages elsewhere are asked where ``external``.
    """
    library = read_library(content, datetime.now(UTC).date(), progress)
    return check_library(library, options, paths=paths, meaning=meaning, external=external, progress=progress)


def check_library(
    library: Library,
    options: Options | None = None,
    *,
    paths: Collection[str] | None = None,
    meaning: Meaning | None = None,
    external: bool = False,
    progress: Progress = unwatched,
) -> list[Finding]:
    """As ``check``, of a content that is read already."""
    options = options or Options()
    found: list[tuple[str, Fault]] = []
    for rule in RULES.values():
        if rule.find is not None and rule.name not in options.disable:
            found += ((rule.name, fault) for fault in rule.find(library, options))
    if meaning is not None and DUPLICATES not in options.disable:
        faults = find_duplicates(library, options, meaning.encoder, meaning.cache, paths, progress)
        found += ((DUPLICATES, fault) for fault in faults)
    if external:
        found += find_external(library, options, paths)
    return sorted(set(_findings(found, options, paths)))


def _findings(found: list[tuple[str, Fault]], options: Options, paths: Collection[str] | None) -> Iterator[Finding]:
    for name, fault in found:
        asked_for = paths is None or fault.path in paths
        if asked_for and name not in options.disable and not _is_ignored(fault.path, name, options):
            severity = options.severity.get(name, RULES[name].severity)
            yield Finding(fault.path, fault.line, name, severity, fault.problem, fault.remedy, fault.related)


def _is_ignored(path: str, rule: str, options: Options) -> bool:
    return any(
        fnmatchcase(path, pattern) and ("*" in rules or rule in rules) for pattern, rules in options.ignore.items()
    )
