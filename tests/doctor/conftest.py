"""A data folder where all is well, for each test its own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doctor.house import House
from tests.written import article

# A data folder as months of use leave it: articles, records, vectors in files, a key of each kind, a backup beside it
SETUP = """
import sys
from pathlib import Path
from indexer.folding import fold
from kb_service import KnowledgeBase, Settings
folder = Path(sys.argv[1])
base = KnowledgeBase(Settings(content=folder / "content", data=folder / "data", encoder="hashing"))
base.update()
base.incidents.put_many([(n, {"number": f"INC{n}", "short_description": f"VPN drops {n}"}) for n in range(1, 40)])
base.incident_index.catch_up()
fold(base.index)
fold(base.incident_index.index)
base.keys.create("admin", name="Ann", by="test")
base.desk.backup(folder / "backup.db")
"""


@pytest.fixture(scope="session")
def well(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("well")
    (folder / "content").mkdir()
    for name in ("vpn", "mail"):
        (folder / "content" / f"{name}.md").write_text(article(name.upper(), "Restart the wombat client."))
    subprocess.run([sys.executable, "-c", SETUP, str(folder)], check=True)
    return folder


@pytest.fixture
def house(well: Path, tmp_path: Path) -> House:
    shutil.copytree(well / "data", tmp_path / "data")
    shutil.copy(well / "backup.db", tmp_path / "backup.db")
    # Moved or copied, files would count as changed since they were read
    return House(tmp_path, KB_CONTENT=str(well / "content"))
