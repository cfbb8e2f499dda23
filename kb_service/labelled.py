"""Labelled sets as BEIR lays them out: ``corpus.jsonl``, ``queries.jsonl``, ``qrels.tsv``; and TREC runs.

https://github.com/beir-cellar/beir/wiki/Load-your-custom-dataset describes the files. Every fault is told with its
file and line.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from indexer.errors import KnowledgeBaseError

RUN_DEPTH = 100


class LabelledSetError(KnowledgeBaseError):
    """A file of a labelled set is missing or not as it should be."""


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """A document of the corpus: its id, its title (may be empty), its text in Markdown."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class LabelledQuery:
    """A query, the ids that never count for it, and whatever else its line says (``fields``)."""

    id: str
    text: str
    exclude: frozenset[str] = frozenset()
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Documents, the queries that somebody judged, and for each of them its relevant ids with their scores."""

    name: str
    documents: tuple[LabelledDocument, ...]
    queries: tuple[LabelledQuery, ...]
    relevant: Mapping[str, Mapping[str, int]]

    @property
    def judged(self) -> list[Mapping[str, int]]:
        """The relevant ids of each query, in the order of the queries."""
        return [self.relevant[query.id] for query in self.queries]


def read_set(folder: Path) -> LabelledSet:
    """The set in a folder. Queries with no relevant document are left out. Raises LabelledSetError."""
    if not folder.is_dir():
        raise LabelledSetError(f"there is no folder {folder}", "Name one with corpus.jsonl, queries.jsonl, qrels.tsv")
    documents = tuple(_documents(folder / "corpus.jsonl"))
    queries = read_queries(folder / "queries.jsonl")
    qrels = next((path for path in (folder / "qrels.tsv", folder / "qrels" / "test.tsv") if path.exists()), None)
    relevant = _relevant(qrels or folder / "qrels.tsv")
    own: dict[str, dict[str, int]] = {}
    for query in queries:
        counting = {one: score for one, score in relevant.get(query.id, {}).items() if one not in query.exclude}
        if counting:
            own[query.id] = counting
    asked = tuple(query for query in queries if query.id in own)
    if not asked:
        raise LabelledSetError(f"{folder}: no query has a relevant document", "Mend the ids in qrels.tsv")
    return LabelledSet(folder.resolve().name, documents, asked, own)


def read_queries(path: Path) -> tuple[LabelledQuery, ...]:
    """The queries of a file, in its order. Raises LabelledSetError."""
    queries = []
    seen: set[str] = set()
    for line, row in _rows(path):
        exclude = row.get("exclude") or []
        if not isinstance(exclude, list):
            raise _fault(path, line, "'exclude' is not a list of ids", 'Write e.g. "exclude": ["doc-1"]')
        query = LabelledQuery(_id(path, line, row, seen), _text(row, "text"), frozenset(map(str, exclude)), row)
        queries.append(query)
    return tuple(queries)


def read_run(path: Path) -> dict[str, list[str]]:
    """A TREC run: for each query its ids, best first, by score and then by id as trec_eval does it.

    Raises LabelledSetError.
    """
    scored: dict[str, list[tuple[float, str]]] = {}
    for line, text in _lines(path):
        parts = text.split()
        try:
            query, _, document, _, score, _ = map(unquote, parts)
            scored.setdefault(query, []).append((float(score), document))
        except ValueError as error:
            raise _fault(path, line, "is no line of a TREC run", "Six columns: query Q0 id rank score tag") from error
    ordered = {query: sorted(found, reverse=True) for query, found in scored.items()}
    return {query: list(dict.fromkeys(document for _, document in found)) for query, found in ordered.items()}


def write_run(path: Path, rankings: Mapping[str, Sequence[str]], tag: str) -> None:
    """Write a TREC run, RUN_DEPTH ids a query at most. Scores fall with the place, so that every reader agrees."""
    with path.open("w", encoding="utf-8") as file:
        for query, ranking in rankings.items():
            for place, one in enumerate(ranking[:RUN_DEPTH], 1):
                columns = (query, "Q0", one, str(place), f"{1 / place:.6f}", tag)
                file.write(" ".join(map(_without_blanks, columns)) + "\n")


def _without_blanks(text: str) -> str:
    """The columns of a run are divided by blanks, so an id's own are percent-encoded."""
    return re.sub(r"[\s%]", lambda blank: quote(blank.group()), text)


def _documents(path: Path) -> Iterator[LabelledDocument]:
    seen: set[str] = set()
    for line, row in _rows(path):
        yield LabelledDocument(_id(path, line, row, seen), _text(row, "title"), _text(row, "text"))


def _relevant(path: Path) -> dict[str, dict[str, int]]:
    relevant: dict[str, dict[str, int]] = {}
    first = True
    for line, text in _lines(path):
        query, tab, rest = text.partition("\t")
        document, _, score = rest.partition("\t")
        header, first = first and not any(letter.isdigit() for letter in score), False
        if header:
            continue
        try:
            judged = int(score)
        except ValueError as error:
            raise _fault(
                path, line, f"'{text}' is no judgement", "Three columns with tabs: query, id, score"
            ) from error
        if tab and judged > 0:
            relevant.setdefault(query, {})[document] = judged
    return relevant


def _text(row: Mapping[str, Any], name: str) -> str:
    """A text of a row; half a surrogate pair, which JSON lets through, is no text."""
    return str(row.get(name) or "").encode("utf-8", "replace").decode()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in _lines(path):
        try:
            row = json.loads(text)
        except ValueError as error:
            raise _fault(path, line, f"broken JSON: {error}", "One JSON object a line") from error
        if not isinstance(row, dict):
            raise _fault(path, line, "is no JSON object", 'Write e.g. {"_id": "1", "text": "…"}')
        yield line, row


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line that is not blank, with its number."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if text.strip():
                    yield number, text
    except UnicodeDecodeError as error:
        raise _fault(path, number, "is not UTF-8", "Save the file as UTF-8") from error
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror}"
        raise LabelledSetError(problem, "See 'kb eval --help' for the files of a set") from error


def _id(path: Path, line: int, row: Mapping[str, Any], seen: set[str]) -> str:
    given = row.get("_id")
    one = "" if given is None else str(given)
    if not one or one in seen:
        problem = f"the id '{one}' stands twice" if one else "has no '_id'"
        raise _fault(path, line, problem, "Give each line an id of its own")
    seen.add(one)
    return one


def _fault(path: Path, line: int, problem: str, remedy: str) -> LabelledSetError:
    return LabelledSetError(f"{path}:{line}: {problem}", remedy)
