"""Where the dashboard finds the snapshot that it shows."""

from dashboard.reading import published_path
from tests.conftest import clean_environment
from tests.errors import raises


def test_the_snapshot_is_the_one_that_the_settings_name(tmp_path):
    with clean_environment(SNAPSHOT=tmp_path / "productpulse.duckdb"):
        assert published_path() == tmp_path / "productpulse.duckdb"
    with clean_environment(), raises("snapshot.not_set"):
        published_path()
