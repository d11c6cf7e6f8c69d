"""The settings, the home and the selection of a command: each mistake is an error with a code."""

from __future__ import annotations

import pytest

from productpulse_assets.cli.compile import compile_command
from productpulse_assets.cli.options import read_settings, writable_home
from productpulse_assets.cli.run import select_job
from resources.settings import Settings
from tests.errors import raises
from tests.graph import definitions


@pytest.mark.parametrize("option", ["data", "rules"])
def test_a_folder_that_does_not_exist_is_refused(tmp_path, option):
    with raises("settings.not_a_folder") as caught:
        read_settings(home=tmp_path / "home", **{option: tmp_path / "nowhere"})
    assert caught.value.details["folder"] == tmp_path / "nowhere"
    assert not (tmp_path / "home").exists()


def test_a_home_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with raises("settings.home_not_writable"):
        writable_home(Settings(home=tmp_path / "file" / "home"))


def test_a_home_that_does_not_exist_is_created(tmp_path):
    assert writable_home(Settings(home=tmp_path / "team" / "home")).root.is_dir()


def test_a_folder_for_the_sql_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with raises("compile.not_writable"):
        compile_command.callback(out=tmp_path / "file" / "out", rules=None, home=tmp_path / "home")


def test_an_asset_that_does_not_exist_is_an_invalid_selection(tmp_path):
    with raises("selection.invalid"):
        select_job(definitions(tmp_path), "no_such_asset")
