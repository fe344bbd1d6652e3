"""Settings: where they come from, which are refused, and the folders that they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from clary.core.settings import Settings, SettingsError, load


def test_an_argument_wins_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('port = 1001\nregion = "eu-west-1"\nstrict = true\n')
    assert load(tmp_path, {}).port == 1001
    assert load(tmp_path, {"CLARY_PORT": "1002"}).port == 1002
    assert load(tmp_path, {"CLARY_PORT": "1002"}, port=1003, region=None).port == 1003
    settings = load(tmp_path, {})
    assert (settings.region, settings.strict, settings.account) == ("eu-west-1", True, "123456789012")


def test_quotas_are_a_table_of_the_file_or_its_text_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('[quotas]\n"Number of instances across all training jobs" = 8\n')
    assert load(tmp_path, {}).quotas == {"Number of instances across all training jobs": 8}
    text = '{"ml.p3.2xlarge for spot training job usage" = 0}'
    assert load(tmp_path, {"CLARY_QUOTAS": text}).quotas == {"ml.p3.2xlarge for spot training job usage": 0}


def test_the_home_comes_from_the_argument_or_the_environment(tmp_path: Path) -> None:
    assert load(None, {"CLARY_HOME": str(tmp_path)}).home == tmp_path
    assert load(tmp_path / "a", {"CLARY_HOME": str(tmp_path)}).home == tmp_path / "a"
    assert load(tmp_path, {"CLARY_CACHE": "/c"}).cache == Path("/c")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"CLARY_PORT": "many"}, "whole number"),
        ({"CLARY_PORT": "70000"}, "0..65535"),
        ({"CLARY_STRICT": "perhaps"}, "true or false"),
        ({"CLARY_ACCOUNT": "12"}, "12 digits"),
        ({"CLARY_ACCOUNT": "١٢٣٤٥٦٧٨٩٠١٢"}, "12 digits"),
        ({"CLARY_ISOLATION": "magic"}, "isolation must be"),
        ({"CLARY_QUOTAS": "many"}, "must be a table"),
        ({"CLARY_QUOTAS": "3"}, "must be a table"),
        ({"CLARY_QUOTAS": '{"ml.m5.large" = 3}'}, "there is no quota 'ml.m5.large'"),
        ({"CLARY_QUOTAS": '{"ml.m5.large for training job usage" = -1}'}, "whole number, got -1"),
        ({"CLARY_QUOTAS": '{"ml.m5.large for training job usage" = "1"}'}, "whole number, got '1'"),
        ({"CLARY_KEEP_JOBS_DAYS": "-1"}, "must not be negative"),
        ({"CLARY_AUDIT_DAYS": "0"}, "1..3653"),
        ({"CLARY_AUDIT_MB": "3"}, "at least 4"),
        ({"CLARY_AUDIT_DATA": "perhaps"}, "true or false"),
        ({"CLARY_TEST_MODE": "1", "CLARY_HOST": "0.0.0.0"}, "loopback"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(tmp_path: Path, variables: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load(tmp_path, variables)


@pytest.mark.parametrize("text", ["port = ", "colour = 'red'", "\x00"])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(SettingsError):
        load(tmp_path, {})


def test_folders_are_for_this_user_alone(tmp_path: Path) -> None:
    settings = load(tmp_path / "home", {})
    settings.create_folders()
    for folder in (settings.home, settings.secrets, settings.jobs, settings.run, settings.log, settings.objects):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_addresses(tmp_path: Path) -> None:
    assert Settings(tmp_path, tmp_path).url == "http://127.0.0.1:7788"
    assert Settings(tmp_path, tmp_path, host="::1", port=1).url == "http://[::1]:1"
    assert Settings(tmp_path, tmp_path).database_url == f"sqlite:///{tmp_path}/state/clary.db"
    assert Settings(tmp_path, tmp_path, hosts=" A.lan ,b.lan").host_names == ("a.lan", "b.lan")


def test_users_content_has_a_domain_of_its_own(tmp_path: Path) -> None:
    def of(**values: str) -> str:
        return Settings(tmp_path, tmp_path, **values).content_host_name  # type: ignore[arg-type]

    assert of() == of(host="::1") == of(public_url="http://localhost:8080/clary") == "localhost"
    assert of(public_url="https://ml.example.com") == of(host="10.0.0.5") == ""
    assert of(public_url="https://ml.example.com", content_host=" Content.example.com ") == "content.example.com"
    assert Settings(tmp_path, tmp_path, content_host="Content.lan").host_names == ("content.lan",)
