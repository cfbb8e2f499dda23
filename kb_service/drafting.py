"""A draft article from a resolved incident: what was seen, what resolved it, and what that rests on.

Nothing of the record gets into it unredacted: the records are redacted first, and everything else is made of those.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from indexer.errors import KnowledgeBaseError
from indexer.frontmatter import Tier
from indexer.skeletons import PENCIL, body_of
from kb_service.escalation import kind_of
from kb_service.incident import Incident
from kb_service.markdown_text import as_markdown
from kb_service.new_article import Particulars, clean_title, one_line
from kb_service.people import people_in
from kb_service.plain_text import plain_text
from kb_service.redaction import MARK, redact

DraftType = Literal["known-error", "runbook", "faq", "howto"]
MOST_RELATED = 5

_TEXTS = ("short_description", "description", "close_notes", "workaround")
_NAMES = ("service", "cmdb_ci", "category", "assignment_group", "close_code")
# "For some reason it fails" and "this may cause it to fail" say no cause
_CAUSE = re.compile(r"(?i)\b(?:cause|reason)(?: (?:was|is)\b:?|:)\s++(?P<cause>[^\n]{1,500}?[.!?])(?=\s|$)")
_WHO_REPORTED = re.compile(rf"\A\s*{MARK.pattern}\s*[:,–—-]\s*")
_MOST_TITLE = 120


class NotDraftableError(KnowledgeBaseError):
    """A record has nothing to draw an article from."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a draft is drawn from: the incident, and the incidents like it or linked to it that are over."""

    incident: Incident
    related: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """An article's particulars and body, the incident as it was redacted for it, and how often for which kind."""

    what: Particulars
    body: str
    incident: Incident
    redacted: Mapping[str, int]
    drawn_from: tuple[str, ...]


def says_what_helped(incident: Incident) -> bool:
    """Whether a record says how it ended, or is a known error with a workaround."""
    # By its meaning that one is not resolved yet: its workaround is what there is to write
    if incident.is_open:
        return incident.kind == "problem" and bool(incident.workaround)
    return incident.state != "canceled" and bool(incident.close_notes or incident.workaround)


def require_resolved(incident: Incident) -> None:
    """Raises NotDraftableError for a record that says nothing yet of what helped."""
    if says_what_helped(incident):
        return
    number, begin = incident.number, "start by 'kb new runbook \"Title\"'"
    if incident.state == "canceled":
        raise NotDraftableError(f"{number} was canceled: nothing resolved it", f"S{begin[1:]}")
    if incident.is_open:
        what = f"{number} is {incident.state.replace('_', ' ')}: what resolves it is not known yet"
        raise NotDraftableError(what, f"Resolve it with close notes first, or {begin}")
    raise NotDraftableError(f"{number} does not say what resolved it", f"Give it close notes first, or {begin}")


def type_of(incident: Incident, problem: Incident | None = None) -> DraftType:
    """Which type fits: a fault with a workaround is a known error, a request a question or a task, else a runbook."""
    if incident.workaround or incident.known_error or (problem and (problem.workaround or problem.known_error)):
        return "known-error"
    if incident.kind == "case" or kind_of(incident.text, None, None).suggested == "case":
        return "faq" if "?" in incident.text else "howto"
    return "runbook"


def redacted(sources: Sources) -> tuple[Sources, Mapping[str, int]]:
    """The same records without persons, their numbers and secrets, and how many of each kind were taken out.

    Whoever is named in one of them is taken out of all. What says only whose something is, such as a group, is left
    out whole where a part of it would have to go.
    """
    every = [_in_plain_text(one) for one in (sources.incident, *sources.related)]
    people = people_in((getattr(one, name) for one in every for name in _TEXTS), (one.extra for one in every))
    counts: Counter[str] = Counter()

    def clean(incident: Incident) -> Incident:
        values: dict[str, Any] = {}
        for name in _TEXTS:
            found = redact(getattr(incident, name), people)
            counts.update(found.counts)
            values[name] = found.text
        for name in _NAMES:
            said = getattr(incident, name)
            values[name] = said if said and not redact(said, people).counts else None
        return replace(incident, extra={}, **values)

    clean_ones = [clean(one) for one in every]
    return Sources(clean_ones[0], tuple(clean_ones[1:])), counts


def _in_plain_text(incident: Incident) -> Incident:
    texts: dict[str, Any] = {name: plain_text(getattr(incident, name)) for name in _TEXTS}
    return replace(incident, **texts)


def draft(
    sources: Sources,
    kind: DraftType,
    *,
    owners: Iterable[str] = (),
    tier: Tier | None = None,
    attached: Sequence[tuple[str, str]] = (),
    related: Iterable[str] = (),
) -> Draft:
    """A draft of a type. ``owners`` are those of other articles, as they are spelled there.

    ``attached`` are id and title of articles that were used, ``related`` ids to read next.
    """
    clean, counts = redacted(sources)
    incident = clean.incident
    what = Particulars(
        kind,
        title_of(incident),
        tier=tier,
        services=(incident.service,) if incident.service else (),
        tags=(incident.category,) if incident.category else (),
        aliases=_aliases(clean),
        owner=_owner(incident.assignment_group, owners),
        related=tuple(dict.fromkeys((*(object_id for object_id, _ in attached), *related))),
    )
    body = body_of(kind, _known(incident, kind)) + _drawn_from(clean, attached)
    return Draft(what, body, incident, counts, tuple(one.number for one in (incident, *clean.related)))


def title_of(incident: Incident) -> str:
    """What a reader would look for, from how it was reported; what was redacted stays to be seen."""
    first = re.split(r"(?<=[.!?])\s|\n", incident.description.strip(), maxsplit=1)[0]
    said = one_line(incident.short_description) or one_line(first)
    # "Jane Doe: printer is dark" says who reported it, not what it is about
    words = _WHO_REPORTED.sub("", said).strip(" .!-–—:;,") or incident.number
    if len(words) > _MOST_TITLE:
        words = words[:_MOST_TITLE].rsplit(" ", 1)[0] + " …"
    return clean_title(words[:1].upper() + words[1:])


def _known(incident: Incident, kind: DraftType) -> dict[str, str]:
    """What the record says, by the heading of the skeleton that it belongs under."""
    asked = "Asked for as: " if kind == "howto" else ""
    seen = as_markdown(asked + (incident.description or incident.short_description))
    if incident.cmdb_ci:
        seen += f"\n\nSeen on `{incident.cmdb_ci.replace('`', '')}`."
    helped = as_markdown(incident.close_notes)
    cause = _CAUSE.search(incident.close_notes) or _CAUSE.search(incident.description)
    if kind == "known-error":
        # A problem ends with its fix, an incident with what got the user going again
        is_fixed = incident.kind == "problem" or bool(incident.workaround)
        return {
            "Symptoms": seen,
            "Cause": as_markdown(cause["cause"][:1].upper() + cause["cause"][1:]) if cause else "",
            "Workaround": as_markdown(incident.workaround) if is_fixed else helped,
            "Permanent fix": helped if is_fixed else "",
        }
    if kind == "faq":
        return {"": helped}
    if kind == "howto":
        return {"Before you start": seen, "Steps": helped}
    return {"Symptoms": seen, "Steps": helped}


def _owner(group: str | None, owners: Iterable[str]) -> str | None:
    """The group that resolved it, as other articles call it where they do."""

    def plain(name: str) -> str:
        return re.sub(r"[\W_]+", "-", name.casefold()).strip("-")

    return next((owner for owner in owners if group and plain(owner) == plain(group)), group)


def _aliases(sources: Sources) -> tuple[str, ...]:
    """How others reported the same, in their words."""
    title = title_of(sources.incident).casefold()
    said = (" ".join(one.short_description.split()).strip(" .!") for one in sources.related)
    fit = [one for one in said if one and len(one) <= _MOST_TITLE and not MARK.search(one) and one.casefold() != title]
    return tuple(dict.fromkeys(fit))[:3]


def _drawn_from(sources: Sources, attached: Sequence[tuple[str, str]]) -> str:
    guidance = f"> {PENCIL} For the reviewer: what this rests on. Take the section out before it is published."
    lines = [_evidence(one) for one in (sources.incident, *sources.related)]
    if attached:
        lines.append(
            f"- Articles used: {', '.join(f'{as_markdown(title)} (`{object_id}`)' for object_id, title in attached)}"
        )
    return "\n".join(["", "## Drawn from", "", guidance, "", *lines, ""])


def _evidence(incident: Incident) -> str:
    """One record: its number, what it was, and how it ended, on one line."""
    ended = incident.close_notes or incident.workaround
    facts = [incident.kind.replace("_", " "), incident.state.replace("_", " ")]
    if incident.resolved_at:
        facts.append(incident.resolved_at.date().isoformat())
    said = as_markdown(" ".join(incident.short_description.split()))
    return f"- {incident.number} ({', '.join(facts)}): {said}" + (
        f" – {as_markdown(' '.join(ended.split()))}" if ended else ""
    )
