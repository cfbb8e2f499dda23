"""What an author should mend before merging: every rule asked of every article, in one go."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache

from indexer.check_duplicates import find_duplicates
from indexer.check_external import find_external
from indexer.check_options import Options
from indexer.check_rules import RULES
from indexer.credentials import without_secrets
from indexer.encoder import Encoder
from indexer.findings import Fault, Finding
from indexer.library import Library
from indexer.progress import Progress, unwatched
from indexer.vectors import VectorCache

DUPLICATES = "near-duplicate"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What articles are compared with by meaning."""

    encoder: Encoder
    cache: VectorCache


def check_library(
    library: Library,
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
    return sorted(set(_findings(found, library, options, paths)))


def _findings(
    found: list[tuple[str, Fault]], library: Library, options: Options, paths: Collection[str] | None
) -> Iterator[Finding]:
    # Many faults are told in the same words
    @cache
    def shown(text: str, *about: str) -> str:
        for path in about:
            article = library.articles.get(path)
            text = article.shown(text) if article else without_secrets(text)
        return text

    for name, fault in found:
        path = fault.path
        asked_for = paths is None or path in paths
        if asked_for and name not in options.disable and not _is_ignored(path, name, options):
            severity = options.severity.get(name, RULES[name].severity)
            related = tuple(replace(one, text=shown(one.text, path, one.path)) for one in fault.related)
            problem, remedy = shown(fault.problem, path), shown(fault.remedy, path)
            yield Finding(path, fault.line, name, severity, problem, remedy, related)


def _is_ignored(path: str, rule: str, options: Options) -> bool:
    return any(
        fnmatchcase(path, pattern) and ("*" in rules or rule in rules) for pattern, rules in options.ignore.items()
    )
