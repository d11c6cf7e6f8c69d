"""The snapshot that the pages read is the one of the settings."""

from pathlib import Path

from dashboard.reading import published_path
from tests.conftest import clean_environment
from tests.errors import raises


def test_the_settings_name_the_snapshot():
    with clean_environment(SNAPSHOT="/srv/published/productpulse.duckdb"):
        assert published_path() == Path("/srv/published/productpulse.duckdb")


def test_without_a_snapshot_in_the_settings_the_command_is_named():
    with clean_environment(), raises("snapshot.not_set"):
        published_path()
