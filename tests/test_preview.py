"""What a branch would change for readers: real repositories, the files as they lie, the desk's real record."""

import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

import pytest

from indexer.git_command import GitError
from kb_service import Settings
from kb_service.answering import Effect
from kb_service.desk import Desk as Record
from kb_service.desk_check import DeskError
from kb_service.incidents import Incidents
from kb_service.preview import Preview, preview
from kb_service.searches import Searches
from tests import forked
from tests.conftest import CONTENT

Git = Callable[..., str]

PRINTER = "---\ntitle: Printer does not print\n---\n## Steps\n\nClear the spooler queue of the printer.\n"
VPN = "---\ntitle: VPN fails\n---\n## Symptoms\n\nThe tunnel stays down.\n\n## Steps\n\nRestart the tunnel client.\n"
MAIL = "---\ntitle: Mail is late\n---\n## Steps\n\nEmpty the outbox of the mailbox.\n"
# Words that all of them say, so that none is found by less
COMMON = {"a.md": "# Alpha\n\nquota badge", "b.md": "# Beta\n\nbadge lamp", "c.md": "# Gamma\n\nlamp quota"}


class Branch:
    """A clone with its content folder, and a data folder beside it."""

    def __init__(self, folder: Path, git: Git, inside: str = "content") -> None:
        self._git, self.folder, self.content = git, folder, folder / inside
        self.settings = Settings(content=self.content, data=folder.parent / "data", encoder="hashing")

    @classmethod
    def begun(cls, folder: Path, git: Git, inside: str = "content") -> Self:
        """A new repository: main has some articles, and a branch ``edit`` is checked out."""
        branch = cls(folder, git, inside)
        folder.mkdir()
        branch.git("init", "-q", "-b", "main")
        branch.write({"printer.md": PRINTER, "vpn.md": VPN, **COMMON})
        branch.commit()
        branch.git("checkout", "-qb", "edit")
        return branch

    def git(self, *arguments: str) -> str:
        return self._git(self.folder, *arguments).strip()

    def write(self, files: dict[str, str]) -> None:
        for path, text in files.items():
            file = self.content / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", f"change {uuid.uuid4()}", "--allow-empty")

    def on_main(self, files: dict[str, str]) -> None:
        """Commit on main what the branch comes from, and go on from there."""
        self.git("checkout", "-q", "main")
        self.write(files)
        self.commit()
        self.git("checkout", "-qB", "edit")

    def preview(self, base: str | None = "main", most: int = 500) -> Preview:
        return preview(self.settings, base, most)

    def recorded(self, incidents: dict[str, str], searches: Sequence[str] = ()) -> None:
        record = Record(self.settings.data / "desk.db")
        for number, text in incidents.items():
            Incidents(record).put({"number": number, "short_description": text})
        for text in searches:
            Searches(record).keep("search", text, [])
        record.connection.close()


@pytest.fixture
def branch(tmp_path: Path, git: Git) -> Branch:
    return Branch.begun(tmp_path / "clone", git)


def queries(*pairs: tuple[str, str]) -> str:
    return "".join(f"- query: '{query}'\n  article: {article}\n" for query, article in pairs)


def told(effect: Effect) -> tuple[list[str], list[str]]:
    """What an article answers now, and no longer: by number or text, with its ranks."""

    def said(move: object) -> str:
        question, before, after = (getattr(move, name) for name in ("question", "before", "after"))
        return f"{question.number or question.text} {before and before.rank}>{after and after.rank}"

    return [said(move) for move in effect.gained], [said(move) for move in effect.lost]


def test_an_article_that_answers_now_also_before_it_is_committed(branch: Branch) -> None:
    branch.recorded({"INC1": "mail stays in the outbox", "INC2": "printer dead"}, ["Outbox Mailbox", "outbox mailbox"])
    branch.write({"mail.md": MAIL})
    found = branch.preview()
    (change,) = found.changes
    assert (change.kind, change.id, change.title) == ("added", "mail", "Mail is late")
    assert change.what == "howto; sections: Steps"
    assert told(found.effects["mail"]) == (["INC1 None>1", "outbox mailbox None>1"], [])
    assert found.effects["mail"].gained[1].question.times == 2
    assert (found.fails, found.looked.incidents, found.looked.of_incidents, found.looked.searches) == (False, 2, 2, 1)
    branch.commit()
    assert branch.preview().changes == found.changes


def test_an_article_that_answers_no_longer(branch: Branch) -> None:
    branch.recorded({"INC1": "tunnel client"}, ["tunnel", "spooler queue"])
    branch.write({"vpn.md": VPN.replace("tunnel", "line"), "printer.md": f"{PRINTER}\nNot for the tunnel client.\n"})
    found = branch.preview()
    changed = {change.id: change for change in found.changes}
    assert changed["vpn"].what == "changed: Symptoms, Steps"
    assert told(found.effects["vpn"]) == ([], ["INC1 1>2", "tunnel 1>None"])
    assert [move.instead for move in found.effects["vpn"].lost] == ["printer", "printer"]
    assert told(found.effects["printer"])[0] == ["INC1 None>1", "tunnel None>1"]
    assert found.effects["printer"].kept == 1


def test_a_renamed_article_keeps_its_place_and_its_golden_queries(branch: Branch) -> None:
    branch.on_main({"queries.yaml": queries(("tunnel client", "vpn"))})
    branch.recorded({"INC1": "tunnel down"})
    (branch.content / "vpn.md").rename(branch.content / "network-vpn.md")
    found = branch.preview()
    (change,) = found.changes
    assert (change.kind, change.id, change.before_id, change.what) == ("renamed", "network-vpn", "vpn", "was vpn")
    effect = found.effects["network-vpn"]
    assert (told(effect), effect.kept) == (([], []), 2)
    (held,) = found.golden("held")
    assert (held.article, held.before and held.before.rank, held.after and held.after.rank) == ("network-vpn", 1, 1)
    assert (found.fails, found.others, found.added, found.dropped) == (False, [], 0, ())


def test_a_golden_query_that_names_the_new_id_is_the_same_query(branch: Branch) -> None:
    branch.on_main({**CROWD, "queries.yaml": queries(("badge lamp", "b"))})
    (branch.content / "b.md").rename(branch.content / "renamed.md")
    branch.write(
        {
            "renamed.md": f"{COMMON['b.md']}\n\n## Steps\n\nLight it.\n",
            "queries.yaml": queries(("badge lamp", "renamed")),
        }
    )
    found = branch.preview()
    assert [change.what for change in found.changes] == ["was b; added: Steps"]
    assert (found.fails, found.added, found.dropped) == (False, 0, ())
    assert [one.article for one in found.golden("failed before, too")] == ["renamed"]


def test_an_incident_is_asked_with_its_service(branch: Branch) -> None:
    branch.on_main({"mail.md": MAIL})
    branch.recorded({"INC1": "Mail is late", "INC2": "Mail is late"})
    Incidents(Record(branch.settings.data / "desk.db")).change("INC2", {"service": "web"})
    branch.write({"web-mail.md": MAIL.replace("title:", "services: [web]\ntitle:")})
    assert told(branch.preview().effects["web-mail"]) == (["INC2 None>1", "INC1 None>2"], [])


def test_a_deleted_article_fails_the_golden_queries_that_name_it(branch: Branch) -> None:
    branch.on_main({"queries.yaml": queries(("lamp", "b"), ("tunnel client", "vpn"))})
    branch.recorded({"INC1": "tunnel down"})
    (branch.content / "vpn.md").unlink()
    found = branch.preview()
    assert [(change.kind, change.id) for change in found.changes] == [("deleted", "vpn")]
    assert told(found.effects["vpn"]) == ([], ["tunnel client 1>None", "INC1 1>None"])
    assert [str(problem) for problem in found.problems] == [
        "queries.yaml:3: 'tunnel client' is to find 'vpn': this branch deletes it."
        " Name the id of an article that answers it"
    ]
    assert found.fails
    branch.write({"queries.yaml": queries(("lamp", "b"))})
    found = branch.preview()
    assert (found.fails, [one.query for one in found.dropped]) == (False, ["tunnel client"])


CROWD = {f"crowd{number}.md": "# Badge lamp quota\n\nbadge lamp quota" for number in range(3)}


def test_a_golden_query_must_keep_its_article_among_the_first_three(branch: Branch) -> None:
    branch.on_main({"queries.yaml": queries(("badge lamp", "b"))})
    branch.write(CROWD)
    found = branch.preview()
    (broken,) = found.golden("broken")
    assert (broken.before and broken.before.rank, broken.after and broken.after.rank) == (1, 4)
    assert set(broken.first) == {"crowd0", "crowd1", "crowd2"}
    assert found.fails
    assert found.others == ["b"], "what the branch does not touch and others pass is told, too"


def test_a_query_that_failed_before_is_nobody_s_fault_unless_it_is_new(branch: Branch) -> None:
    asked = {"queries.yaml": queries(("badge lamp", "b"))}
    branch.on_main({**CROWD, **asked})
    branch.write({"mail.md": MAIL})
    found = branch.preview()
    assert (found.fails, [one.golden.query for one in found.golden("failed before, too")]) == (False, ["badge lamp"])
    branch.write({"queries.yaml": queries(("badge lamp", "b"), ("badge lamp", "a"), ("spooler", "printer"))})
    found = branch.preview()
    assert (found.fails, [one.article for one in found.golden("broken")], found.added) == (True, ["a"], 2)


def test_only_new_queries_are_a_change_too_and_nothing_else_is_asked(branch: Branch) -> None:
    branch.recorded({"INC1": "tunnel down"})
    branch.write({"queries.yaml": queries(("tunnel", "vpn"), ("mailbox", "nowhere"))})
    found = branch.preview()
    assert (found.changes_nothing, found.added, found.looked.incidents) == (False, 2, 0)
    assert [str(one) for one in found.problems] == [
        "queries.yaml:3: 'mailbox' is to find 'nowhere': there is no such article."
        " Name the id of an article that answers it"
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("workflow_state: draft", "its workflow_state is draft"),
        ("audience: restricted", "its audience is restricted"),
        ("valid_from: 2999-01-01", "it is not valid yet"),
        ("valid_to: 2001-01-01", "it is not valid any more"),
    ],
)
def test_why_no_search_finds_an_article_is_said(branch: Branch, line: str, why: str) -> None:
    branch.on_main({"queries.yaml": queries(("tunnel", "vpn"))})
    branch.write({"vpn.md": VPN.replace("title:", f"{line}\ntitle:")})
    found = branch.preview()
    (broken,) = found.golden("broken")
    assert (broken.after, broken.hidden) == (None, why)
    assert found.changes[0].what.startswith(line.partition(":")[0])


def test_a_refused_file_fails_and_its_last_good_version_stays(branch: Branch) -> None:
    branch.recorded({"INC1": "tunnel down"})
    branch.write({"vpn.md": "---\ntitle: a: b\n---\n", "mail.md": MAIL})
    found = branch.preview()
    (refused,) = found.refused
    assert str(refused).startswith("vpn.md:2: broken YAML")
    assert (found.fails, [change.id for change in found.changes]) == (True, ["mail"])
    assert (told(found.effects["vpn"]), found.effects["vpn"].kept) == (([], []), 1)


def test_a_golden_file_that_cannot_be_read_fails(branch: Branch) -> None:
    branch.on_main({"queries.yaml": queries(("tunnel", "vpn"))})
    branch.write({"queries.yaml": "- query: tunnel: down"})
    found = branch.preview()
    assert (found.fails, found.dropped, len(found.problems)) == (True, (), 1)
    (branch.content / "queries.yaml").unlink()
    (branch.content / "queries.yaml").symlink_to("/etc/passwd")
    assert str(branch.preview().problems[0]).startswith("queries.yaml:1: cannot be read: Too many levels")


def test_what_readers_do_not_see_is_no_change(branch: Branch) -> None:
    branch.recorded({"INC1": "tunnel down"})
    branch.write({"vpn.md": VPN.replace("title: VPN fails", "# a comment\ntitle:   VPN fails").replace("\n", "\r\n")})
    found = branch.preview()
    assert (found.changes_nothing, found.fails) == (True, False)


def test_what_came_to_the_base_since_is_not_of_the_branch(branch: Branch) -> None:
    branch.write({"mail.md": MAIL})
    branch.commit()
    branch.git("checkout", "-q", "main")
    (branch.content / "vpn.md").unlink()
    branch.commit()
    branch.git("checkout", "-q", "edit")
    found = branch.preview()
    assert [change.id for change in found.changes] == ["mail"]
    assert found.base.name == "main"


def test_an_article_may_be_named_by_an_id_that_it_had_long_ago(branch: Branch) -> None:
    branch.git("checkout", "-q", "main")
    branch.git("mv", "content/vpn.md", "content/tunnel.md")
    branch.on_main({"queries.yaml": queries(("tunnel client", "vpn"))})
    branch.write({"mail.md": MAIL})
    assert [one.article for one in branch.preview().golden("held")] == ["tunnel"]


def test_a_base_without_the_folder_has_no_articles(branch: Branch) -> None:
    branch.git("checkout", "-q", "--orphan", "before")
    branch.git("rm", "-rqf", ".")
    branch.commit()
    branch.write({"mail.md": MAIL})
    assert [(change.kind, change.id) for change in branch.preview("before").changes] == [("added", "mail")]


@pytest.mark.parametrize("inside", [".", "docs/kb"])
def test_the_content_may_be_the_whole_repository_or_lie_deeper(tmp_path: Path, git: Git, inside: str) -> None:
    branch = Branch.begun(tmp_path / "clone", git, inside)
    branch.on_main({"queries.yaml": queries(("tunnel", "vpn"))})
    (branch.content / "vpn.md").rename(branch.content / "line.md")
    found = branch.preview()
    assert [(change.kind, change.id) for change in found.changes] == [("renamed", "line")]
    assert len(found.golden("held")) == 1


@pytest.mark.parametrize(("most", "asked"), [(0, (0, 0)), (2, (2, 2)), (500, (3, 3))])
def test_so_many_of_the_latest_are_asked(branch: Branch, most: int, asked: tuple[int, int]) -> None:
    branch.recorded({f"INC{number}": f"fault {number}" for number in range(3)}, ["one", "two", "three", " ", "TWO "])
    branch.write({"mail.md": MAIL})
    looked = branch.preview(most=most).looked
    assert (looked.incidents, looked.searches) == asked


def test_a_record_is_only_read_and_none_is_made(branch: Branch) -> None:
    branch.write({"mail.md": MAIL})
    assert branch.preview().looked.of_incidents == 0
    assert not (branch.settings.data / "desk.db").exists()
    assert not (branch.settings.data / "index.db").exists()
    branch.recorded({"INC1": "tunnel"})
    (branch.settings.data / "desk.lock").unlink()
    before = (branch.settings.data / "desk.db").read_bytes()
    assert branch.preview().looked.of_incidents == 1
    assert (branch.settings.data / "desk.db").read_bytes() == before
    assert not (branch.settings.data / "desk.lock").exists()


def test_a_record_of_another_version_is_said_and_left_as_it_is(branch: Branch) -> None:
    branch.write({"mail.md": MAIL})
    branch.recorded({"INC1": "tunnel"})
    file = branch.settings.data / "desk.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM _sqlite_migrations")
    before = file.read_bytes()
    with pytest.raises(DeskError, match="was written by an older version"):
        branch.preview()
    assert file.read_bytes() == before


def test_where_nothing_can_be_compared_it_is_said(branch: Branch, tmp_path: Path, git: Git) -> None:
    shutil.copytree(branch.content, tmp_path / "loose" / "content")
    loose = Settings(content=tmp_path / "loose" / "content", data=tmp_path / "data", encoder="hashing")
    with pytest.raises(GitError, match=r"not a git repository.*Name the content folder of a clone by --content"):
        preview(loose, None, 0)
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(branch.folder), str(bare))
    with pytest.raises(GitError, match=r"bare.git is a bare repository\. Preview in a clone"):
        preview(Settings(content=bare, data=tmp_path / "data", encoder="hashing"), None, 0)


def test_our_own_golden_queries_hold_and_a_worse_article_breaks_one(
    tmp_path: Path, git: Git, model_cache: Path
) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(CONTENT, clone / "content")
    git(clone, "init", "-q", "-b", "main")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "content")
    settings = Settings(content=clone / "content", data=tmp_path / "data", cache=model_cache)
    article = clone / "content" / "runbooks" / "account-lockout.md"
    article.write_text("---\ntitle: To be written\n---\n", "utf-8")
    found = preview(settings, None, 0)
    assert [change.id for change in found.changes] == ["runbooks/account-lockout"]
    broken = [one.golden.query for one in found.golden("broken")]
    assert broken == [
        "user keeps getting locked out after changing password",
        "account is locked again 5 minutes after unlock",
    ]
    assert len(found.golden("held")) == found.looked.golden - len(broken) >= 40


def test_the_environment_of_a_git_hook_leads_nowhere_else(branch: Branch) -> None:
    branch.write({"mail.md": MAIL})
    command = ["preview", "--content", str(branch.content)]
    settings = {"KB_ENCODER": "hashing", "KB_DATA": str(branch.settings.data), "GIT_DIR": "/nowhere"}
    done = forked.kb(command, {**os.environ, **settings})
    assert (done.returncode, done.stderr) == (0, "")
    assert "articles: 1 added" in done.stdout
