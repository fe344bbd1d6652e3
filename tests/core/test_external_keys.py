"""Where the keys of an external store come from, and what keeps them private."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clary.core.external_keys import ACCESS_KEY, SECRET_KEY, ExternalKeys, Keys
from clary.core.files import write_private
from clary.core.settings import Settings, SettingsError, load

URL = "https://s3.example.com"
ENVIRONMENT = {ACCESS_KEY: "from-environment", SECRET_KEY: "s"}


def settings(home: Path, **given: str) -> Settings:
    (home / "secrets").mkdir(exist_ok=True)
    return load(home, {}, objects_url=URL, **given)


def test_the_private_file_counts_first_and_then_the_environment(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert ExternalKeys(found, ENVIRONMENT).get().access == "from-environment"
    keys = {"AccessKeyId": "from-file", "SecretAccessKey": "hidden"}
    write_private(tmp_path / "secrets" / "objects.json", json.dumps(keys))
    assert ExternalKeys(found, ENVIRONMENT).get() == Keys("from-file", "hidden")
    assert "hidden" not in repr(ExternalKeys(found, ENVIRONMENT).get())


def test_a_profile_counts_only_if_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "credentials"
    file.write_text("[store]\naws_access_key_id = from-profile\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    # Those of somebody who uses Clary in this shell.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "clarys-own")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert ExternalKeys(settings(tmp_path, objects_profile="store"), {}).get().access == "from-profile"
    with pytest.raises(SettingsError, match="no keys"):
        ExternalKeys(settings(tmp_path), {})
    with pytest.raises(SettingsError, match="objects_profile"):
        ExternalKeys(settings(tmp_path, objects_profile="none"), {})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"AccessKeyId": "secret-words"'])
def test_a_file_that_is_damaged_is_not_repeated(tmp_path: Path, text: str) -> None:
    found = settings(tmp_path)
    write_private(tmp_path / "secrets" / "objects.json", text)
    with pytest.raises(SettingsError, match="AccessKeyId and SecretAccessKey") as caught:
        ExternalKeys(found, {})
    assert "secret-words" not in str(caught.value)


def test_others_must_not_read_it(tmp_path: Path) -> None:
    found = settings(tmp_path)
    write_private(tmp_path / "secrets" / "objects.json", '{"AccessKeyId": "a", "SecretAccessKey": "b"}')
    (tmp_path / "secrets" / "objects.json").chmod(0o640)
    with pytest.raises(SettingsError, match="chmod"):
        ExternalKeys(found, {})


@pytest.mark.parametrize(
    "url", ["s3.example.com", "ftp://x", "https://", "http://x:port", "http://x/bucket", "http://x?y", "http://a:b@x"]
)
def test_the_address_is_that_of_a_server_and_has_no_keys_in_it(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="objects_url") as caught:
        load(tmp_path, {}, objects_url=url)
    assert "a:b" not in str(caught.value)
