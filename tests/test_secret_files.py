"""Settings from files, as a vault gives secrets to a service."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from kb_service.settings import Settings, wrong_settings


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("KB_SECRETS", str(folder))
    return folder


def hook_secret() -> str:
    found = Settings().hook_secret
    return found.get_secret_value() if found else ""


def test_a_setting_is_read_from_a_file_of_its_name(secrets: Path) -> None:
    (secrets / "KB_HOOK_SECRET").write_text("from the vault\n")
    # As Kubernetes mounts them: links to a folder beside
    (secrets / "..data").mkdir()
    (secrets / "..data" / "kb_oidc_roles").write_text('{"desk": "agent"}')
    (secrets / "kb_oidc_roles").symlink_to("..data/kb_oidc_roles")
    assert hook_secret() == "from the vault"
    assert Settings().oidc_roles == {"desk": "agent"}


def test_the_environment_goes_before_a_file_and_an_empty_one_says_nothing(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (secrets / "KB_HOOK_SECRET").write_text(" \n")
    assert hook_secret() == ""
    (secrets / "KB_HOOK_SECRET").write_text("from the vault")
    monkeypatch.setenv("KB_HOOK_SECRET", "from the environment")
    assert hook_secret() == "from the environment"


def test_what_cannot_be_read_is_said_by_its_name(secrets: Path) -> None:
    (secrets / "KB_HOOK_SECRET").write_bytes(b"\xff\xfe\xfd")
    assert refused() == f"KB_SECRETS: {secrets}/KB_HOOK_SECRET is no text"
    (secrets / "KB_HOOK_SECRET").unlink()
    (secrets / "KB_HOOK_SECRET").symlink_to("nowhere")
    assert refused() == f"KB_SECRETS: {secrets}/KB_HOOK_SECRET cannot be read: No such file or directory"
    (secrets / "KB_HOOK_SECRET").unlink()
    secrets.rmdir()
    assert refused() == f"KB_SECRETS: {secrets} cannot be read: No such file or directory"


def test_a_value_that_is_wrong_is_said_as_that_of_the_environment_would_be(secrets: Path) -> None:
    (secrets / "KB_PORT").write_text("http")
    assert refused().startswith("KB_PORT: Input should be a valid integer")


def refused() -> str:
    with pytest.raises(ValidationError) as error:
        Settings()
    ((_, said),) = wrong_settings(error.value)
    return said
