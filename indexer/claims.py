"""Which of the staged files may have the id that it claims: one file each, and none that looks like another's."""

import json
from collections.abc import Mapping

from indexer.catalogue import Catalogue
from indexer.errors import Problem
from indexer.lookalikes import skeleton, unlike
from indexer.source import Scan
from indexer.staging import Head


def accept(staged: Mapping[str, Head], scan: Scan, catalogue: Catalogue) -> tuple[dict[str, Head], list[Problem]]:
    """The staged objects that can go live, by path, and every problem of those that cannot.

    ``scan`` is what is there now, ``catalogue`` what is live.
    """
    refusals = list(scan.problems)
    accepted: dict[str, Head] = {}
    holders: dict[str, str] = {}
    alike = _looks(staged, scan, catalogue)
    for path, head in staged.items():
        refusals += [Problem(**problem) for problem in json.loads(head.problems)]
        if head.id is None:
            continue
        holder = holders.get(head.id) or _live_holder(path, head.id, staged, scan, catalogue)
        twin = alike.get(skeleton(head.id), head.id)
        if holder:
            what = f"the id '{head.id}' is already that of {holder}"
            refusals.append(Problem(path, 1, what, "Give one of the two another id"))
        elif twin != head.id:
            what = f"the id '{head.id}' looks like '{twin}' and is another: {unlike(head.id, twin)}"
            refusals.append(Problem(path, 1, what, "Write it in plain letters, or give one of the two another id"))
        else:
            holders[head.id] = path
            accepted[path] = head
    return accepted, refusals


def _looks(staged: Mapping[str, Head], scan: Scan, catalogue: Catalogue) -> dict[str, str]:
    """Which id may look as it does, by its skeleton: one that is live, else one in plain letters, else the first.

    Only those are here that have a twin, or are not all ASCII: of others each is its own skeleton.
    """
    live = {path: id_ for path, id_ in catalogue.odd_ids() if path in scan.articles}
    # What is live and staged has the id that it is staged with
    kept = {path: id_ for path, id_ in live.items() if path not in staged or staged[path].id in {None, id_}}
    looks = {skeleton(id_): id_ for id_ in sorted(kept.values())}
    fresh = {head.id for head in staged.values() if head.id is not None}
    for id_ in sorted(one for one in fresh if not one.isascii()):
        plain = skeleton(id_)
        holder = catalogue.path_of_id(plain)
        is_there = holder is not None and holder in scan.articles
        looks.setdefault(plain, plain if is_there or plain in fresh else id_)
    return looks


def _live_holder(path: str, object_id: str, staged: Mapping[str, Head], scan: Scan, catalogue: Catalogue) -> str | None:
    """The other file whose live object has this id and still claims it."""
    live = catalogue.path_of_id(object_id)
    if live is None or live == path or live not in scan.articles:
        return None
    now = staged[live].id if live in staged else None
    return live if now is None or now == object_id else None
