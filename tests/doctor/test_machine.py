"""kb doctor on the machine and the settings."""

import os
import re

import pytest

from kb_service import doctor_machine
from kb_service.diagnosis import Case
from kb_service.settings import Settings
from tests.authors import ann, bare
from tests.doctor.house import House

__all__ = ["ann", "bare"]


def test_versions_and_limits_that_do_not_do_are_named() -> None:
    there = {"faiss-cpu": "1.10.0", "numpy": "2.1.0"}
    requires = ["faiss-cpu>=1.11", "numpy>=1.26", "onnxruntime>=1.20", "pytest>=8 ; extra == 'dev'"]
    wrong = doctor_machine.unmet(requires, there.get)
    assert wrong == [("faiss-cpu>=1.11", "1.10.0"), ("onnxruntime>=1.20", "not installed")]
    case = Case(Settings())
    assert [one.level for one in doctor_machine.program(case)] == ["ok"]
    assert [one.level for most in (100, 1024) for one in doctor_machine.file_limit(case, most)] == ["warning", "ok"]


def test_git_that_is_missing_or_old_is_named(house: House) -> None:
    empty = house.folder / "empty"
    empty.mkdir()
    path, house.settings["PATH"] = os.environ["PATH"], str(empty)
    assert "Install git" in house.only("git", "warning", "git is not there: articles have no history")
    old = empty / "git"
    old.write_text(f'#!/bin/sh\ncase "$*" in *--version) echo git version 1.8.3.1 ;; *) PATH={path} git "$@" ;; esac\n')
    old.chmod(0o755)
    house.settings["PATH"] = f"{empty}:{path}"
    house.only("git", "error", "1.8.3.1")


@pytest.mark.parametrize(
    ("settings", "level", "said", "remedy"),
    [
        ({"KB_PORT": "many"}, "error", "KB_PORT: .*integer.*'8000' is taken", "mended"),
        ({"KB_ENCODER": "nonsense"}, "error", "KB_ENCODER", "mended"),
        ({"KB_OIDC_ISSUER": "https://login.example.org"}, "error", "KB_OIDC_AUDIENCE or KB_OIDC_CLIENT_ID", "mended"),
        ({"KB_CONTENT_REFF": "main"}, "warning", "KB_CONTENT_REFF is set, but", "Perhaps KB_CONTENT_REF is meant"),
        ({"KB_HOOK_SECRET": "short"}, "warning", "KB_HOOK_SECRET has 5 characters", "openssl rand"),
        ({"KB_OIDC_CLIENT_ID": "kb"}, "warning", "without KB_OIDC_ISSUER", "Set KB_OIDC_ISSUER"),
        ({"KB_URL": "http://kb.example.org"}, "warning", "may be read on their way", "KB_PROXIES"),
        ({"KB_HOST": "192.0.2.1", "KB_URL": "https://kb.example.org"}, "warning", "names no proxy", "KB_PROXIES"),
        ({"KB_LANGUAGE": "de", "KB_ENCODER": "onnx"}, "warning", "KB_LANGUAGE is de", "KB_MODEL"),
        ({"KB_WORKERS": "250"}, "warning", "KB_WORKERS is 250", "at most"),
    ],
)
def test_settings_that_are_wrong_or_unsafe_are_named_and_the_rest_is_looked_at(
    house: House, settings: dict[str, str], level: str, said: str, remedy: str
) -> None:
    house.settings.update(settings)
    (found,) = [one for one in house.wrong() if one["name"] == "settings"]
    assert found["level"] == level
    assert re.search(said, found["said"]), found
    assert remedy in found["remedy"]
    assert "desk.db" in {one["name"] for one in house.doctor() if one["level"] == "ok"}


def test_no_secret_is_shown(house: House) -> None:
    house.settings.update(KB_HOOK_SECRET="wombat", KB_CONTENT_REMOTE="https://ann:numbat@127.0.0.1:9/kb.git")  # noqa: S106
    said = house.run().output + house.run("--json").output
    assert "cannot be asked" in said
    assert "wombat" not in said
    assert "numbat" not in said
