"""Type-ahead: the names that go on from what is typed, slips forgiven, in an order that does not jump."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.index import PassageIndex
from kb_service.query import Query, filter_of
from kb_service.understanding import changes_in

_MOST_LETTERS = 200
# Of so many at most one is left out; each of more would cost another half a millisecond
_MOST_WORDS_TO_LEAVE_OUT = 6


@dataclass(frozen=True, slots=True)
class Completions:
    """Names with the ids of their articles, best first; ``note`` says what else than typed was looked for."""

    names: tuple[tuple[str, str], ...]
    note: str
    generation: int


def complete(index: PassageIndex, query: Query) -> Completions:
    """Titles, other names and terms that hold the words typed, the last one perhaps only begun.

    Where none has them all, slips are mended, and then names that lack one of the words are taken. Of those that are
    ``shown`` already none moves down, but for names that begin as typed.
    """
    typed, wanted = query.text[-_MOST_LETTERS:], filter_of(query)
    with index.snapshot() as snapshot:
        note = ""
        found = snapshot.complete(index.connection, [typed], wanted, query.limit)
        if not found:
            changes = changes_in(typed, snapshot.spelling(index.connection, wanted))
            for change in changes:
                typed = change.applied(typed)
            note = "; ".join(change.text for change in changes)
            found = snapshot.complete(index.connection, [typed], wanted, query.limit) if note else []
        if not found:
            words = typed.split()[-_MOST_WORDS_TO_LEAVE_OUT:]
            if len(words) > 2:
                fewer = [" ".join(words[:left_out] + words[left_out + 1 :]) for left_out in range(len(words) - 1)]
                found = snapshot.complete(index.connection, fewer, wanted, query.limit)
            note = "No name has all of these words; these have all but one." if found else note
        names = _in_steady_order(list(dict.fromkeys(found)), typed, query.shown)
        return Completions(tuple(names[: query.limit]), note, snapshot.generation)


def _in_steady_order(names: list[tuple[str, str]], typed: str, shown: Sequence[str]) -> list[tuple[str, str]]:
    place = {name: number for number, name in enumerate(shown)}
    start = typed.strip().casefold()
    return sorted(names, key=lambda one: (not one[0].casefold().startswith(start), place.get(one[0], len(place))))
