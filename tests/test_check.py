"""Every problem of every file in one go."""

from indexer import WorkingTree
from indexer.check import check
from tests.conftest import Desk


def test_all_problems_are_listed_by_file_and_line(desk: Desk) -> None:
    desk.write("good.md", "# Good")
    desk.write("a.md", "---\ntitle: T\ntier: L9\naudience: all\n---\n")
    desk.write("b.md", "---\ntitle: a: b\n---\n")
    desk.write("c.md", "---\ntitle: C\nid: good\n---\n")
    found = [(problem.path, problem.line) for problem in check(WorkingTree(desk.content))]
    assert found == [("a.md", 3), ("a.md", 4), ("b.md", 2), ("good.md", 1)]


def test_a_clean_folder_has_none(desk: Desk) -> None:
    desk.write("good.md", "# Good")
    assert check(WorkingTree(desk.content)) == []
