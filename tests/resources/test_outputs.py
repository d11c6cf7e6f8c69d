"""Files are complete or not there."""

import os
import stat

import dagster as dg
import pytest

from resources.outputs import ReportFiles, atomic_file


@pytest.fixture
def target(tmp_path):
    """A file in a folder that is not there yet."""
    return tmp_path / "reports" / "summary.md"


def test_a_file_is_there_when_the_block_ends_and_not_before(target):
    with atomic_file(target) as part:
        assert part.parent == target.parent and not part.exists()
        part.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["summary.md"]


def test_the_old_file_stays_when_the_block_raises(target):
    with atomic_file(target) as part:
        part.write_text("old")
    with pytest.raises(RuntimeError, match="half way"), atomic_file(target) as part:
        part.write_text("ne")
        raise RuntimeError("half way")
    assert target.read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == ["summary.md"]


def test_nothing_is_left_when_the_first_block_raises(target):
    with pytest.raises(KeyboardInterrupt), atomic_file(target) as part:
        part.write_text("ne")
        raise KeyboardInterrupt
    assert list(target.parent.iterdir()) == []


def test_a_block_that_writes_nothing_is_an_error_and_keeps_the_old_file(target):
    with atomic_file(target) as part:
        part.write_text("old")
    with pytest.raises(FileNotFoundError), atomic_file(target):
        pass
    assert target.read_text() == "old"


def test_readers_see_the_old_file_whole_until_the_new_one_is(target):
    """The new file is another one: who has the old one open reads it to its end."""
    with atomic_file(target) as part:
        part.write_text("old, to its end")
    with target.open() as reader:
        assert reader.read(3) == "old"
        with atomic_file(target) as part:
            part.write_text("new")
            assert target.read_text() == "old, to its end"
        assert reader.read() == ", to its end"
    assert target.read_text() == "new"


def test_the_new_file_is_on_disk_before_it_takes_the_name(target, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace

    def flushed(descriptor):
        steps.append("flush folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "flush file")
        fsync(descriptor)

    def replaced(source, destination):
        steps.append("replace")
        replace(source, destination)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", replaced)
    with atomic_file(target) as part:
        part.write_text("new")
    assert steps == ["flush file", "replace", "flush folder"]


def test_a_report_is_stored_under_its_assets_name_and_its_words_are_in_the_file_alone(tmp_path):
    @dg.asset(io_manager_key="reports")
    def summary() -> str:
        return "# Café\n"

    @dg.asset
    def reader(summary: str) -> None:
        assert summary == "# Café\n"

    result = dg.materialize([summary, reader], resources={"reports": ReportFiles(folder=str(tmp_path))})
    metadata = result.asset_materializations_for_node("summary")[0].metadata
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == "# Café\n"
    assert set(metadata) == {"path", "bytes"}
    assert metadata["bytes"].value == 8  # é is two bytes
    assert metadata["path"].value == str(tmp_path / "summary.md")


def test_a_report_that_is_no_markdown_names_its_file(tmp_path):
    @dg.asset(io_manager_key="reports", metadata={"file": "charts.html"})
    def charts() -> str:
        return "<p>Café</p>"

    @dg.asset
    def reader(charts: str) -> None:
        assert charts == "<p>Café</p>"

    result = dg.materialize([charts, reader], resources={"reports": ReportFiles(folder=str(tmp_path))})
    metadata = result.asset_materializations_for_node("charts")[0].metadata
    assert [path.name for path in tmp_path.iterdir()] == ["charts.html"]
    assert (metadata["path"].value, metadata["bytes"].value) == (str(tmp_path / "charts.html"), 12)
