"""What an author must mend before merging: every problem of every file, in one go."""

from collections.abc import Iterator

from indexer.errors import Problem
from indexer.knowledge import KnowledgeObject, parse
from indexer.source import WorkingTree


def check(tree: WorkingTree) -> list[Problem]:
    """All problems that would keep a file from being published, by file and line."""
    scan = tree.scan()
    objects: list[KnowledgeObject] = []
    problems = list(scan.problems)
    for path in scan.articles:
        try:
            parsed = parse(path, tree.read(path))
        except OSError as error:
            problems.append(Problem(path, 1, f"cannot be read: {error.strerror}", "Mend its permissions"))
            continue
        if isinstance(parsed, list):
            problems += parsed
        else:
            objects.append(parsed)
    return sorted({*problems, *_same_ids(objects)})


def _same_ids(objects: list[KnowledgeObject]) -> Iterator[Problem]:
    holders: dict[str, str] = {}
    for knowledge in objects:
        holder = holders.setdefault(knowledge.id, knowledge.path)
        if holder != knowledge.path:
            what = f"the id '{knowledge.id}' is already that of {holder}"
            yield Problem(knowledge.path, 1, what, "Give one of the two another id")
