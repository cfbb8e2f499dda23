"""``kb keys``, ``audit``, ``callers`` and ``retention``: who may ask, what was changed, what is kept of whom."""

import re
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.markup import escape

from kb_service.access import LOCAL, ROLES, Role
from kb_service.audit import Audit, Entry
from kb_service.cli_options import AsJson, Data, Demo, each_of, of_demo, opened, record_of, settings_of, with_record
from kb_service.desk import Desk
from kb_service.kept import forget, kept_about, records_naming
from kb_service.keys import Key, Keys
from kb_service.retention import expire
from kb_service.settings import Settings
from kb_service.signed_in import end_sessions
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
    keys = Keys(Desk(_settings(data, demo=demo).data / "desk.db"))
    is_first = not keys.any()
    made, secret = keys.create(
        cast(Role, wanted),
        name=name,
        services=_several(services, "--services"),
        groups=_several(groups, "--groups"),
        origins=_several(origins, "--origins"),
        expires_at=None if expires is None else _moment(expires),
        by=LOCAL.id,
    )
    if as_json_:
        print_json({"key": secret, **_key_json(made)})
        return
    print(secret)  # noqa: T201 (by itself on standard output, so that a script can take it)
    said = f"{_line(made)}. It is not shown again; send it as 'Authorization: Bearer …' or 'X-API-Key'"
    err.print(escape(said))
    if is_first:
        err.print("It is the first one: a service that was open is so no more, and nobody comes in without a key")


@keys_app.command("list")
def list_(demo: Demo = False, data: Data = None, as_json_: AsJson = False) -> None:
    """Every key there ever was: whose, what for, since when, and when it was used last."""
    listed = Keys(_desk(data, demo=demo)).listed()
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
    out.print(escape(_line(Keys(_desk(data, demo=demo)).revoke(key_id, LOCAL.id))))


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


@callers_app.command("sign-out")
def sign_out(caller: Annotated[str, typer.Argument(metavar="ID")], demo: Demo = False, data: Data = None) -> None:
    """End every sign-in of a caller to the pages, at once. Whoever leaves loses its key or its groups as well."""
    out.print(escape(f"{caller}: {end_sessions(_desk(data, demo=demo), caller, LOCAL.id)} sessions ended"))


@callers_app.command("erase")
def erase_caller(caller: Annotated[str, typer.Argument(metavar="ID")], demo: Demo = False, data: Data = None) -> None:
    """Delete what a caller searched and was suggested, and take it off its votes. The audit log stays."""
    gone = forget(_desk(data, demo=demo), caller, LOCAL)
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in gone.items())
    out.print(escape(f"{caller}: {counts}. Backups made before still hold it"))


def audit(
    since: Annotated[str | None, typer.Option(help="From this day or time on, or for so long, as in 90d.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only by this caller, as in key:k2m9x4ab.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only about this record, key or revision.")] = None,
    most: Annotated[int, typer.Option("--limit", min=1, max=1_000_000)] = 100,
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
        count = log.verify()
        if as_json_:
            print_json({"entries": count})
        else:
            out.print(f"{count} entries, each as it was written")
        return
    start = None if since is None else _moment(since, is_past=True)
    entries = log.entries(since=start, actor=actor, subject=subject, most=most)
    if as_json_:
        print_json([{**asdict(one), "at": one.at.isoformat()} for one in entries])
        return
    for one in entries:
        out.print(escape(_entry(one)))


def retention(demo: Demo = False, data: Data = None) -> None:
    """Delete what is older than the settings KB_RETAIN_… say. A service that runs does so by itself each day."""
    base = opened(with_record(_settings(data, demo=demo)))
    gone = expire(base.incidents, base.incident_index, base.settings.retention)
    out.print(
        f"{gone.searches} searches, {gone.suggestions} suggestions, {gone.comments} comments, {gone.gaps} gaps,"
        f" {gone.runs} runs and {gone.incidents} incidents were too old and are deleted"
    )


def _settings(data: Path | None, *, demo: bool) -> Settings:
    settings = settings_of(data=data)
    return of_demo(settings) if demo else settings


def _desk(data: Path | None, *, demo: bool) -> Desk:
    return record_of(_settings(data, demo=demo))


def _several(values: list[str] | None, option: str) -> list[str]:
    """The values of an option. Raises BadParameter for one that is given and empty: without it a key may do more."""
    parts = [part.strip() for value in values or [] for part in value.split(",") if part.strip()]
    if values and not parts:
        raise typer.BadParameter(f"{option} names nothing: leave it out, or name what is meant")
    return parts


def _moment(text: str, *, is_past: bool = False) -> datetime:
    """A time, the end of a day, or so long from now; in the past the start of a day, or so long ago.

    In UTC unless it names its zone. Raises BadParameter.
    """
    given = text.strip()
    try:
        if found := _FOR.fullmatch(given):
            length = timedelta(**{_UNITS[found[2]]: int(found[1])})
            return datetime.now(UTC) + (-length if is_past else length)
        with suppress(ValueError):
            return datetime.combine(date.fromisoformat(given), time.min if is_past else time.max, UTC)
        moment = datetime.fromisoformat(given)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"'{text}' is no time: write 90d, 12h, 8w, 2027-01-31 or 2027-01-31T18:00") from error


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
