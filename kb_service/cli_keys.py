"""``kb keys``, ``audit``, ``callers`` and ``retention``: who may ask, what was changed, what is kept of whom."""

import re
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.markup import escape

from kb_service.access import LOCAL, ROLES, Role
from kb_service.audit import Audit, Entry
from kb_service.cli_options import AsJson, Data, Demo, each_of, of_demo, opened, settings_of
from kb_service.desk import Desk
from kb_service.kept import forget, kept_about, records_naming
from kb_service.keys import Key, Keys
from kb_service.retention import expire
from kb_service.terminal import err, out, print_json

keys_app = typer.Typer(help="API keys: make, list, revoke.", no_args_is_help=True)
callers_app = typer.Typer(help="What is kept about one caller: export it, delete it.", no_args_is_help=True)

_FOR = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@keys_app.command()
def create(
    role: Annotated[str, typer.Option(help=f"{', '.join(ROLES)}.")],
    name: Annotated[str, typer.Option(help="What it is for; lists and the audit log show it.")] = "",
    services: Annotated[
        list[str] | None, typer.Option(help="Only what concerns these services, or none; with commas, or repeated.")
    ] = None,
    groups: Annotated[
        list[str] | None, typer.Option(help="Restricted articles of these groups too; with commas, or repeated.")
    ] = None,
    origins: Annotated[
        list[str] | None,
        typer.Option(help="May stand in pages of these sites, as in https://portal.example.org, and works there only."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="After so long, as in 90d, 12h or 8w, or at the end of a day, as in 2027-01-31.")
    ] = None,
    demo: Demo = False,
    data: Data = None,
    as_json_: AsJson = False,
) -> None:
    """Make a key. It is shown this once and kept as a hash; from the first one on nobody comes in without one."""
    (wanted,) = each_of([role], "--role", Role)
    made, secret = _keys(data, demo=demo).create(
        cast(Role, wanted),
        name=name,
        services=_several(services),
        groups=_several(groups),
        origins=_several(origins),
        expires_at=_moment(expires) if expires else None,
        by=LOCAL.id,
    )
    if as_json_:
        print_json({"key": secret, **_key_json(made)})
        return
    print(secret)  # noqa: T201 (by itself on standard output, so that a script can take it)
    err.print(f"{_line(made)}. It is not shown again; send it as 'Authorization: Bearer …' or 'X-API-Key'")


@keys_app.command("list")
def list_(demo: Demo = False, data: Data = None, as_json_: AsJson = False) -> None:
    """Every key there ever was: whose, what for, since when, and when it was used last."""
    listed = _keys(data, demo=demo).listed()
    if as_json_:
        print_json([_key_json(one) for one in listed])
        return
    for one in listed:
        out.print(escape(_line(one)))
    if not listed:
        out.print("There is no key: whoever reaches the service may use it, which is this machine only")


@keys_app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID")], demo: Demo = False, data: Data = None) -> None:
    """End a key at once, and every sign-in by it."""
    out.print(escape(_line(_keys(data, demo=demo).revoke(key_id, LOCAL.id))))


@callers_app.command("export")
def export_caller(
    caller: Annotated[str, typer.Argument(metavar="ID", help="As in key:k2m9x4ab or oidc:ann.")] = "",
    person: Annotated[str, typer.Option(help="Also the records that name this person in one of their fields.")] = "",
    demo: Demo = False,
    data: Data = None,
) -> None:
    """Print what is kept about a caller, or about a person whom records name, as JSON."""
    if not caller and not person:
        raise typer.BadParameter("name a caller, or a person by --person")
    desk = _desk(data, demo=demo)
    kept: dict[str, Any] = kept_about(desk, caller) if caller else {}
    print_json({**kept, **({"records": records_naming(desk, person)} if person else {})})


@callers_app.command("erase")
def erase_caller(caller: Annotated[str, typer.Argument(metavar="ID")], demo: Demo = False, data: Data = None) -> None:
    """Delete what a caller searched and was suggested, and take it off its votes. The audit log stays."""
    gone = forget(_desk(data, demo=demo), caller, LOCAL)
    out.print(escape(f"{caller}: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in gone.items())))


def audit(
    since: Annotated[str | None, typer.Option(help="From this day or time on.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only by this caller, as in key:k2m9x4ab.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only about this record, key or revision.")] = None,
    most: Annotated[int, typer.Option("--limit", min=1)] = 100,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only say whether every entry is as it was written.")
    ] = False,
    demo: Demo = False,
    data: Data = None,
    as_json_: AsJson = False,
) -> None:
    """What was published, which keys and records were changed, when and by whom; the latest first."""
    log = Audit(_desk(data, demo=demo))
    if verify:
        out.print(f"{log.verify()} entries, each as it was written")
        return
    start = _moment(since, at=time.min) if since else None
    entries = log.entries(since=start, actor=actor, subject=subject, most=most)
    if as_json_:
        print_json([{**asdict(one), "at": one.at.isoformat()} for one in entries])
        return
    for one in entries:
        out.print(escape(_entry(one)))


def retention(demo: Demo = False, data: Data = None) -> None:
    """Delete what is older than the settings KB_RETAIN_… say. A service that runs does so by itself each day."""
    settings = settings_of(data=data)
    base = opened(of_demo(settings) if demo else settings)
    gone = expire(base.incidents, base.incident_index, base.settings.retention)
    out.print(
        f"{gone.searches} searches, {gone.suggestions} suggestions, {gone.comments} comments and {gone.incidents}"
        " incidents were too old and are deleted"
    )


def _desk(data: Path | None, *, demo: bool) -> Desk:
    settings = settings_of(data=data)
    return Desk((of_demo(settings) if demo else settings).data / "desk.db")


def _keys(data: Path | None, *, demo: bool) -> Keys:
    return Keys(_desk(data, demo=demo))


def _several(values: list[str] | None) -> list[str]:
    return [part.strip() for value in values or [] for part in value.split(",") if part.strip()]


def _moment(text: str, at: time = time.max) -> datetime:
    """A time, the end of a day in UTC, or so long from now. Raises BadParameter."""
    if found := _FOR.fullmatch(text.strip()):
        return datetime.now(UTC) + timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()):
            return datetime.combine(date.fromisoformat(text.strip()), at, UTC)
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise typer.BadParameter(f"'{text}' is no time: write 90d, 12h, 8w, 2027-01-31 or 2027-01-31T18:00") from error
    return moment.astimezone(UTC)


def _key_json(key: Key) -> dict[str, Any]:
    return {
        **{name: getattr(key, name) for name in ("id", "name", "role", "services", "groups", "origins", "created_by")},
        **{
            name: moment.isoformat() if (moment := getattr(key, name)) else None
            for name in ("created_at", "expires_at", "revoked_at", "last_used_at")
        },
        "live": key.is_live,
    }


def _line(key: Key) -> str:
    said = [f"{key.id}  {key.role:9}  {key.name}"]
    said += [f"{what} {', '.join(values)}" for what, values in (
        ("of services", key.services), ("of groups", key.groups), ("on pages of", key.origins),
    ) if values]  # fmt: skip
    if key.revoked_at:
        said.append(f"revoked {key.revoked_at:%Y-%m-%d %H:%M}")
    elif key.expires_at:
        said.append(f"{'expires' if key.is_live else 'expired'} {key.expires_at:%Y-%m-%d %H:%M}")
    said.append(f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used")
    return ", ".join(said)


def _entry(entry: Entry) -> str:
    detail = ", ".join(f"{name} {value}" for name, value in entry.detail.items())
    return f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.actor}  {entry.action}  {entry.subject}" + (
        f"  ({detail})" if detail else ""
    )
