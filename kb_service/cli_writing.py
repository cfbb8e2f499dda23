"""``kb new`` and ``kb draft``: an article is begun, after those that there are already have been shown."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.markup import escape

from indexer.errors import KnowledgeBaseError
from indexer.frontmatter import Audience, KnowledgeType, Tier
from indexer.knowledge import KnowledgeObject
from indexer.skeletons import PENCIL, body_of
from indexer.source import WorkingTree
from kb_service import drafting
from kb_service.additions import Additions, additions
from kb_service.articles import read_articles
from kb_service.cli_options import (
    AsJson,
    Content,
    Data,
    Demo,
    demo_desk,
    each_of,
    of_demo,
    opened,
    settings_of,
    with_record,
)
from kb_service.content import is_ref, working_tree
from kb_service.draft_sources import Material, gather, tier_of
from kb_service.knowledge_base import KnowledgeBase
from kb_service.new_article import Particulars, clean_title, owner_of_service, place, text_of, write
from kb_service.query import Query
from kb_service.redaction import MARK
from kb_service.settings import Settings
from kb_service.similar import Similar, similar
from kb_service.terminal import SHAPES, err, out, print_json, say

TypeName = Annotated[
    str, typer.Argument(metavar="TYPE", help="faq, runbook, glossary, howto, known-error, template, policy.")
]
Title = Annotated[list[str], typer.Argument(help="What a reader would type: the question, the fault, the term.")]
Where = Annotated[Path | None, typer.Option("--path", help="The file or folder.  [default: by type and title]")]
Owner = Annotated[str | None, typer.Option(help="The accountable team.  [default: whose the service's articles are]")]
Services = Annotated[list[str] | None, typer.Option("--service", help="A service it concerns; may be repeated.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A word to filter by; may be repeated.")]
Print = Annotated[bool, typer.Option("--print", help="Print it instead of writing a file.")]
As = Annotated[str | None, typer.Option("--type", help="known-error, runbook, faq or howto.  [default: by the record]")]
Anyway = Annotated[bool, typer.Option("--anyway", help="Write it although a strong article is there.")]


def new(
    kind: TypeName,
    title: Title,
    path: Where = None,
    owner: Owner = None,
    service: Services = None,
    tag: Tags = None,
    audience: Annotated[str, typer.Option(help="public, internal or restricted.")] = "internal",
    tier: Annotated[str | None, typer.Option(help="L1, L2 or L3.")] = None,
    print_: Print = False,
    demo: Demo = False,
    content: Content = None,
    data: Data = None,
) -> None:
    """Begin an article: a skeleton of its type, with what a good one answers. Shows similar ones first."""
    settings = settings_of(content=content, data=data)
    settings = of_demo(settings) if demo else settings
    (of_type,) = cast(list[KnowledgeType], each_of([kind], "TYPE", KnowledgeType))
    tree = _own_files(settings, content)
    objects = read_articles(tree).objects
    what = Particulars(
        of_type,
        clean_title(" ".join(title)),
        audience=cast(Audience, each_of([audience], "--audience", Audience)[0]),
        tier=cast(Tier | None, next(iter(each_of([tier] if tier else None, "--tier", Tier)), None)),
        services=tuple(service or ()),
        tags=tuple(tag or ()),
        owner=owner or owner_of_service(service or (), objects),
    )
    text = text_of(what, body_of(of_type))
    if print_:
        _show_similar(err, _similar_to(settings, what.title))
        say(text)
        return
    target = place(tree, objects, of_type, what.title, path)
    _show_similar(out, _similar_to(settings, what.title))
    write(tree, target, text)
    _say_next(settings, target)


def draft(
    number: Annotated[str, typer.Argument(help="The number of a resolved record.")],
    type_: As = None,
    path: Where = None,
    print_: Print = False,
    anyway: Anyway = False,
    demo: Demo = False,
    content: Content = None,
    data: Data = None,
    as_json_: AsJson = False,
) -> None:
    """Draft an article from a resolved incident, personal data and secrets redacted. Shows what to improve instead."""
    settings = settings_of(content=content, data=data)
    given = each_of([type_] if type_ else None, "--type", drafting.DraftType)
    settings = demo_desk(settings) if demo else with_record(settings)
    tree = _own_files(settings, content)
    objects = read_articles(tree).objects
    base = opened(settings)
    # What a shell could not decode is no text that SQLite takes
    material = gather(base, number.strip().encode("utf-8", "replace").decode())
    incident = material.sources.incident
    made = drafting.draft(
        material.sources,
        cast(drafting.DraftType, given[0]) if given else drafting.type_of(incident, material.problem),
        owners=[one.owner for one in objects if one.owner],
        tier=tier_of(incident),
        attached=[(one.id, one.title) for one in material.attached],
        related=[one.hit.id for one in material.similar if one.hit.confidence != "weak"],
    )
    text = text_of(made.what, made.body)
    adds = additions(made.incident, material.better, settings.spoken) if material.better else Additions()
    keeps_back = material.better is not None and not anyway
    # What never happened is no article of anybody's, unless somebody says where to put it
    is_sample = base.desk.is_demo and path is None
    named = MARK.sub(" ", made.what.title)
    target = None if print_ or keeps_back or is_sample else place(tree, objects, made.what.kind, named, path)
    if target is not None:
        write(tree, target, text)
    if as_json_:
        print_json(_json(material, made, adds, text, target))
        return
    console = err if print_ else out
    if base.desk.is_demo:
        console.print("[italic]The records are a sample.[/italic]")
    _show_similar(console, material.similar)
    if material.better is not None:
        _show_better(console, material, material.better, adds, made.what.title)
    if print_:
        say(text)
    elif target is None:
        why = "" if keeps_back else ", since the record is a sample"
        how = " --anyway" * keeps_back + " --demo --print, or with --path FILE" * is_sample
        out.print(f"\nNothing is written{why}. For an article of its own: kb draft {incident.number}{how}")
    else:
        marks = ", ".join(f"{kind} ({count})" for kind, count in sorted(made.redacted.items())) or "nothing"
        out.print(f"\nDrawn from {', '.join(made.drawn_from)}; redacted: {escape(marks)}")
        _say_next(settings, target)


def _own_files(settings: Settings, named: Path | None) -> WorkingTree:
    """The working tree to write into; ``named`` is the one of the command line.

    Raises ContentMissingError, and KnowledgeBaseError where the content is no files that one could write.
    """
    files = settings.model_copy(update={"content_ref": None, "content_remote": None})
    if is_ref(files) or (settings.content_remote and named is None):
        what = "the content is read from a repository, not from files that could be written"
        raise KnowledgeBaseError(what, "Clone it, and name the clone by --content")
    return working_tree(files)


def _similar_to(settings: Settings, title: str) -> tuple[Similar, ...]:
    """What is indexed about the same; nothing, and why, where that cannot be asked: it must not keep from writing."""
    try:
        base = KnowledgeBase.published(settings)
        return similar(base.searcher, Query(title, sight=settings.default_sight))
    except KnowledgeBaseError as error:
        demo = ", or look among the sample's by --demo" if (of_demo(settings).data / "index.db").exists() else ""
        remedy = escape(error.remedy + demo)
        err.print(f"[dim]Similar articles were not looked for: {escape(error.problem)}. {remedy}[/dim]")
        return ()


def _show_similar(console: Console, found: Sequence[Similar]) -> None:
    if found:
        console.print("[bold]There are already[/bold]")
    for place_, one in enumerate(found, 1):
        console.print(
            f"{place_:2}. {SHAPES[one.hit.confidence]} [bold]{escape(one.hit.title)}[/bold]  [dim]{one.line}[/dim]"
        )
        reasons = "; ".join(reason.text for reason in one.hit.reasons)
        console.print(f"    [cyan]{escape(one.knowledge.path)}[/cyan]  [dim]{escape(reasons)}[/dim]")


def _show_better(console: Console, material: Material, better: KnowledgeObject, adds: Additions, title: str) -> None:
    console.print(f"\n[bold]Improve this one instead[/bold]: {escape(better.title)}, since {escape(material.why)}")
    owner = f"  owner {escape(better.owner)}" if better.owner else ""
    console.print(f"   [cyan]{escape(better.path)}[/cyan]{owner}")
    for heading, lines in (("what was seen", adds.seen), ("what helped", adds.helped), ("codes", adds.codes)):
        if lines:
            console.print(f"   It does not say yet, of {heading}:")
        for line in lines:
            console.print(f"      {escape(line)}")
    if not adds:
        console.print("   It says already what this incident could add.")
    if not material.is_found:
        console.print(f"   Who reports it as '{escape(title)}' hardly finds it: add an alias.")


def _say_next(settings: Settings, target: str) -> None:
    file = settings.content / settings.content_folder / target
    out.print(f"[bold]{escape(str(file))}[/bold]  a draft: no search finds it yet")
    out.print(
        f"Next: answer each line with {PENCIL} and take it out, run 'kb check', set workflow_state to review, push."
    )


def _json(material: Material, made: drafting.Draft, adds: Additions, text: str, target: str | None) -> dict[str, Any]:
    return {
        "number": material.sources.incident.number,
        "type": made.what.kind,
        "title": made.what.title,
        "written": target,
        "improve": material.better.id if material.better else None,
        "why": material.why,
        "adds": asdict(adds),
        "found": material.is_found,
        "similar": [
            {
                "id": one.hit.id,
                "title": one.hit.title,
                "path": one.knowledge.path,
                "state": one.knowledge.workflow_state,
                "probability": one.hit.probability,
                "confidence": one.hit.confidence,
            }
            for one in material.similar
        ],
        "drawn_from": list(made.drawn_from),
        "redacted": dict(made.redacted),
        "text": text,
    }
