"""Records, and the index that follows them."""

from pathlib import Path

import pytest

from kb_service.desk import Desk
from kb_service.incident_index import IncidentIndex
from kb_service.incidents import Incidents
from tests.incident_index.following import Counting


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def encoder() -> Counting:
    return Counting()


@pytest.fixture
def incidents(data: Path) -> Incidents:
    return Incidents(Desk(data / "desk.db"))


@pytest.fixture
def index(incidents: Incidents, encoder: Counting) -> IncidentIndex:
    return IncidentIndex(incidents, encoder)
