"""``kb triage``: what is known of an incident, printed for a person or a program."""

import re

import typer
from rich.markup import escape

from kb_service.bodies import triage_json
from kb_service.escalation import Escalation
from kb_service.incident import Incident
from kb_service.knowledge_base import KnowledgeBase
from kb_service.major import MajorCandidate
from kb_service.plain_text import plain_text
from kb_service.recurrence import ProblemCandidate
from kb_service.related import Related
from kb_service.terminal import SHAPES, err, out, print_hit, print_json
from kb_service.triage import Ticket, Triage

_MOST_LISTED = 6
_LIKE_A_NUMBER = re.compile(r"[A-Za-z]{2,8}-?\d{4,12}")


def run(base: KnowledgeBase, text: str, service: str | None, *, as_json_: bool) -> None:
    """Triage by a record's number, or by what it says."""
    # What a shell could not decode is no text that SQLite takes
    text = text.encode("utf-8", "replace").decode()
    base.incident_index.catch_up()
    recorded = base.incidents.get(text.strip())
    if recorded is None and _LIKE_A_NUMBER.fullmatch(text.strip()):
        err.print(f"There is no incident {escape(text.strip())}: it is taken for what came in")
    ticket = Ticket.of(recorded.incident) if recorded else Ticket(text, service)
    if not ticket.text.strip():
        raise typer.BadParameter("give a number or a text")
    found = base.triager.triage(ticket, base.settings.default_sight)
    if as_json_:
        body = triage_json(found, base.searcher.catalogue, base.settings.default_sight)
        print_json({"number": recorded.incident.number if recorded else None, **body, "demo": base.desk.is_demo})
        return
    if base.desk.is_demo:
        out.print("[italic]The records are a sample.[/italic]")
    if recorded is not None:
        _line(recorded.incident, "")
    out.print(f"[bold]{found.outcome}[/bold]: {escape(found.reason)}")
    _print(found)


def _print(found: Triage) -> None:
    if found.major is not None:
        _print_major(found.major)
    if found.problem is not None:
        _print_problem(found.problem)
    if found.suggestions:
        out.print("\n[bold]Articles[/bold]")
    for place, hit in enumerate(found.suggestions, 1):
        print_hit(place, hit)
    for name, related in (("Open, alike", found.related.open), ("Resolved, alike", found.related.resolved)):
        if related:
            out.print(f"\n[bold]{name}[/bold]")
        for one in related:
            _print_related(one)
    out.print(f"\n[bold]Next[/bold]\n   {found.kind.suggested}: {escape(found.kind.reason)}")
    _print_escalation(found.escalation)
    for term in found.terms:
        definition = term.definition.splitlines()[0]
        out.print(f"   [dim]{escape(' = '.join(term.names[:2]))}: {escape(definition[:160])}[/dim]")
    out.print(f"[dim]{found.took_ms} ms[/dim]")


def _print_major(candidate: MajorCandidate) -> None:
    out.print("\n[bold red]Major-incident candidate[/bold red]")
    for criterion in candidate.criteria:
        out.print(f"   {escape(criterion.text)}")
    if candidate.parent is not None:
        out.print(f"   {'linked' if candidate.linked else 'link it'} to {candidate.parent.number}")
    for one in candidate.incidents[:_MOST_LISTED]:
        _line(one, "      ")
    if len(candidate.incidents) > _MOST_LISTED:
        out.print(f"      and {len(candidate.incidents) - _MOST_LISTED} more")


def _print_problem(candidate: ProblemCandidate) -> None:
    out.print(f"\n[bold]Problem[/bold]: {escape(candidate.reason)}")
    if candidate.problem is not None and candidate.problem.workaround:
        out.print(f"   workaround: {escape(plain_text(candidate.problem.workaround))}")
    if candidate.incidents:
        out.print(f"   [dim]{', '.join(one.number for one in candidate.incidents)}[/dim]")


def _print_related(related: Related) -> None:
    _line(related.incident, f" {SHAPES[related.confidence]} ")
    reasons = "; ".join(reason.text for reason in related.reasons)
    out.print(f"      [dim]{escape(reasons)}[/dim]")
    if related.incident.close_notes:
        out.print(f"      {escape(' '.join(plain_text(related.incident.close_notes).split()))}")


def _print_escalation(found: Escalation) -> None:
    if found.group is not None:
        out.print(f"   to {escape(found.group.name)}" + (f", tier {found.tier}" if found.tier else ""))
    out.print(f"   {escape(found.reason)}")
    if found.on_call is not None:
        out.print(f"   on call: {escape(found.on_call.title)} [cyan]{escape(found.on_call.id)}[/cyan]")


def _line(one: Incident, indent: str) -> None:
    took = one.minutes_to_resolve
    facts = (one.state, one.priority, one.service, f"took {_long(took)}" if took is not None else None)
    said = " · ".join(filter(None, facts))
    out.print(f"{indent}[bold]{one.number}[/bold] {escape(one.short_description)}  [dim]{escape(said)}[/dim]")


def _long(minutes: int) -> str:
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2 * 24 * 60 else f"{minutes // (24 * 60)} days"
