"""kb doctor on settings that lie in files."""

from tests.doctor.house import House


def test_a_file_that_is_no_setting_and_a_folder_that_is_not_there_are_named(house: House) -> None:
    folder = house.folder / "secrets"
    folder.mkdir()
    (folder / "KB_HOOK_SECRET").write_text("a secret of more than sixteen characters")
    house.settings["KB_SECRETS"] = str(folder)
    assert any("KB_HOOK_SECRET" in one["said"] for one in house.doctor() if one["name"] == "settings")
    (folder / "KB_HOOK_SECRETS").write_text("never read")
    assert "Perhaps KB_HOOK_SECRET is meant" in house.only(
        "settings", "warning", "KB_HOOK_SECRETS is set, but there is no"
    )
    house.settings["KB_SECRETS"] = str(house.folder / "nowhere")
    house.only("settings", "error", "KB_SECRETS: .*nowhere cannot be read")
