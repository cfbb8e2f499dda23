"""Articles and records to triage by."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from indexer.encoder import Encoder
from kb_service import KnowledgeBase, Settings
from tests.client import client_of
from tests.conftest import Desk
from tests.test_related import NOISE, PRINTER, row
from tests.triage_api.asked import CountingEncoder, put


class Counted(Settings):
    """With an encoder that counts."""

    def open_encoder(self) -> Encoder:
        return CountingEncoder()


@pytest.fixture
def base(desk: Desk) -> KnowledgeBase:
    desk.write(
        "runbooks/printer.md",
        "---\ntitle: Printer prints strange characters\naudience: public\nowner: Print-Team\ntier: L1\n---\n"
        "## Steps\n\nReinstall the driver of the printer.\n",
    )
    desk.write("runbooks/secret.md", "---\ntitle: Printer of the board prints\nowner: board\n---\nSecret driver.\n")
    desk.write("faq/toner.md", "---\ntitle: Order toner for a printer\naudience: public\n---\nBy the form.\n")
    desk.write("glossary/sla.md", "---\ntitle: SLA (service level agreement)\n---\nWhat was promised.\n")
    base = KnowledgeBase(Counted(content=desk.content, data=desk.data))
    base.update()
    return base


@pytest.fixture
def client(base: KnowledgeBase) -> Iterator[TestClient]:
    put(
        base,
        row("INC1", PRINTER, service="printing", priority="P3"),
        row("INC2", PRINTER, state="closed", close_notes="Driver reinstalled."),
        row("INC3", PRINTER, state="closed", parent_incident="INC1"),
        *NOISE,
    )
    with client_of(base) as opened:
        yield opened
