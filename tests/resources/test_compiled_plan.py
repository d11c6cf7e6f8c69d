"""A kept plan is loaded as it was written, or not at all."""

import json

import pytest

from resources.compiled_plan import INDEX, CompiledTable, Plan, load_plan, write_plan
from resources.home import Home
from resources.outputs import remove_parts

MONTHS = CompiledTable(
    "months",
    "SELECT\n  'Café \r\n' AS name",
    {"name": "string", "mrr": "decimal(18, 2)"},
    {"name": (), "mrr": (("subscriptions", "monthly_price"), ("transactions", "amount"))},
)
SIGNALS = CompiledTable("signals", "SELECT 1 AS one", {"one": "int64"}, {"one": (("months", "mrr"),)})
PLAN = Plan(
    "f1",
    {"months": MONTHS, "signals": SIGNALS},
    {"revenue": (("subscriptions", "monthly_price"),)},
    {"signals": ("name",)},
)


@pytest.fixture
def folder(tmp_path):
    """A folder with the plan in it."""
    write_plan(PLAN, tmp_path / "home" / "compiled")
    return tmp_path / "home" / "compiled"


def test_a_plan_is_loaded_as_it_was_written(folder):
    loaded = load_plan(folder, "f1")
    assert loaded == PLAN
    assert list(loaded.tables) == ["months", "signals"] and list(loaded.tables["months"].columns) == ["name", "mrr"]


def test_each_table_is_a_file_of_sql_to_read(folder):
    assert {path.name for path in folder.iterdir()} == {"months.sql", "signals.sql", "plan.json"}
    assert (folder / "months.sql").read_bytes() == "SELECT\n  'Café \r\n' AS name\n".encode()


def test_a_plan_of_another_fingerprint_is_not_loaded(folder):
    assert load_plan(folder, "f2") is None


def test_where_nothing_is_kept_there_is_nothing_to_load(tmp_path):
    assert load_plan(tmp_path / "none", "f1") is None


@pytest.mark.parametrize("name", ["months.sql", INDEX])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-3],
        lambda data: data + b" ",
        lambda data: data.replace(b"m", b"n", 1),
        lambda data: bytes(len(data)),
        lambda data: b"\xff" + data[1:],
    ],
    ids=["emptied", "cut short", "longer", "one letter", "zero bytes", "no UTF-8"],
)
def test_a_damaged_file_is_not_loaded(folder, name, damage):
    before = (folder / name).read_bytes()
    (folder / name).write_bytes(damage(before))
    if name == INDEX and json_of(folder / name) == json.loads(before):
        assert load_plan(folder, "f1") == PLAN  # white space that JSON does not count
    else:
        assert load_plan(folder, "f1") is None


def json_of(path):
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        return None


@pytest.mark.parametrize("name", ["months.sql", INDEX])
def test_a_plan_with_a_file_gone_is_not_loaded(folder, name):
    (folder / name).unlink()
    assert load_plan(folder, "f1") is None


def change(content, *place, value):
    *path, last = place
    for key in path:
        content = content[key]
    content[last] = value


@pytest.mark.parametrize(
    "changed",
    [
        {"place": ["fingerprint"], "value": "f2"},
        {"place": ["tables"], "value": {}},
        {"place": ["tables"], "value": []},
        {"place": ["tables", "months", "columns", "mrr"], "value": "float64"},
        {"place": ["tables", "months", "lineage", "mrr"], "value": []},
        {"place": ["metric_sources", "revenue"], "value": [["transactions", "amount"]]},
        {"place": ["sha256"], "value": "0" * 64},
    ],
    ids=lambda changed: " > ".join(changed["place"]),
)
def test_an_index_that_says_something_else_is_not_loaded(folder, changed):
    """JSON that is sound, with a wrong type, a wrong source or a table less: it must not reach a run."""
    content = json.loads((folder / INDEX).read_text())
    change(content, *changed["place"], value=changed["value"])
    (folder / INDEX).write_text(json.dumps(content))
    assert load_plan(folder, "f1") is None
    assert load_plan(folder, "f2") is None


@pytest.mark.parametrize("content", ["[]", "null", '"f1"', '{"fingerprint": "f1"}', "{}"])
def test_an_index_of_another_form_is_not_loaded(folder, content):
    (folder / INDEX).write_text(content)
    assert load_plan(folder, "f1") is None


def test_a_new_plan_replaces_the_old_one_and_leaves_other_files(folder):
    (folder / "mine.sql").write_text("SELECT 'not of the plan'")
    new = Plan("f2", {"months": CompiledTable("months", "SELECT 2", {"two": "int64"}, {"two": ()})}, {}, {})
    write_plan(new, folder)
    assert load_plan(folder, "f2") == new
    assert load_plan(folder, "f1") is None
    assert {path.name for path in folder.iterdir()} == {"months.sql", "mine.sql", "plan.json"}


def test_a_plan_that_was_written_in_part_is_not_loaded(folder, monkeypatch):
    """A killed run leaves tables of the new plan beside the index of the old one."""

    def killed(*_arguments, **_settings):
        raise KeyboardInterrupt

    new = Plan(
        "f2", PLAN.tables | {"months": CompiledTable("months", "SELECT 2", {"two": "int64"}, {"two": ()})}, {}, {}
    )
    monkeypatch.setattr("resources.compiled_plan.json.dumps", killed)
    with pytest.raises(KeyboardInterrupt):
        write_plan(new, folder)
    monkeypatch.undo()
    assert load_plan(folder, "f1") is None
    assert load_plan(folder, "f2") is None


def test_what_a_killed_process_was_writing_is_removed_by_the_next_run(folder):
    (folder / ".months.sql.abc.part").write_text("SELECT")
    remove_parts(Home(folder.parent))
    assert {path.name for path in folder.iterdir()} == {"months.sql", "signals.sql", "plan.json"}
    assert load_plan(folder, "f1") == PLAN
