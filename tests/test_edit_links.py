"""Where an article is edited: at the server that it comes from, with nothing that one signs in by."""

from urllib.parse import urlsplit

import pytest

from kb_service.edit_links import edit_url
from kb_service.settings import Settings


def link(remote: str | None, path: str = "faq/vpn.md", ref: str | None = "main", folder: str = "") -> str | None:
    return edit_url(Settings(content_remote=remote, content_ref=ref, content_folder=folder), path)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/o/kb.git", "https://github.com/o/kb/edit/main/faq/vpn.md"),
        ("https://github.com/o/kb", "https://github.com/o/kb/edit/main/faq/vpn.md"),
        ("https://GitHub.example.org/o/kb", "https://GitHub.example.org/o/kb/edit/main/faq/vpn.md"),
        ("https://gitlab.example.org/a/b/kb.git", "https://gitlab.example.org/a/b/kb/-/edit/main/faq/vpn.md"),
        ("https://gitea.example.org:3000/o/kb.git", "https://gitea.example.org:3000/o/kb/_edit/main/faq/vpn.md"),
        ("https://forgejo.example.org/o/kb.git", "https://forgejo.example.org/o/kb/_edit/main/faq/vpn.md"),
        ("https://codeberg.org/o/kb.git", "https://codeberg.org/o/kb/_edit/main/faq/vpn.md"),
    ],
)
def test_each_kind_of_server_has_its_editor(remote: str, address: str) -> None:
    assert link(remote) == address


@pytest.mark.parametrize(
    "remote",
    [
        None,
        "",
        "https://git.example.org/github/kb.git",
        "http://github.com/o/kb.git",
        "ssh://git@github.com/o/kb.git",
        "git@github.com:o/kb.git",
        "file:///srv/github.com/kb.git",
        "/srv/github.com/kb.git",
        "javascript://github.com/%0aalert(1)",
    ],
)
def test_where_the_server_is_not_known_or_no_page_is_there_is_no_link(remote: str | None) -> None:
    assert link(remote) is None


def test_without_a_ref_there_is_no_link() -> None:
    assert link("https://github.com/o/kb.git", ref=None) is None


@pytest.mark.parametrize(
    "signing_in", ["token", "ann:secret", "oauth2:s%40cret", "ann:p@ss@word", "x-access-token:ghs_secret"]
)
@pytest.mark.parametrize("host", ["github.com", "gitlab.example.org:8443"])
def test_what_one_signs_in_by_is_never_in_the_link(signing_in: str, host: str) -> None:
    found = link(f"https://{signing_in}@{host}/o/kb.git")
    assert found
    assert urlsplit(found).netloc == host
    assert "@" not in found
    assert not any(part in found for part in ("token", "secret", "cret", "ann", "word"))


def test_the_folder_of_the_articles_is_part_of_the_path() -> None:
    assert link("https://github.com/o/kb", folder="/docs/kb/") == "https://github.com/o/kb/edit/main/docs/kb/faq/vpn.md"


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("faq/Straße 1.md", "faq/Stra%C3%9Fe%201.md"),
        ("a?b#c%20d.md", "a%3Fb%23c%2520d.md"),
        ('"><script>.md', "%22%3E%3Cscript%3E.md"),
        ("{path}.md", "%7Bpath%7D.md"),
    ],
)
def test_a_path_of_any_letters_is_quoted(path: str, quoted: str) -> None:
    assert link("https://github.com/o/kb", path) == f"https://github.com/o/kb/edit/main/{quoted}"
    own = Settings(edit_url="https://kb.example.org/edit?file={path}&again={path}")
    assert edit_url(own, path) == f"https://kb.example.org/edit?file={quoted}&again={quoted}"


def test_a_ref_of_several_parts_stays_a_path() -> None:
    assert link("https://github.com/o/kb", ref="release/2#1") == (
        "https://github.com/o/kb/edit/release/2%231/faq/vpn.md"
    )


def test_what_the_setting_says_goes_before_the_remote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_EDIT_URL", "https://ide.example.org/open/{path}")
    assert link("https://github.com/o/kb") == "https://ide.example.org/open/faq/vpn.md"
    assert link(None, ref=None) == "https://ide.example.org/open/faq/vpn.md"


@pytest.mark.parametrize("address", ["javascript:alert(1)//{path}", "https://ide.example.org/", "{path}"])
def test_a_setting_that_is_no_address_with_a_path_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="edit_url"):
        Settings(edit_url=address)
