"""``kb stale`` and ``kb owners``: what owners have to look at again, and who owns what. No index, no model."""

import difflib
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len, set_cell_size
from rich.markup import escape

from indexer.catalogue import Catalogue
from indexer.knowledge import KnowledgeObject
from kb_service.articles import Articles, read_articles
from kb_service.cli_options import AsJson, Content, Data, settings_of
from kb_service.codeowners import CodeOwners, code_owners, put_into
from kb_service.content import open_content, working_tree
from kb_service.desk import Desk
from kb_service.owner_handles import read_handles, repository_top
from kb_service.raci import Raci, raci_of
from kb_service.reviews import Due, OwnerDue, due_reviews
from kb_service.settings import Settings
from kb_service.terminal import err, out, print_json, say
from kb_service.usage import Usage, usage_of


class Format(StrEnum):
    """How ``kb owners`` prints."""

    TABLE = "table"
    JSON = "json"
    CODEOWNERS = "codeowners"


def stale(
    days: Annotated[int, typer.Option(min=0, max=3650, help="Due within so many days from today, too.")] = 0,
    owner: Annotated[str | None, typer.Option(help="Only what this team owns.")] = None,
    content: Content = None,
    data: Data = None,
    as_json_: AsJson = False,
) -> None:
    """List the articles whose review is due or that have no review date, by owner, with what readers say of them."""
    settings = settings_of(content=content, data=data)
    articles = _articles(settings)
    today = datetime.now(UTC).date()
    groups = due_reviews(_owned_by(owner, articles.objects), today, days)
    usage = _usage(settings, [one.article for group in groups for one in group.due])
    if as_json_:
        listed = [_group_json(group, usage) for group in groups]
        print_json({"today": today.isoformat(), "days": days, "owners": listed, "refused": articles.refused})
        return
    for group in groups:
        out.print(f"[bold]{escape(group.owner or 'No owner')}[/bold]  {len(group.due)}")
        for one in group.due:
            _print_due(one, usage.get(one.article.id, Usage()))
    count = sum(len(group.due) for group in groups)
    soon = f" within {days} days" if days else ""
    out.print(f"[dim]{count} of {len(articles.objects)} articles are due{soon} or have no review date[/dim]")
    _tell_refused(articles)


def owners(
    form: Annotated[
        Format | None, typer.Option("--format", help="table, json or codeowners (for GitHub and GitLab).")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FILE", help="Write the rules into a CODEOWNERS file; keeps the rest."),
    ] = None,
    check: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help="Exit 1 if the file is not as --write would make it.")
    ] = None,
    with_consulted: Annotated[
        bool, typer.Option("--with-consulted", help="Ask reviewers too; GitHub then takes any one approval.")
    ] = False,
    content: Content = None,
    data: Data = None,
) -> None:
    """Show who is responsible, accountable, consulted and informed for each article; write CODEOWNERS from it."""
    settings = settings_of(content=content, data=data)
    file = write or check
    if file is not None and (form not in {None, Format.CODEOWNERS} or (write and check)):
        raise typer.BadParameter("--write and --check are of CODEOWNERS, one of them at a time")
    if file is None and form is not Format.CODEOWNERS:
        if with_consulted:
            raise typer.BadParameter("--with-consulted is of CODEOWNERS: the others show the consulted anyway")
        articles = _articles(settings)
        _print_raci(raci_of(articles.objects), as_json=form is Format.JSON)
        _tell_refused(articles)
        return
    tree = working_tree(settings)
    articles = read_articles(tree)
    below = tree.root.relative_to(repository_top(tree.root)).as_posix()
    made = code_owners(
        raci_of(articles.objects),
        read_handles(tree.root),
        "" if below == "." else below,
        with_consulted=with_consulted,
    )
    _tell_unmapped(made)
    _tell_refused(articles)
    if file is None:
        say(made.text.rstrip("\n"))
        return
    there = file.read_bytes().decode("utf-8", "surrogateescape") if file.exists() else ""
    wanted = put_into(there, made.text)
    if check:
        _require_same(check, there, wanted)
    elif there == wanted:
        err.print(f"{escape(str(file))} is as it should be")
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(wanted.encode("utf-8", "surrogateescape"))
        err.print(f"{escape(str(file))} is written")


def _articles(settings: Settings) -> Articles:
    """As they are live: files as they lie, or a commit."""
    with closing(open_content(settings)) as content:
        return read_articles(content)


def _owned_by(owner: str | None, objects: Sequence[KnowledgeObject]) -> Sequence[KnowledgeObject]:
    if owner is None:
        return objects
    own = [one for one in objects if (one.owner or "").casefold() == owner.casefold()]
    if not own:
        names = sorted({one.owner for one in objects if one.owner})
        near = difflib.get_close_matches(owner, names, n=3, cutoff=0.4) or names[:10]
        raise typer.BadParameter(f"--owner: no article is owned by '{owner}'; there are {', '.join(near) or 'none'}")
    return own


def _usage(settings: Settings, articles: Sequence[KnowledgeObject]) -> dict[str, Usage]:
    """What the record says of them; nothing where there is none yet: it is not made for this."""
    if not (settings.data / "desk.db").exists():
        return {}
    desk = Desk(settings.data / "desk.db")
    names = _names(settings.data / "index.db", [one.id for one in articles])
    return {one.id: usage_of(desk, one, names.get(one.id, [one.id])) for one in articles}


def _names(index: Path, ids: Iterable[str]) -> dict[str, list[str]]:
    """Each id with those that its article once had; none where nothing is indexed, or the index cannot be read."""
    if not index.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return {one: Catalogue(connection).names_of(one) for one in ids}
    except sqlite3.Error as error:
        told = escape(f"{index} cannot be read ({error})")
        err.print(f"[dim]{told}: what was said of articles under former ids is left out[/dim]")
        return {}


def _group_json(group: OwnerDue, usage: dict[str, Usage]) -> dict[str, Any]:
    return {
        "owner": group.owner,
        "articles": [
            {
                "id": one.article.id,
                "path": one.article.path,
                "title": one.article.title,
                "type": one.article.type,
                "state": one.article.workflow_state,
                "review_by": one.article.review_by.isoformat() if one.article.review_by else None,
                "days_overdue": one.days_overdue,
                **asdict(usage.get(one.article.id, Usage())),
            }
            for one in group.due
        ],
    }


def _print_due(due: Due, usage: Usage) -> None:
    article = due.article
    style = "red" if (due.days_overdue or 0) > 0 or usage.flags else "yellow"
    date = article.review_by.isoformat() if article.review_by else "–" * 10
    state = "" if article.workflow_state == "published" else f"  [dim]{article.workflow_state}[/dim]"
    said = f"  [bold]{escape(usage.words)}[/bold]" if usage.words else ""
    told = f"   {date}  [{style}]{due.when}[/{style}]  [cyan]{escape(article.path)}[/cyan]  {escape(article.title)}"
    out.print(f"{told}{state}{said}")


def _print_raci(rows: Sequence[Raci], *, as_json: bool) -> None:
    if as_json:
        print_json({"articles": [asdict(row) for row in rows]})
        return
    lines = [("Article", "Accountable", "Responsible", "Consulted", "Informed")]
    for row in rows:
        own = (row.accountable,) if row.accountable else ()
        responsible = "the same" if own and row.responsible == own else ", ".join(row.responsible)
        lines.append((row.path, ", ".join(own), responsible, ", ".join(row.consulted), ", ".join(row.informed)))
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        say("  ".join(set_cell_size(cell or "–", width) for cell, width in zip(line, widths, strict=True)).rstrip())
    missing = sum(row.accountable is None for row in rows)
    if missing:
        err.print(f"{missing} of {len(rows)} articles have no owner: give each its 'owner' in the front matter")


def _tell_unmapped(made: CodeOwners) -> None:
    for team, count in sorted(made.unmapped.items()):
        articles = f"{count} article{'s' if count > 1 else ''}"
        err.print(f"[yellow]'{escape(team)}' has no handle[/yellow] ({articles}): add it to \\[owners] of kb.toml")
    if made.unowned:
        err.print(f"[yellow]{made.unowned} articles have no owner[/yellow]: give each its 'owner' in the front matter")


def _tell_refused(articles: Articles) -> None:
    if count := articles.refused:
        err.print(f"[dim]{count} file{'s' if count > 1 else ''} cannot be read: see 'kb check'[/dim]")


def _require_same(file: Path, there: str, wanted: str) -> None:
    """Say what differs and exit 1, where it does."""
    if there == wanted:
        err.print(f"{escape(str(file))} is as it should be")
        return
    lines = difflib.unified_diff(there.splitlines(), wanted.splitlines(), str(file), "as it should be", "", "", 1, "")
    for line in lines:
        say(line.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    err.print(f"{escape(str(file))} is not as the front matter has it: run 'kb owners --write {escape(str(file))}'")
    raise typer.Exit(1)
