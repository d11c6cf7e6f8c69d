"""How DuckDB is opened: nothing is downloaded or loaded, no file outside is read, and nothing of that can be changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from resources.duckdb_connection import FileAccess, in_memory, open_file, open_read_only, set_up, work_folder
from resources.home import SettingsError
from tests.errors import raises

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("productpulse_assets", "asset_checks", "rules", "resources", "dashboard")
OPENER = "resources/duckdb_connection.py"

OFF = (
    "autoinstall_known_extensions",
    "autoload_known_extensions",
    "allow_community_extensions",
    "allow_unsigned_extensions",
)


@pytest.fixture
def folders(tmp_path) -> Path:
    """`home` with a store of one table, and `outside` with a CSV, to which a link in `home` leads."""
    (tmp_path / "home").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_text("a\n1\n")
    (tmp_path / "home" / "own.csv").write_text("a\n2\n")
    (tmp_path / "home" / "link.csv").symlink_to(tmp_path / "outside" / "secret.csv")
    with duckdb.connect(str(tmp_path / "home" / "store.duckdb")) as store:
        store.execute("CREATE TABLE numbers AS SELECT 1 AS a")
    return tmp_path


def connections(folders: Path) -> Iterator[tuple[str, duckdb.DuckDBPyConnection]]:
    """Each kind of connection that the program has, by name."""
    home = folders / "home"
    yield "in memory", in_memory().con
    yield "read only", open_read_only(home / "store.duckdb").con
    yield "file", open_file(home / "other.duckdb").con
    yield "run", set_up(duckdb.connect(str(home / "run.duckdb")), "UTC", FileAccess(folders=(home,))).con
    yield "run with a query", set_up(duckdb.connect(), "UTC", FileAccess(query_folder=home)).con


def test_no_connection_loads_or_downloads_an_extension_and_none_lets_that_be_changed(folders):
    for name, connection in connections(folders):
        settings = ", ".join(f"current_setting('{setting}')" for setting in (*OFF, "lock_configuration"))
        found = connection.execute(f"SELECT {settings}").fetchone()
        assert found == (False,) * len(OFF) + (True,), name
        for setting in (*OFF, "enable_external_access", "custom_extension_repository"):
            value = "'http://127.0.0.1:9'" if setting.startswith("custom") else "true"
            with pytest.raises(duckdb.Error, match="configuration has been locked"):
                connection.execute(f"SET {setting} = {value}")
        with pytest.raises(duckdb.Error, match="extension"):
            connection.execute("SELECT * FROM read_xlsx('x.xlsx')")


def test_what_is_built_in_works(folders):
    (folders / "home" / "rows.json").write_text('[{"a": 3}]')
    for name, connection in connections(folders):
        if "run" in name:
            own = folders / "home"
            connection.execute(f"COPY (SELECT 3 AS a) TO '{own / 'rows.parquet'}' (FORMAT parquet)")
            assert connection.execute(f"FROM '{own / 'rows.parquet'}'").fetchall() == [(3,)]
            assert connection.execute(f"SELECT a FROM read_json('{own / 'rows.json'}')").fetchall() == [(3,)]
        zone = "SELECT (TIMESTAMPTZ '2026-01-31 23:30:00+00' AT TIME ZONE 'Asia/Tokyo')::DATE::VARCHAR"
        assert connection.execute(zone).fetchone() == ("2026-02-01",), name


@pytest.mark.parametrize("path", ["outside/secret.csv", "home/../outside/secret.csv", "home/link.csv"])
def test_a_file_outside_is_neither_read_nor_written(folders, path):
    for name, connection in connections(folders):
        if name == "run with a query":
            continue
        with pytest.raises(duckdb.PermissionException, match="disabled by configuration"):
            connection.execute(f"FROM read_csv('{folders / path}')")
        with pytest.raises(duckdb.PermissionException, match="disabled by configuration"):
            connection.execute(f"COPY (SELECT 1) TO '{folders / 'outside' / 'new.csv'}'")
        with pytest.raises(duckdb.PermissionException, match="disabled by configuration"):
            connection.execute(f"ATTACH '{folders / 'outside' / 'new.duckdb'}'")
    assert [file.name for file in (folders / "outside").iterdir()] == ["secret.csv"]


def test_a_file_that_is_named_may_lie_elsewhere_and_be_a_link(folders):
    access = FileAccess(folders=(folders / "home",), files=(folders / "home" / "link.csv",))
    connection = set_up(duckdb.connect(), "UTC", access).con
    assert connection.execute(f"FROM read_csv('{folders / 'home' / 'link.csv'}')").fetchall() == [(1,)]


def test_a_query_finds_relative_names_in_its_folder(folders):
    connection = set_up(duckdb.connect(), "UTC", FileAccess(query_folder=folders / "home")).con
    assert connection.execute("FROM read_csv('own.csv')").fetchall() == [(2,)]


def test_a_reader_sees_the_tables_and_writes_to_its_work_folder_alone(folders):
    backend = open_read_only(folders / "home" / "store.duckdb")
    assert backend.list_tables() == ["numbers"]
    assert backend.table("numbers").to_pyarrow().to_pylist() == [{"a": 1}]
    backend.con.execute(f"COPY numbers TO '{work_folder() / 'numbers.csv'}'")
    assert (work_folder() / "numbers.csv").read_text() == "a\n1\n"
    with pytest.raises(duckdb.Error, match="read-only"):
        backend.con.execute("CREATE TABLE more (a INTEGER)")
    assert work_folder().stat().st_mode & 0o077 == 0


def test_a_time_zone_that_duckdb_does_not_know_is_a_sentence():
    with raises("settings.unknown_time_zone", SettingsError):
        set_up(duckdb.connect(), "Mars/Base", FileAccess())


# --- no other place opens a connection -----------------------------------------------------------

OPENING = {"ibis.duckdb.connect", "ibis.duckdb.from_connection", "ibis.connect", "ibis.set_backend"}
"""And whatever DuckDB's module itself does, which it does in a connection of its own, open to everything."""


def openings(source: str) -> list[str]:
    """What in a module opens a connection to DuckDB, or uses one that is open by itself."""
    found = []
    for node in ast.walk(ast.parse(source)):
        name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        is_class = name.removeprefix("duckdb.")[:1].isupper()
        if name in OPENING or (name.startswith("duckdb.") and name.count(".") == 1 and not is_class):
            found.append(name)
        if isinstance(node, ast.ImportFrom) and node.module == "duckdb":
            found += [f"duckdb.{alias.name}" for alias in node.names if not alias.name[:1].isupper()]
    return found


def test_no_other_module_opens_a_connection():
    found = {
        str(path.relative_to(ROOT)): opened
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if (opened := openings(path.read_text(encoding="utf-8")))
    }
    assert set(found) == {OPENER}


@pytest.mark.parametrize(
    "source",
    [
        "import duckdb\nduckdb.connect('x')",
        "import duckdb\nduckdb.execute('SELECT 1')",
        "from duckdb import connect",
        "import ibis\nopened = ibis.duckdb.connect()",
        "import ibis\nibis.duckdb.from_connection(x)",
    ],
)
def test_a_place_that_opens_one_is_found(source):
    assert openings(source)


def test_names_of_errors_and_types_are_no_opening():
    assert not openings("import duckdb\ndef f(c: duckdb.DuckDBPyConnection) -> duckdb.Error: ...")
