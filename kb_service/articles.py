"""The articles of a content as they lie: read without an index, a record or a model."""

from dataclasses import dataclass

from indexer.errors import Problem
from indexer.knowledge import KnowledgeObject, parse
from indexer.source import Content


@dataclass(frozen=True, slots=True)
class Articles:
    """What can be read, by path, and what is wrong with the files that cannot."""

    objects: tuple[KnowledgeObject, ...]
    problems: tuple[Problem, ...]

    @property
    def refused(self) -> int:
        """How many files cannot be read."""
        return len({problem.path for problem in self.problems})


def read_articles(content: Content) -> Articles:
    """Every article of a content; one that cannot be read is told, and keeps no other from being read."""
    scan = content.scan()
    objects: list[KnowledgeObject] = []
    problems = list(scan.problems)
    for path in sorted(scan.articles):
        try:
            parsed = parse(path, content.read(path))
        except OSError as error:
            parsed = [Problem(path, 1, f"cannot be read: {error.strerror}", "Mend its permissions")]
        if isinstance(parsed, list):
            problems += parsed
        else:
            objects.append(parsed)
    return Articles(tuple(objects), tuple(sorted(problems)))
