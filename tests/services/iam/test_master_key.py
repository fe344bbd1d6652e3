"""The master key in a file of the user's choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from clary.core.settings import SettingsError, load
from clary.services.iam.api import Identities
from clary.services.iam.vault import master_key_of
from clary.state.database import Database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere.key"
    path.write_bytes(bytes(range(32)))
    path.chmod(0o600)
    return path


def test_the_file_that_is_named_holds_the_key(tmp_path: Path, file: Path) -> None:
    home = tmp_path / "home"
    for settings in (load(home, {}, master_key=str(file)), load(home, {"CLARY_MASTER_KEY": str(file)})):
        assert master_key_of(settings) == bytes(range(32))
    home.mkdir()
    (home / "settings.toml").write_text(f'master_key = "{file}"\n')
    settings = load(home, {})
    settings.create_folders()
    database = Database(settings.database_url)
    database.prepare()
    Identities(database, settings).bootstrap()
    database.close()
    # None is made in the home folder beside it.
    assert [each.name for each in settings.secrets.iterdir()] == ["administrator.json"]


def test_without_it_the_key_is_in_the_home_folder(tmp_path: Path) -> None:
    settings = load(tmp_path, {})
    assert settings.master_key_file == tmp_path / "secrets" / "master.key"
    assert master_key_of(settings) == settings.master_key_file.read_bytes()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_one_that_others_can_read_is_refused(tmp_path: Path, file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(SettingsError, match=f"chmod 600 {file}"):
        master_key_of(load(tmp_path / "home", {}, master_key=str(file)))


def test_one_that_is_missing_is_not_made(tmp_path: Path, file: Path) -> None:
    settings = load(tmp_path / "home", {}, master_key=str(file))
    file.unlink()
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        master_key_of(settings)
    assert not file.exists()


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33, b"x" * 4096])
def test_what_is_no_key(tmp_path: Path, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="does not hold a master key of 32 bytes"):
        master_key_of(load(tmp_path / "home", {}, master_key=str(file)))


def test_it_lies_outside_of_the_home_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="outside of the home folder"):
        load(tmp_path, {}, master_key=str(tmp_path / "secrets" / "other.key"))
