"""Who owns what: the four roles of an article, handles by team, and CODEOWNERS as git itself reads its patterns."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer import KnowledgeObject, parse
from indexer.catalogue import object_from_json, object_to_json
from indexer.frontmatter import json_schema
from kb_service.codeowners import BEGIN, END, CodeOwnersError, code_owners, put_into
from kb_service.owner_handles import Handles, HandlesError, read_handles, repository_top
from kb_service.raci import Raci, raci_of

HANDLES = Handles({"a": ("@acme/a",), "b": ("@acme/b", "b@acme.com"), "c": ("@acme/c",)})


def parsed(front: str, path: str = "x.md") -> KnowledgeObject:
    found = parse(path, f"---\ntitle: T\n{front}\n---\n".encode())
    assert isinstance(found, KnowledgeObject), found
    return found


def owned(path: str, owner: str | None, *consulted: str) -> Raci:
    return Raci(path, path, path, (owner,) if owner else (), owner, consulted, ())


def test_the_roles_come_from_the_front_matter() -> None:
    whole = parsed("owner: net\nresponsible: [desk, noc]\nreviewers: [sec]\ninformed: users, hr")
    (row,) = raci_of([whole])
    assert (row.accountable, row.responsible, row.consulted) == ("net", ("desk", "noc"), ("sec",))
    assert row.informed == ("users", "hr")
    assert whole.extra == {}


def test_the_owner_is_responsible_where_nobody_else_is() -> None:
    (row, none) = raci_of([parsed("owner: net", "a.md"), parsed("tags: x", "b.md")])
    assert (row.responsible, row.accountable) == (("net",), "net")
    assert (none.responsible, none.accountable) == ((), None)


def test_rows_of_an_index_from_before_are_read() -> None:
    now = parsed("owner: net\nresponsible: desk\ninformed: users")
    assert object_from_json(object_to_json(now)) == now
    before = {
        name: value
        for name, value in json.loads(object_to_json(now)).items()
        if name not in {"responsible", "informed"}
    }
    kept = object_from_json(json.dumps(before))
    assert (kept.owner, kept.responsible, kept.informed) == ("net", (), ())


def test_the_schema_knows_the_roles() -> None:
    properties = json_schema()["properties"]
    assert [one["type"] for one in properties["responsible"]["anyOf"]] == ["string", "array"]
    assert properties["informed"]["description"]


# -- handles


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("kb.toml", '[owners]\n"service desk" = "@acme/desk"\nnet = ["@jane", "net@acme.com"]\n'),
        ("pyproject.toml", '[tool.kb.owners]\n"service desk" = "@acme/desk"\nnet = ["@jane", "net@acme.com"]\n'),
    ],
)
def test_handles_stand_in_a_table_up_to_the_top_of_the_repository(tmp_path: Path, file: str, text: str) -> None:
    content = tmp_path / "repo" / "docs" / "content"
    content.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    (tmp_path / "repo" / file).write_text(text, "utf-8")
    (tmp_path / "kb.toml").write_text('[owners]\nother = "@outside"\n', "utf-8")
    found = read_handles(content)
    assert (found.of("service desk"), found.of("net")) == (("@acme/desk",), ("@jane", "net@acme.com"))
    assert (found.of("other"), found.of("@group/sub/team")) == ((), ("@group/sub/team",))
    assert repository_top(content) == tmp_path / "repo"


def test_the_nearest_table_counts_and_files_without_one_are_passed_over(tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.mkdir()
    (tmp_path / ".git").write_text("gitdir: elsewhere", "utf-8")
    (content / "kb.toml").write_text("[check]\ndisable = []\n", "utf-8")
    (tmp_path / "kb.toml").write_text('[owners]\nnet = "@acme/net"\n', "utf-8")
    assert read_handles(content).of("net") == ("@acme/net",)
    (content / "pyproject.toml").write_text('[tool.kb.owners]\nnet = "@acme/nearer"\n', "utf-8")
    assert read_handles(content).of("net") == ("@acme/nearer",)


def test_outside_of_a_repository_only_the_content_is_looked_at(tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.mkdir()
    (tmp_path / "kb.toml").write_text('[owners]\nnet = "@acme/net"\n', "utf-8")
    assert read_handles(content) == Handles()
    assert repository_top(content) == content


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[owners]\nnet = "acme/net"\n', "the handle of 'net' is 'acme/net'. Write @user"),
        ('[owners]\nnet = "@a @b"\n', "the handle of 'net'"),
        ("[owners]\nnet = 3\n", "the handle of 'net' is 3"),
        ('owners = "@all"\n', "'owners' is no table"),
        ("[owners\n", "cannot be read"),
    ],
)
def test_what_is_no_handle_is_said_with_its_file(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "kb.toml").write_text(text, "utf-8")
    with pytest.raises(HandlesError, match=re.escape(says)) as raised:
        read_handles(tmp_path)
    assert str(tmp_path / "kb.toml") in str(raised.value)


# -- CODEOWNERS


def rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_a_folder_of_one_owner_is_one_line() -> None:
    rows = [
        owned("faq/1.md", "a"),
        owned("faq/deep/2.md", "a"),
        owned("net/1.md", "a"),
        owned("net/2.md", "b"),
        owned("net/vpn/3.md", "b"),
        owned("net/vpn/4.md", "b"),
        owned("index.md", "c"),
    ]
    assert rules(code_owners(rows, HANDLES, "docs/content").text) == [
        "/docs/content/faq/ @acme/a",
        "/docs/content/index.md @acme/c",
        "/docs/content/net/1.md @acme/a",
        "/docs/content/net/2.md @acme/b b@acme.com",
        "/docs/content/net/vpn/ @acme/b b@acme.com",
    ]


@pytest.mark.parametrize(("below", "line"), [("", "* @acme/a"), ("content", "/content/ @acme/a")])
def test_a_content_of_one_owner_is_one_line(below: str, line: str) -> None:
    assert rules(code_owners([owned("1.md", "a"), owned("x/2.md", "a")], HANDLES, below).text) == [line]


def test_a_team_without_a_handle_is_a_comment_never_a_rule() -> None:
    rows = [owned("net/1.md", "a"), owned("net/2.md", "nowhere\nteam"), owned("net/3.md", None)]
    made = code_owners(rows, HANDLES, "")
    assert rules(made.text) == ["/net/1.md @acme/a"]
    assert "# /net/2.md  'nowhere team' has no handle\n# /net/3.md  no owner\n" in made.text
    assert (dict(made.unmapped), made.unowned) == ({"nowhere\nteam": 1}, 1)


def test_the_consulted_are_asked_only_on_demand_and_never_alone() -> None:
    rows = [owned("1.md", "a", "c", "unknown"), owned("2.md", "unmapped", "c"), owned("3.md", "b")]
    assert rules(code_owners(rows, HANDLES, "").text) == ["/1.md @acme/a", "/3.md @acme/b b@acme.com"]
    asked = code_owners(rows, HANDLES, "", with_consulted=True)
    assert rules(asked.text) == ["/1.md @acme/a @acme/c", "/3.md @acme/b b@acme.com"]
    assert dict(asked.unmapped) == {"unknown": 1, "unmapped": 1}


def test_an_article_counts_once_for_a_team_without_a_handle() -> None:
    assert dict(code_owners([owned("1.md", "x", "x")], HANDLES, "", with_consulted=True).unmapped) == {"x": 1}


NAMES = st.text("ab *?[]#!\\é.+()'\"", min_size=1, max_size=6).filter(
    lambda name: name.strip(".") == name and name.strip() == name and name.lower() != "git"
)
PATHS = st.lists(NAMES, min_size=0, max_size=3).map(lambda parts: "/".join([*parts, "x.md"]))
TREES = st.dictionaries(PATHS, st.sampled_from(["a", "b", "c", "unmapped", None]), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def ignoring(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str], list[str]], dict[str, int]]:
    """Which of some patterns git applies to each path, by its place; git's ignore rules are those of CODEOWNERS."""
    folder = tmp_path_factory.mktemp("repo")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)

    def last_match(patterns: list[str], paths: list[str]) -> dict[str, int]:
        (folder / "patterns").write_text("\n".join([*patterns, ""]), "utf-8")
        config = ["-c", f"core.excludesFile={folder / 'patterns'}"]
        command = ["git", *config, "-C", str(folder), "check-ignore", "--no-index", "-v", "-z", "--stdin"]
        said = subprocess.run(command, input="\0".join(paths).encode(), capture_output=True, check=False)
        fields = said.stdout.decode().split("\0")
        return {path: int(line) - 1 for line, path in zip(fields[1::4], fields[3::4], strict=False)}

    return last_match


@settings(max_examples=60, deadline=None)
@given(tree=TREES, below=st.sampled_from(["", "content", "my docs/[kb]"]))
def test_git_gives_every_article_to_its_owner(
    ignoring: Callable[[list[str], list[str]], dict[str, int]], tree: dict[str, str | None], below: str
) -> None:
    made = code_owners([owned(path, owner) for path, owner in tree.items()], HANDLES, below)
    split = [re.fullmatch(r"((?:\\.|\S)+) (.+)", line) for line in rules(made.text)]
    lines = [(one[1], one[2]) for one in split if one]
    assert len(lines) == len(split)
    paths = {f"{below}/{path}" if below else path: owner for path, owner in tree.items()}
    found = ignoring([pattern for pattern, _ in lines], list(paths))
    for path, owner in paths.items():
        wanted = " ".join(HANDLES.of(owner)) if owner else ""
        assert (lines[found[path]][1] if path in found else "") == wanted, path


def test_what_others_wrote_into_the_file_stays() -> None:
    first = code_owners([owned("1.md", "a")], HANDLES, "").text
    assert put_into("", first) == first
    by_hand = put_into("* @acme/all\n\n\n", first)
    assert by_hand == f"* @acme/all\n\n{first}"
    second = code_owners([owned("1.md", "b")], HANDLES, "").text
    between = f"{by_hand}/src/ @acme/dev\n"
    assert put_into(between, second) == f"* @acme/all\n\n{second}/src/ @acme/dev\n"
    assert put_into(between.replace("\n", "\r\n"), second) == put_into(between, second).replace("\n", "\r\n")
    older = between.replace(BEGIN, "# kb owners: made in another wording")
    assert put_into(older, second).count(END) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "existing",
    [f"{BEGIN}\n/a @a\n/by-hand @b\n", f"{BEGIN}\n/by-hand @b\n{BEGIN}\n/a @a\n{END}\n", f"/a @a\n{END}\n/by-hand @b\n",
     f"{BEGIN}\n{END}\n/by-hand @b\n{BEGIN}\n{END}\n", f"{BEGIN}\n{END}\n/by-hand @b\n{END}\n"],
)  # fmt: skip
def test_a_file_in_which_our_part_is_not_one_is_refused(existing: str, end: str) -> None:
    with pytest.raises(CodeOwnersError, match="does not begin and end once"):
        put_into(existing.replace("\n", end), code_owners([owned("1.md", "a")], HANDLES, "").text)
