"""What became of keys is in the audit log."""

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kb_service.desk import Desk
from kb_service.page_sessions import PageSessions, Person
from tests.cli_keys.shell import Running, audited, here, made, said_by, service
from tests.forged import rewrite


def test_what_became_of_a_key_is_audited_in_a_chain(desk: Running) -> None:
    running, _, _ = desk
    key = made(running, "--role", "agent", "--name", "Dora")
    for _ in range(2):
        assert here(Path(running.environment["KB_DATA"]).parent, "keys", "revoke", key["id"]).exit_code == 0
    entries = audited(running, "--subject", key["id"])
    assert [(one["action"], one["detail"]) for one in entries] == [
        ("key revoked", {"name": "Dora", "role": "agent"}), ("key created", {"name": "Dora", "role": "agent"}),
    ]  # fmt: skip
    assert entries[0]["actor"].startswith("local:")
    plain = running.kb("audit", "--subject", key["id"]).splitlines()
    assert [re.sub(r"^\S+ \S+  local:\S+  ", "", line) for line in plain] == [
        f"key revoked  {key['id']}  (name Dora, role agent)", f"key created  {key['id']}  (name Dora, role agent)",
    ]  # fmt: skip
    counted = audited(running, "--verify")["entries"]
    assert running.kb("audit", "--verify") == f"{counted} entries, each as it was written\n"


def test_the_audit_log_is_told_by_when_and_by_whom(desk: Running) -> None:
    running, _, _ = desk
    for _ in range(3):
        made(running, "--role", "agent")
    everything = audited(running, "--limit", "1000")
    actor = everything[0]["actor"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    for options, told in (
        (["--actor", actor, "--limit", "1000"], [one for one in everything if one["actor"] == actor]),
        (["--actor", "nobody"], []),
        (["--since", everything[2]["at"]], everything[:3]),
        (["--since", "1h"], everything),
        (["--since", datetime.now(UTC).date().isoformat()], everything),
        (["--since", tomorrow], []),
        (["--limit", "2"], everything[:2]),
    ):
        assert audited(running, *options) == told, options


def test_an_altered_audit_log_is_said(tmp_path: Path) -> None:
    made(service(tmp_path), "--role", "agent")
    with closing(Desk(tmp_path / "data" / "desk.db").connection) as connection:
        rewrite(connection)
    assert "not as it was written from entry 1 on" in said_by(here(tmp_path, "audit", "--verify"))


def test_a_caller_is_signed_out_everywhere(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "data" / "desk.db")
    sessions = PageSessions(desk, 12, 12)
    cookies = [sessions.seal(sessions.sign_in(person=Person(f"oidc:{name}", name, "", ()))) for name in ("ann", "bob")]
    result = here(tmp_path, "callers", "sign-out", "oidc:ann")
    assert result.stdout == "oidc:ann: 1 sessions ended\n"
    signed_in = [session is not None and session.person is not None for session in map(sessions.open, cookies)]
    assert signed_in == [False, True]
