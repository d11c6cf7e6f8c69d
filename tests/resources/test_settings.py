"""Settings: options win over environment variables, and a wrong value is refused with a sentence."""

from __future__ import annotations

import ast
import datetime as dt
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from resources.home import CHECKOUT, Home, SettingsError
from resources.settings import LONGEST_WAIT, Settings, parse_wait, refuse_after_today
from rules.rule_set import SHIPPED
from tests.conftest import clean_environment
from tests.errors import raises
from tests.test_import_order import PACKAGES, modules

ENVIRONMENT = ("environ", "environb", "getenv", "putenv", "unsetenv")


def test_defaults():
    with clean_environment():
        settings = Settings()
    assert settings.home == Home(CHECKOUT / "data")
    assert (settings.data_dir, settings.as_of, settings.snapshot, settings.allowed_hosts) == (None, None, None, ())
    assert (settings.rules_dir, settings.wait, settings.schedule) == (SHIPPED, LONGEST_WAIT, "0 6 * * *")
    assert settings.memory_limit.endswith("MB")


def test_environment_variables_set_what_is_not_given(tmp_path):
    with clean_environment(HOME=tmp_path / "one", DATA_DIR=tmp_path, AS_OF="2026-06-30", WAIT="5", MEMORY_LIMIT="8 gb"):
        settings = Settings(home=tmp_path / "two", wait="7")
    assert (settings.home.root, settings.wait) == (tmp_path / "two", 7.0)
    assert (settings.data_dir, settings.as_of) == (tmp_path, dt.date(2026, 6, 30))
    assert settings.memory_limit == "8GB"


def test_an_empty_variable_is_not_set():
    with clean_environment(AS_OF="", WAIT="", ALLOWED_HOSTS="", SCHEDULE="", MEMORY_LIMIT=""):
        assert Settings() == Settings(as_of=None, wait=LONGEST_WAIT)


def test_a_child_process_gets_the_same_settings(tmp_path):
    with clean_environment(WAIT="5"):
        settings = Settings(home=tmp_path, rules_dir=tmp_path, as_of="2026-06-30", allowed_hosts="b.example, A.example")
        variables = {name: value for name, value in settings.environment().items() if name.startswith("PRODUCTPULSE_")}
    assert variables["PRODUCTPULSE_ALLOWED_HOSTS"] == "b.example,a.example"
    assert "PRODUCTPULSE_DATA_DIR" not in variables
    with clean_environment(**{name.removeprefix("PRODUCTPULSE_"): value for name, value in variables.items()}):
        assert Settings() == settings


def test_settings_cannot_be_changed(tmp_path):
    settings = Settings(home=tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        settings.wait = 1.0


def test_no_env_file_is_read(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("PRODUCTPULSE_WAIT=5\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with clean_environment():
        assert Settings().wait == LONGEST_WAIT


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_a_wait_that_is_not_a_number_of_seconds_is_refused(text):
    with raises("settings.wait_not_a_number", SettingsError):
        parse_wait(text)


def test_an_as_of_date_that_is_not_a_date_is_refused(tmp_path):
    with raises("settings.as_of_not_a_date", SettingsError):
        Settings(home=tmp_path, as_of="30.06.2026")


def test_an_as_of_date_after_today_is_refused():
    today = dt.date(2026, 6, 30)
    refuse_after_today(today, today)
    with raises("settings.as_of_after_today", SettingsError):
        refuse_after_today(dt.date(2026, 7, 1), today)


def test_a_folder_of_an_unknown_user_is_refused(tmp_path):
    with raises("settings.folder_not_found", SettingsError):
        Settings(home=tmp_path, data_dir="~nosuchuser/x")


def test_a_folder_whose_links_lead_in_a_circle_is_refused(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with raises("settings.folder_not_found", SettingsError):
        Settings(home=tmp_path, rules_dir=tmp_path / "a")


def test_a_folder_that_is_not_utf8_text_is_refused(tmp_path):
    with raises("settings.folder_name_not_text", SettingsError):
        Settings(home=tmp_path, data_dir=tmp_path / os.fsdecode(b"n\xe9"))


@pytest.mark.parametrize("name", ["home [1]", "is it?", "home%20x", "a*b"])
def test_a_home_that_dagster_takes_for_another_is_refused(tmp_path, name):
    with raises("settings.home_is_a_pattern", SettingsError):
        Settings(home=tmp_path / name)


def test_allowed_hosts_are_a_list_of_names(tmp_path):
    assert Settings(home=tmp_path, allowed_hosts=" ").allowed_hosts == ()
    hosts = Settings(home=tmp_path, allowed_hosts="Pulse.example.com, 10.0.0.5").allowed_hosts
    assert hosts == ("pulse.example.com", "10.0.0.5")


@pytest.mark.parametrize("name", ["*", "*.example.com", "https://pulse.example.com", "pulse.example.com:443", "a b"])
def test_an_allowed_host_that_is_not_a_name_is_refused(tmp_path, name):
    with raises("settings.not_a_host_name", SettingsError):
        Settings(home=tmp_path, allowed_hosts=f"localhost,{name}")


def uses_environment(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    attributes = (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    imported = (alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names)
    return any(name in {f"os.{each}" for each in ENVIRONMENT} for name in attributes) or bool(
        {*imported} & {*ENVIRONMENT}
    )


def test_only_settings_read_the_environment():
    found = [name for package in PACKAGES for name, path in modules(package).items() if uses_environment(path)]
    assert found == ["resources.settings"]
