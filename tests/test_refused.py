"""What nobody should push is refused by name, each with what is wrong and where."""

from contextlib import closing
from pathlib import Path

import pytest

from indexer.git import Repository
from indexer.git_ref import GitRef
from indexer.knowledge import MAX_FILE_BYTES, KnowledgeObject, parse
from kb_service.media import path_of
from tests.hostile import Entry, Store, texts

TEXTS = texts(4_000)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a billion laughs", "a.md:2: YAML anchors and aliases ('&', '*') are not taken"),
        ("an alias to itself", "a.md:2: YAML anchors and aliases ('&', '*') are not taken"),
        ("a python object", "a.md:2: YAML tags ('!') are not taken"),
        ("nested deep", "a.md:2: the YAML is nested over 8 deep"),
        ("maps nested deep", "a.md:2: the YAML is nested over 8 deep"),
        ("merge keys", "a.md:3: broken YAML"),
        ("a number of 19,000 digits", "broken YAML: Exceeds the limit"),
        ("half a character", "a.md:3: it holds a control character or half of one"),
        ("front matter too long", "a.md:1: the front matter is over 16,384 bytes"),
        ("front matter never closed", "a.md:1: the front matter opened by '---' is never closed"),
        ("an id that climbs", "a.md:2: id: Value error, an id must not have empty, '.' or '..' parts"),
        ("an id that is a folder", "a.md:2: id: Value error, an id must not have empty, '.' or '..' parts"),
        ("an id with a mark", "a.md:2: id: Value error, an id must not have characters that cannot be seen"),
        ("a key twice, in control characters", "control character"),
        ("NUL", "a.md:3: the file holds a NUL byte, so it is not text"),
        ("one byte too many", f"a.md:1: the file has {MAX_FILE_BYTES + 1:,} bytes"),
        ("latin-1", "a.md:1: byte 3 is not UTF-8"),
    ],
)
def test_a_file_is_refused_by_name(name: str, said: str) -> None:
    problems = parse("a.md", TEXTS[name])
    assert isinstance(problems, list)
    assert said in str(problems[0])
    assert problems[0].remedy


def test_what_is_odd_in_a_tree_is_refused_by_name_or_is_no_content(tmp_path: Path) -> None:
    store = Store(tmp_path / "bare.git")
    blob = store.put("blob", b"# Text\n")
    inside = store.tree([Entry(b"100644", b"x.md", blob)])
    store.publish(
        store.tree(
            [
                Entry(b"160000", b"module", "d" * 40),
                Entry(b"120000", b"out.md", store.put("blob", b"../../outside.md")),
                Entry(b"120000", b"passwd.md", store.put("blob", b"/etc/passwd")),
                Entry(b"120000", b"within.md", store.put("blob", b"good.md")),
                Entry(b"40000", b".git", inside),
                Entry(b"40000", b".GIT", inside),
                Entry(b"100644", b"..", blob),
                Entry(b"100644", "a\u202egnp.md".encode(), blob),
                Entry(b"100644", "a\u3164.md".encode(), blob),
                Entry(b"100644", b"good.md", blob),
            ]
        )
    )
    with closing(GitRef(Repository(store.folder), "main")) as content:
        scan = content.scan()
    assert set(scan.articles) == {"good.md"}
    assert [f"{one.path}: {one.problem}" for one in scan.problems] == [
        "a\\u202egnp.md: the file's name is not plain text, or too long",
        "a\\u3164.md: the file's name is not plain text, or too long",
        "module: is a submodule, which is not read",
        "out.md: is a symbolic link that leads out of the content",
        "passwd.md: is a symbolic link that leads out of the content",
    ]


@pytest.mark.parametrize(
    "target",
    ["../../../etc/passwd.png", "/etc/passwd.png", "%2e%2e/%2e%2e/x.png", "a/../../../x.png", "//host/x.png", "../.."],
)
def test_a_picture_outside_of_the_content_is_none(target: str) -> None:
    assert path_of(KnowledgeObject("faq/a", "faq", "A", "", "faq/a.md", "0" * 40), target) is None
