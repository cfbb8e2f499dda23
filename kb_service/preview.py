"""What a branch would change for readers: the same questions are asked of its base and of the files as they lie."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from indexer.errors import Problem
from indexer.git import Repository
from indexer.git_command import GitError
from indexer.knowledge import MAX_FILE_BYTES, KnowledgeObject
from indexer.merge_base import Base, merge_base
from indexer.progress import Progress, unwatched
from indexer.source import WorkingTree
from kb_service.access import Sight
from kb_service.answering import Asked, Effect, Outcome, Question, Verdict, effects, verdict
from kb_service.article_changes import ArticleChange, article_changes
from kb_service.content import working_tree
from kb_service.demand import Demand, demand
from kb_service.golden import GOLDEN_FILE, GoldenQuery, read_golden
from kb_service.settings import Settings
from kb_service.sides import Sides, both_sides


@dataclass(frozen=True, slots=True)
class Looked:
    """What a preview rests on. ``of_incidents`` are all records of the desk; ``is_sample``: they are nobody's own."""

    golden: int
    incidents: int
    of_incidents: int
    searches: int
    is_sample: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Preview:
    """What a branch would change. ``effects`` are by id; ``titles`` are those of every article named here.

    ``problems`` are what is wrong in the file of golden queries, ``dropped`` the queries that it has no longer,
    ``added`` how many are new in it.
    """

    base: Base
    refused: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    changes: tuple[ArticleChange, ...]
    effects: Mapping[str, Effect]
    verdicts: tuple[Verdict, ...]
    dropped: tuple[GoldenQuery, ...]
    added: int
    titles: Mapping[str, str]
    looked: Looked

    def golden(self, outcome: Outcome) -> list[Verdict]:
        """The golden queries of one outcome."""
        return [one for one in self.verdicts if one.outcome == outcome]

    @property
    def fails(self) -> bool:
        """Whether the branch must not be merged as it is."""
        return bool(self.refused or self.problems or self.golden("broken"))

    @property
    def others(self) -> list[str]:
        """The articles that the branch does not touch and that other articles pass, or no longer pass."""
        touched = {change.id for change in self.changes}
        moved = [
            one
            for one, effect in self.effects.items()
            if one not in touched and any(move.is_of_rank for move in (*effect.gained, *effect.lost))
        ]
        return sorted(moved, key=lambda one: (-len(self.effects[one].lost), one))

    @property
    def changes_nothing(self) -> bool:
        """Whether readers see no difference, and nothing else is asked for than before."""
        return not (self.changes or self.others or self.dropped or self.added)


def preview(settings: Settings, named: str | None, most: int, progress: Progress = unwatched) -> Preview:
    """Compare the files as they lie with the base of their branch, or with a ``named`` one.

    The latest incidents and searches are asked, at most ``most`` of each. Raises BaseMissingError, GitError,
    ContentMissingError, EncoderError, DeskError.
    """
    started = time.monotonic()
    tree = working_tree(settings)
    repository = _repository(tree)
    base = merge_base(repository, named)
    kept = repository.blob(f"{base.commit}:{repository.prefix}{GOLDEN_FILE}", MAX_FILE_BYTES + 1)
    golden_before, _ = read_golden(kept or b"")
    golden, problems = _golden_of(tree)
    encoder = settings.open_encoder()
    with both_sides(settings, encoder, repository, base.commit, tree, progress) as sides:
        asked_lately = demand(settings.data / "desk.db", most) if sides.report.changed else Demand()
        questions = [*(Question("golden", one.query) for one in golden), *asked_lately.questions]
        asked = []
        for number, question in enumerate(questions, 1):
            asked.append(sides.ask(question, settings))
            progress("ask", number, len(questions))
        of_before, of_now = ({_key(one, sides) for one in side} for side in (golden_before, golden))
        verdicts, unknown = _judged(golden, asked, sides, of_before, settings.default_sight)
        both = (*sides.objects_before.values(), *sides.objects_after.values())
        return Preview(
            base=base,
            refused=sides.report.refusals,
            problems=tuple(sorted((*problems, *unknown))),
            changes=tuple(article_changes(sides.objects_before, sides.objects_after, sides.names)),
            effects=effects(asked),
            verdicts=tuple(verdicts),
            dropped=tuple(one for one in golden_before if not problems and _key(one, sides) not in of_now),
            added=len(of_now - of_before),
            titles={one.id: one.title for one in both},
            looked=Looked(
                golden=len(golden),
                incidents=asked_lately.count("incident"),
                of_incidents=asked_lately.of_incidents,
                searches=asked_lately.count("search"),
                is_sample=asked_lately.is_sample,
                seconds=round(time.monotonic() - started, 1),
            ),
        )


def _repository(tree: WorkingTree) -> Repository:
    try:
        repository = Repository(tree.root)
    except GitError as error:
        raise GitError(error.problem, "Name the content folder of a clone by --content") from error
    if repository.is_bare:
        raise GitError(f"{tree.root} is a bare repository", "Preview in a clone, where the files lie")
    return repository


def _golden_of(tree: WorkingTree) -> tuple[list[GoldenQuery], list[Problem]]:
    try:
        return read_golden(tree.read(GOLDEN_FILE))
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [Problem(GOLDEN_FILE, 1, f"cannot be read: {error.strerror}", "Make it a plain file")]


def _key(golden: GoldenQuery, sides: Sides) -> tuple[str, str]:
    """What makes two golden queries the same, also after their article was renamed."""
    article = sides.article(golden.article)
    return golden.query.casefold(), article.id if article else golden.article


def _judged(
    golden: Sequence[GoldenQuery],
    asked: Sequence[Asked],
    sides: Sides,
    of_before: Collection[tuple[str, str]],
    sight: Sight,
) -> tuple[list[Verdict], list[Problem]]:
    """Each golden query's verdict; a problem for each whose article is not there."""
    verdicts, problems = [], []
    for one, answer in zip(golden, asked, strict=False):
        article = sides.article(one.article)
        if article is not None:
            is_new = _key(one, sides) not in of_before
            verdicts.append(verdict(one, article.id, answer, is_new=is_new, hidden=_hidden(article, sight)))
            continue
        deleted = sides.before.catalogue.get(one.article) is not None
        why = "this branch deletes it" if deleted else "there is no such article"
        what = f"'{one.query}' is to find '{one.article}': {why}"
        problems.append(Problem(GOLDEN_FILE, one.line, what, "Name the id of an article that answers it"))
    return verdicts, problems


def _hidden(article: KnowledgeObject, sight: Sight) -> str:
    """Why no search of one who sees so much finds an article; empty where it may."""
    if not sight.sees(article.audience, article.groups, article.services):
        return f"its audience is {article.audience}"
    if article.workflow_state != "published":
        return f"its workflow_state is {article.workflow_state}"
    now = datetime.now(UTC)
    if article.valid_from and article.valid_from > now:
        return "it is not valid yet"
    return "it is not valid any more" if article.valid_to and article.valid_to < now else ""
