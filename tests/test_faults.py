"""Any call of a command to the disk may fail: what was acknowledged stays, and the next run puts all right."""

import json
import random
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kb_service.desk import Desk
from kb_service.incident_rows import fields_of
from kb_service.incidents import Incidents
from kb_service.knowledge_base import KnowledgeBase
from kb_service.settings import Settings
from tests.authors import Service
from tests.faults import WATCHING, Fault, faults_of, met_at, places_in, some_of, traced
from tests.forked import begin
from tests.posting_lists import check_lists
from tests.written import article

pytestmark = pytest.mark.breaking

CASE = Path(__file__).parent / "cases" / "desk-1.sql"
RECORDS = 210
# So that few vectors are folded into the base, and the base has lists
FOLDING = {"indexer.folding.FOLD_TAIL": 4, "indexer.vector_files.MOST_PLAIN": 8}
QUERIES = ("lease of the wombat", "printer", "badger", "answer 3")


class World:
    """A content folder in two states, a file of records, and a data folder that is put back for each run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.data, self.kept = folder / "data", folder / "kept"
        self.log = folder / "log"
        self.records = folder / "records.jsonl"
        self.backup = self.data / "backup.db"
        said = ({"number": f"INC{n:05}", "short_description": f"Report {n}", "opened_at": "2026-03-01T08:00:00Z"}
                for n in range(RECORDS))  # fmt: skip
        self.records.write_text("".join(json.dumps(one) + "\n" for one in said), "utf-8")
        for state, word in ((1, "wombat"), (2, "badger")):
            for n in range(5):
                self._write(state, f"{n}.md", article(f"Title {n}", f"The lease of the {word}, answer {n}."))
            self._write(state, f"only-{state}.md", article(f"Printer {state}", "Renew the lease."))
        self._write(2, "broken.md", "---\ntitle: a: b\n---\nBroken.")

    def _write(self, state: int, name: str, text: str) -> None:
        file = self.content(state) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def content(self, state: int) -> Path:
        return self.folder / f"content-{state}"

    def run(self, *arguments: str, options: list[str] | None = None, constants: Mapping[str, int] | None = None) -> int:
        """A run to its end, under strace where that is to do something; gives the exit code."""
        self.last = begin(arguments, Service(self.data).environment, constants=constants, held=True)
        if options is None:
            self.last.go()
            return self.last.wait()
        with traced(self.last.pid, self.log, options):
            self.last.go()
            return self.last.wait()

    def done(self, *arguments: str, constants: Mapping[str, int] | None = None) -> None:
        assert self.run(*arguments, constants=constants) == 0, self.last.complained()

    def keep(self) -> None:
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.data, self.kept)

    def put_back(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.kept, self.data)

    def files(self) -> set[str]:
        """What lies in the data folder; names that tell a time or a count without these."""
        names = (str(path.relative_to(self.data)) for path in self.data.rglob("*"))
        return {re.sub(r"\d+", "#", name) for name in names if not name.endswith(("-wal", "-shm"))}

    def check_whole(self) -> None:
        """Every database holds what it should, and its lists say what its texts say."""
        for path in self.data.glob("*.db"):
            with closing(sqlite3.connect(path)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",), path
                has_lists = "SELECT 1 FROM sqlite_master WHERE name = 'pieces'"
                if connection.execute(has_lists).fetchone():
                    check_lists(connection)

    def records_there(self) -> list[dict[str, Any]]:
        """Every record, by number; the file is brought to this version where it is of an earlier one."""
        desk = Desk(self.data / "desk.db")
        return sorted((fields_of(one) for one in Incidents(desk).every()), key=lambda one: str(one["number"]))

    def base(self) -> KnowledgeBase:
        return KnowledgeBase(Settings(content=self.content(2), data=self.data, encoder="hashing"))

    def live(self) -> tuple[Any, Any, Any]:
        """What is acknowledged: the articles that are live, those that were refused, and the records."""
        base = self.base()
        catalogue = base.searcher.catalogue
        articles = sorted((one.id, one.title, one.body) for one in catalogue.objects())
        return articles, [str(one) for one in catalogue.refusals()], self.records_there()

    def answers(self) -> tuple[Any, ...]:
        """The same, with what is found by words and by meaning, of articles and of records."""
        base = self.base()
        assert not base.incident_index.index.pending(1)
        found = [
            [(hit.id, hit.anchor, round(hit.score, 6)) for hit in base.search(text, limit=20).hits] for text in QUERIES
        ]
        return self.live(), base.index.counts(), base.incident_index.index.counts(), found


@dataclass(frozen=True)
class Scenario:
    """A command that writes, what is there before, and what is put away before it is run again."""

    name: str
    arguments: Callable[[World], tuple[str, ...]]
    prepare: Callable[[World], None] = lambda _world: None
    constants: Mapping[str, int] = field(default_factory=dict)
    again: Callable[[World], None] = lambda _world: None


def index_of(state: int) -> Callable[[World], tuple[str, ...]]:
    return lambda world: ("index", "--content", str(world.content(state)))


def indexed(world: World) -> None:
    world.done(*index_of(1)(world))


def folded(world: World) -> None:
    world.done(*index_of(1)(world), constants=FOLDING)


def with_records(world: World) -> None:
    indexed(world)
    world.done("incidents", "import", str(world.records))


def backed_up(world: World) -> None:
    with_records(world)
    world.done("backup", str(world.backup))
    Incidents(Desk(world.data / "desk.db")).put({"number": "INC99999", "short_description": "Since then"})
    world.done("incidents", "import", str(world.records))


def of_first_version(world: World) -> None:
    indexed(world)
    for name in ("desk.db", "at-rest"):
        (world.data / name).unlink()
    with closing(sqlite3.connect(world.data / "desk.db")) as connection:
        connection.executescript(CASE.read_text("utf-8"))


def without_backup(world: World) -> None:
    world.backup.unlink(missing_ok=True)


SCENARIOS = (
    Scenario("index", index_of(1), lambda world: world.data.mkdir()),
    Scenario("index of a change", index_of(2), indexed),
    Scenario("folding", index_of(2), folded, FOLDING),
    Scenario("import", lambda world: ("incidents", "import", str(world.records)), indexed),
    Scenario("backup", lambda world: ("backup", str(world.backup)), with_records, again=without_backup),
    Scenario("restore", lambda world: ("restore", str(world.backup)), backed_up),
    Scenario("migration", lambda _world: ("keys", "list"), of_first_version),
)


class Tried:
    """One scenario: run whole once, which is compared with, then with fault after fault."""

    def __init__(self, world: World, scenario: Scenario) -> None:
        self.world, self.scenario = world, scenario
        shutil.rmtree(world.data, ignore_errors=True)
        scenario.prepare(world)
        world.keep()
        self.before = world.live()
        world.put_back()
        self.run(WATCHING)
        self.places = places_in(world.log, world.data)
        self.after, self.files = world.answers(), world.files()
        self.met: Counter[str] = Counter()
        self.failed = 0

    def run(self, options: list[str] | None) -> int:
        arguments = self.scenario.arguments(self.world)
        return self.world.run(*arguments, options=options, constants=self.scenario.constants)

    def try_one(self, options: list[str]) -> int:
        """Run it with strace's options, look, and run it once more; gives the exit code. Raises AssertionError."""
        world = self.world
        world.put_back()
        code = self.run(options)
        self.met.update(filter(None, [met_at(world.log)]))
        if code >= 0:
            self.check_said(code)
        self.failed += code != 0
        world.check_whole()
        live = world.live()
        assert self.is_between(live), live
        if code == 0:
            assert live == self.after[0]
        self.scenario.again(world)
        assert self.run(None) == 0, world.last.complained()
        world.check_whole()
        assert world.answers() == self.after
        assert world.files() == self.files
        return code

    def is_between(self, live: tuple[Any, Any, Any]) -> bool:
        """As before, or as after; of many records the first ones may be there."""
        (*articles, records), (*articles_after, records_after) = live, self.after[0]
        is_beginning = articles == articles_after and records == records_after[: len(records)]
        return live in [self.before, self.after[0]] or (self.scenario.name == "import" and bool(is_beginning))

    def check_said(self, code: int) -> None:
        """It was done, or is said in one line: what, where, why, and what to do."""
        complained = self.world.last.complained()
        assert "Traceback" not in complained, complained
        assert "Exception" not in complained, complained
        assert code in {0, 3}, complained
        if code == 3:
            (line,) = [line for line in complained.splitlines() if line.startswith("kb:")]
            assert complained.splitlines()[-1] == line, complained
            assert re.search(r"\.db|\.lock|\.npy|\.faiss|\.part|/data", line), line
            assert line.count(". ") >= 1, line


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def try_each(tried: Tried, faults: Sequence[Fault]) -> None:
    """Each of them by itself; all that come to something wrong are told, each so that it can be tried again."""
    wrong: list[str] = []
    for fault in faults:
        try:
            tried.try_one(fault.options)
        except AssertionError as found:
            wrong.append(f"{fault}: {str(found)[:1_000]}")
    met = ", ".join(f"{count} {call}" for call, count in sorted(tried.met.items()))
    print(f"{tried.scenario.name}: faults met: {met}; {tried.failed} commands failed; {len(wrong)} wrong")
    assert wrong == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_a_command_that_meets_a_fault_loses_nothing_and_the_next_puts_it_right(
    world: World, scenario: Scenario
) -> None:
    tried, chance = Tried(world, scenario), random.Random(scenario.name)  # noqa: S311
    try_each(tried, [chance.choice(faults_of(place)) for place in some_of(tried.places, 3, chance)])
    assert tried.met.total() > 0


def test_each_call_on_a_file_of_faiss_may_fail(world: World) -> None:
    """It opens files by itself, and would say no more of an error than that there was one."""
    tried = Tried(world, next(one for one in SCENARIOS if one.name == "folding"))
    chance = random.Random(2)  # noqa: S311
    places = [place for place in tried.places if ".faiss" in place.path or ".npy" in place.path]
    try_each(tried, [chance.choice(faults_of(place)) for place in places])
    assert {"openat", "write"} <= tried.met.keys()


@pytest.mark.long
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_each_call_of_each_command_may_fail(world: World, scenario: Scenario) -> None:
    tried, chance = Tried(world, scenario), random.Random(1)  # noqa: S311
    try_each(tried, [chance.choice(faults_of(place)) for place in tried.places])


@pytest.mark.long
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_each_call_on_a_file_of_our_own_may_fail_in_every_way(world: World, scenario: Scenario) -> None:
    tried = Tried(world, scenario)
    own = (place for place in tried.places if place.path and not place.is_of_sqlite and not place.is_lock)
    try_each(tried, [fault for place in own for fault in faults_of(place)])
