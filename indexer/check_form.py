"""Files that cannot be published as they lie: refused ones, two of one id or of ids that look alike, of one name."""

from collections import defaultdict
from collections.abc import Iterator
from unicodedata import normalize

from indexer.check_options import Options
from indexer.findings import Example, Fault, Related, Rule
from indexer.library import Article, Library
from indexer.lookalikes import skeleton, unlike


def _refused(library: Library, _options: Options) -> Iterator[Fault]:
    for problem in library.refused:
        yield Fault(problem.path, problem.line, problem.problem, problem.remedy)


def _duplicate_id(library: Library, _options: Options) -> Iterator[Fault]:
    holders: dict[str, list[Article]] = defaultdict(list)
    for article in library.articles.values():
        holders[article.knowledge.id].append(article)
    for object_id, articles in holders.items():
        for article in articles[:1] * (len(articles) > 1) + articles[1:]:
            other = articles[0] if article is not articles[0] else articles[1]
            there = Related(other.path, other.line_of("id"), f"has the id '{object_id}', too")
            what = f"the id '{object_id}' is also that of {other.path}"
            yield Fault(article.path, article.line_of("id"), what, "Give one of the two another id", (there,))


def _case_twin(library: Library, _options: Options) -> Iterator[Fault]:
    twins: dict[str, list[str]] = defaultdict(list)
    for path in sorted(library.paths):
        twins[normalize("NFC", path).casefold()].append(path)
    for paths in twins.values():
        for path in paths[: len(paths) if len(paths) > 1 else 0]:
            other = paths[0] if path != paths[0] else paths[1]
            what = f"differs from {other} only in case, so that Windows and macOS keep one of the two"
            yield Fault(path, 1, what, "Rename one of the two", (Related(other, 1, "its twin"),))


def _look_alike(library: Library, _options: Options) -> Iterator[Fault]:
    looks: dict[str, dict[str, Article]] = defaultdict(dict)
    for object_id, article in sorted(library.by_id.items()):
        looks[skeleton(object_id)][object_id] = article
    for look, alike in looks.items():
        # The one in plain letters is meant
        meant = look if look in alike else min(alike)
        for object_id in alike.keys() - {meant}:
            article, other = alike[object_id], alike[meant]
            there = Related(other.path, other.line_of("id"), "its twin")
            what = f"the id '{object_id}' looks like '{meant}' and is another: {unlike(object_id, meant)}"
            yield Fault(article.path, article.line_of("id"), what, "Write it in plain letters", (there,))


RULES = (
    Rule(
        "refused",
        "error",
        "A file that cannot be published: broken YAML, a wrong value, not UTF-8, too large, a symbolic link out.",
        Example("type: how-to", "type: howto"),
        _refused,
    ),
    Rule(
        "duplicate-id",
        "error",
        "An id that two files have: only one of them is published.",
        Example("id: howto/hand-over-a-shift", "id: howto/hand-over-a-project"),
        _duplicate_id,
    ),
    Rule(
        "case-twin",
        "error",
        "Paths that differ only in case: Windows and macOS keep one of the two.",
        Example("howto/Hand-Over-A-Shift.md", "howto/hand-over-a-project.md"),
        _case_twin,
    ),
    Rule(
        "look-alike-id",
        "error",
        "Ids that look alike and differ: letters of another script, or accents written in another way.",
        Example("id: howto/h\u0430nd-over-a-shift", "id: howto/hand-over-a-job"),
        _look_alike,
    ),
)
