"""The articles that records of a file bring along: each is attached to its record as that stands, or named."""

import json
import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kb_service.cli_desk import import_file
from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests import forked
from tests.client import client_of
from tests.conftest import Desk
from tests.written import article

GIVEN = [{"article": "a", "resolved_by": True}]


@pytest.fixture
def base(desk: Desk) -> KnowledgeBase:
    desk.write("a.md", article("VPN", "Renew the lease."))
    made = KnowledgeBase(Settings(content=desk.content, data=desk.data, encoder="hashing"))
    made.update()
    return made


def imported(base: KnowledgeBase, folder: Path, capsys: pytest.CaptureFixture[str], **fields: Any) -> dict[str, Any]:
    file = folder / "given.jsonl"
    file.write_text(json.dumps({"short_description": "VPN drops", **fields}), "utf-8")
    capsys.readouterr()
    import_file(base, file, None, None, as_json_=True)
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


@pytest.mark.parametrize("written", [" INC5 ", "inc5", "INC5"])
def test_however_its_number_is_written(
    base: KnowledgeBase, tmp_path: Path, capsys: pytest.CaptureFixture[str], written: str
) -> None:
    base.incidents.put({"number": "INC5", "short_description": "VPN"})
    assert imported(base, tmp_path, capsys, number=written, articles=GIVEN)["articles_unknown"] == []
    (found,) = client_of(base).get("/api/incidents/INC5").json()["articles"]
    assert (found["article"], found["resolved_by"]) == ("a", True)
    base.incidents.erase("INC5")
    assert base.attachments.of_articles(["a"]) == []


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("last tuesday", "'last tuesday' is no date and time such as"),
        ("0001-01-01T00:00:00Z", "before 1971"),
        ("2999-01-01T00:00:00Z", "in the future"),
        ([], "is no date and time"),
    ],
)
def test_one_of_no_time_is_named_and_can_be_mended(
    base: KnowledgeBase, tmp_path: Path, capsys: pytest.CaptureFixture[str], at: Any, why: str
) -> None:
    said = imported(base, tmp_path, capsys, number="INC8", articles=[{**GIVEN[0], "at": at}])
    (problem,) = said["articles_unknown"]
    assert problem.startswith("INC8: 'a' is not attached: at: ")
    assert why in problem
    imported(base, tmp_path, capsys, number="INC8", articles=[{**GIVEN[0], "at": "2026-01-01T01:00:00+01:00"}])
    client = client_of(base)
    (found,) = client.get("/api/incidents/INC8").json()["articles"]
    assert found["at"] == "2026-01-01T00:00:00+00:00"
    assert client.get("/a/a", headers={"Accept": "text/html"}).status_code == 200


def test_a_time_in_the_record_that_cannot_be_read_hides_no_article(base: KnowledgeBase) -> None:
    base.incidents.put({"number": "INC1", "short_description": "VPN"})
    base.attachments.add("INC1", "a", "1", "resolved_by")
    base.desk.connection.execute("UPDATE attachments SET at = 'last tuesday'")
    client = client_of(base)
    assert client.get("/a/a", headers={"Accept": "text/html"}).status_code == 200
    assert [one["article"] for one in client.get("/api/incidents/INC1").json()["articles"]] == ["a"]


@pytest.mark.parametrize(
    ("said", "zone", "kept"),
    [
        ("2026-07-01 10:00:00", "Europe/Berlin", "2026-07-01T08:00:00Z"),
        ("2026-01-01T10:00", "Europe/Berlin", "2026-01-01T09:00:00Z"),
        ("2026-07-01T10:00:00Z", "Europe/Berlin", "2026-07-01T10:00:00Z"),
        ("2026-07-01 10:00:00", None, "2026-07-01T10:00:00Z"),
    ],
)
def test_a_time_that_names_no_zone_is_of_the_one_that_is_said(
    base: KnowledgeBase, tmp_path: Path, said: str, zone: str | None, kept: str
) -> None:
    file = tmp_path / "given.csv"
    file.write_text(f"number,short_description,opened_at\nINC1,VPN,{said}\n", "utf-8")
    import_file(base, file, None, None, ZoneInfo(zone) if zone else None, as_json_=True)
    assert client_of(base).get("/api/incidents/INC1").json()["opened_at"] == kept


def test_a_zone_that_is_none_is_said(tmp_path: Path) -> None:
    done = forked.kb(["incidents", "import", "x.csv", "--zone", "Mars/Base", "--data", str(tmp_path)], {**os.environ})
    assert (done.returncode, "no time zone is called 'Mars/Base'" in done.stderr) == (2, True)
