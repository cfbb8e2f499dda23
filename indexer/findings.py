"""What ``kb check`` finds, and what a rule is that finds it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from indexer.check_options import Options, Severity
from indexer.library import Article, Library


@dataclass(frozen=True, slots=True, order=True)
class Related:
    """Another place that a finding is about, and what is there."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What a rule found in a file. ``line`` counts from 1; 1 when the fault is of the whole file."""

    path: str
    line: int
    problem: str
    remedy: str
    related: tuple[Related, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A fault under its rule's name, with the severity that it has here."""

    path: str
    line: int
    rule: str
    severity: Severity
    problem: str
    remedy: str
    related: tuple[Related, ...] = ()

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.severity} {self.rule}: {self.problem}. {self.remedy}"


Find: TypeAlias = Callable[[Library, Options], Iterator[Fault]]
FindInArticle: TypeAlias = Callable[[Article, Library, Options], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class Example:
    """Lines of an article that a rule finds fault with, and the same lines mended.

    They stand in the article's front matter if they are its keys, else in its body, below what every article has.
    ``path`` says by its folder which type the article is of.
    """

    fault: str
    mended: str
    path: str = "howto/example.md"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong. ``find`` is None where the model or the network is needed: see ``needs``."""

    name: str
    severity: Severity
    statement: str
    example: Example
    find: Find | None = None
    needs: Literal["", "model", "network"] = ""


def each(find: FindInArticle) -> Find:
    """A rule over a library from one over an article."""

    def find_in_all(library: Library, options: Options) -> Iterator[Fault]:
        for article in library.articles.values():
            yield from find(article, library, options)

    return find_in_all


def current(find: FindInArticle) -> Find:
    """As ``each``, but for retired articles: nobody has to mend what nobody is shown."""

    def find_in_current(library: Library, options: Options) -> Iterator[Fault]:
        for article in library.articles.values():
            if article.knowledge.workflow_state != "retired":
                yield from find(article, library, options)

    return find_in_current
