"""The house's order: who imports whom, what runs on Spark too, and what everything says of itself."""

import ast
import datetime as dt
import subprocess
from types import SimpleNamespace

import dagster as dg
import ibis
import ibis.config
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pytest
from ibis.common.exceptions import OperationNotDefinedError

from asset_checks.contracts import AMOUNTS, CONTRACTS
from productpulse_assets.orchestration.compile_graph import source_tables
from productpulse_assets.orchestration.graph import TABLES, all_declarations
from productpulse_assets.sources import assets as source_assets
from productpulse_assets.sources.readers.raw_rows import RawRows
from productpulse_assets.sources.staging import PLACE, Parent
from resources.tables import table_of
from rules.metrics.bridge import bridge_values
from rules.metrics.rows import metric_rows
from rules.metrics.slices import in_slice, sliced_models
from rules.metrics.time_range import range_of_months
from rules.metrics.values import metric_comparison
from rules.models import Sources
from tests.graph import RULES, definitions, plan, queries, unbound
from tests.test_import_order import PACKAGES, ROOT, imported_names, modules

# --- DuckDB and Spark ----------------------------------------------------------------------------

MADE_IN_PYTHON = {
    "source_inventory": "looks at files",
    "calendar": "asks for the newest event, then lists months",
    "previous_decisions": "reads the file that an earlier run kept",
    "recorded_risk": "reads the files that earlier runs kept",
    "recorded_metrics": "reads the files that earlier runs kept",
    "history_days": "asks which of these files cannot be read",
    "metric_lineage": "a row for each metric and its sources, which the compiled graph knows",
    "kpi_summary": "a few dozen rows whose sentences are written in Python",
    "health_scores": "eight rows whose sentences are written in Python",
    "survival_projection": "a model fitted to each curve of a few dozen ages",
    "revenue_forecast": "twelve months, from one row a month",
    "forecast_backtest": "a few rows, from one row a month",
    "scenario_analysis": "four rows, by the function that the sliders call too",
}
"""Tables whose rows are Python values, and why: there is no query to compile."""

ONE_DIALECT = {
    "try_strptime": "reading text is DuckDB's own: Spark reads dates with other format codes",
    "to_json": "a struct as JSON; both know it by this name",
}
"""Functions that are handed to the database by name, and why that is right."""


class SparkOptions(ibis.config.Config):
    """What Ibis's Spark compiler asks of ibis.options.pyspark.

    The backend sets it when it is imported, which needs pyspark; compiling does not.
    """

    treat_nan_as_null: bool = False


@pytest.fixture(autouse=True, scope="module")
def spark_options():
    """The options that compiling for Spark needs."""
    ibis.options.pyspark = SparkOptions()


@pytest.fixture(scope="module")
def graph(tmp_path_factory) -> dg.Definitions:
    """The Definitions, as Dagster loads them."""
    return definitions(tmp_path_factory.mktemp("home"))


def stored_tables(graph: dg.Definitions) -> set[str]:
    """Every asset that becomes a table of the warehouse."""
    return {
        key.path[-1]
        for definition in graph.assets
        for key in definition.keys
        if definition.get_io_manager_key_for_asset_key(key) == "warehouse"
    }


class Recorder:
    """Takes what a source stages along the way, in place of a database."""

    def __init__(self):
        self.staged: dict[str, ir.Table] = {}

    def fill(self, _backend, name: str, expression: ir.Table, **_options) -> None:
        self.staged[name] = expression

    def table(self, name: str) -> ir.Table:
        return ibis.table(self.staged[name].schema(), name=name)


STORED = source_tables(RULES)
SOILED = {"rows": 4, "malformed": 1, "valid": 3, "unknown": 1, "is_in_key_order": False, "keys": 2}
SOILED |= {"source_file": "a.csv"} | dict.fromkeys(AMOUNTS, True)
SOILED |= {
    f"{column}_{side}_{form}": form == "all_decimal" and side == decimal
    for column, decimal in {"customer_id": "child", "subscription_id": "parent"}.items()
    for side in ("child", "parent")
    for form in ("all_decimal", "some_decimal", "some_padded")
}
"""Counts of a source with every kind of reject and of ids, so that every expression is made."""


def source_expressions(name: str, sources: Sources) -> dict[str, ir.Table]:
    """What a dataset's rows and rejects are, from raw text to kept rows, and what is staged between."""
    schema, recorder = CONTRACTS[name], Recorder()
    place = {"source_file": "string", "row_number": "int64"}
    assert tuple(place) == PLACE
    raw = ibis.schema(place | dict.fromkeys(schema.columns, "string"))
    malformed = ibis.schema(place | dict.fromkeys(("check_name", "column_name", "value", "line"), "string"))
    rows = RawRows(tuple(schema.columns), table_of([], raw), table_of([], malformed))
    parents = [
        Parent(column, parent, STORED[parent][key], STORED[f"{parent}_rejects"].row_key)
        for column, parent in schema.metadata["parents"].items()
        for key in CONTRACTS[parent].metadata["key"]
    ]
    location = SimpleNamespace(source=sources.of(name), query=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_assets, "fill", recorder.fill)
        patch.setattr(source_assets, "rows_of", lambda _counts: [SOILED])
        kept, rejects, _rows = source_assets._split(recorder, schema, location, rows, sources, parents)
    return {name: kept, f"{name}_rejects": rejects, **recorder.staged}


@pytest.fixture(scope="module")
def every_expression() -> dict[str, ir.Table]:
    """Every table's expression over inputs without data, and what is staged on the way."""
    read = [source_expressions(name, RULES.sources) for name in CONTRACTS]
    return {name: table for found in (*read, queries()) for name, table in found.items()}


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_every_expression_compiles(every_expression, dialect):
    failed = {}
    for name, expression in every_expression.items():
        try:
            is_planned = dialect == "duckdb" and name in plan().tables  # compiled for DuckDB already
            assert "SELECT" in (plan().tables[name].sql if is_planned else ibis.to_sql(expression, dialect=dialect))
        except Exception as error:  # whatever the compiler raises, all tables are told of at once
            failed[name] = f"{type(error).__name__}: {error}"
    assert failed == {}


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_a_question_about_a_metric_compiles(dialect):
    catalog, where = RULES.metric_catalog, {"plan": "Pro"}
    quarter, calendar = range_of_months(dt.date(2026, 4, 1), dt.date(2026, 6, 1)), unbound("calendar")
    models = sliced_models(catalog, unbound, ["plan", "risk_band", "cohort_quarter"])
    for name in ("ltv_to_cac", "revenue_leakage"):
        chosen = in_slice(models, where)
        compared = metric_comparison(catalog, name, chosen, calendar, quarter, quarter.months, "risk_band")
        for question in (compared, metric_rows(catalog, name, chosen, quarter), bridge_values(models, quarter, where)):
            assert "SELECT" in ibis.to_sql(question, dialect=dialect)


def test_every_table_is_compiled_or_computed_in_python_for_a_reason(every_expression, graph):
    assert stored_tables(graph) == {
        name
        for name in set(every_expression) | set(MADE_IN_PYTHON)
        if not name.startswith(("staged_", "duplicates_", "unknown_"))
    }
    assert set(every_expression).isdisjoint(MADE_IN_PYTHON)
    assert {each.name for each in all_declarations() if each.schema} | {"source_inventory"} == set(MADE_IN_PYTHON)
    assert {"customer_months", "kpi_history", "customers", "customers_rejects"} <= set(every_expression)
    assert {"staged_customers", "duplicates_customers", "unknown_customers"} <= set(every_expression)


def test_an_operation_that_spark_does_not_have_is_found():
    events = ibis.table({"moment": "timestamp"}, name="events")
    bucketed = events.mutate(quarter=events.moment.bucket(minutes=15))
    assert "SELECT" in ibis.to_sql(bucketed, dialect="duckdb")
    with pytest.raises(OperationNotDefinedError):
        ibis.to_sql(bucketed, dialect="pyspark")


def named_functions(expression: ir.Table) -> set[str]:
    """Functions of the database that the expression names itself."""
    return {op.__func_name__ for op in expression.op().find(ops.ScalarUDF)}


def test_functions_that_a_dialect_may_not_know_are_few_and_known(every_expression):
    formats = Sources(date_formats=["%d.%m.%Y"])
    read = [t for name in CONTRACTS for t in source_expressions(name, formats).values()]
    used = set().union(*map(named_functions, [*every_expression.values(), *read]))
    assert used == set(ONE_DIALECT)


# --- what everything says of itself ---------------------------------------------------------------


def test_every_asset_says_what_it_is_who_answers_for_it_and_what_it_runs_on(graph):
    groups = {"sources", "facts", "metrics", "risk", "decisions", "reports", "published"}
    found = {key.to_user_string(): d.specs_by_key[key] for d in graph.assets for key in d.keys}
    assert len(found) > 20
    for name, spec in found.items():
        assert spec.description and spec.description.strip().endswith("."), name
        assert spec.group_name in groups, f"{name} is in group {spec.group_name}"
        assert spec.owners and all(owner.startswith("team:") for owner in spec.owners), name
        assert spec.kinds, name


def test_every_table_has_a_key_that_orders_its_rows(graph):
    stored = stored_tables(graph)
    for definition in graph.assets:
        for key, spec in definition.specs_by_key.items():
            if key.path[-1] in stored:
                assert spec.metadata.get("key"), key.to_user_string()


# --- tables are handed over as arguments ----------------------------------------------------------

GRAPH = "productpulse_assets.orchestration.graph"
"""The one module where the tables of other modules come together."""


def borrowed_tables(source: str, module: str, functions: dict[str, set[str]]) -> list[str]:
    """Functions of the graph that a module imports from another one; `functions` has their names by module."""
    if module == GRAPH:
        return []
    return [
        f"{module} imports {name} of {origin}"
        for origin, name in imported_names(source)
        if name in functions.get(origin, ()) and origin != module
    ]


def functions_of_the_graph() -> dict[str, set[str]]:
    """The names of the functions that are declared as tables and reports, by their module."""
    found: dict[str, set[str]] = {}
    for function in (each for group in TABLES.values() for each in group):
        found.setdefault(function.__module__, set()).add(function.__name__)
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_tables_are_handed_over_as_arguments(package):
    functions = functions_of_the_graph()
    sources = {name: path.read_text("utf-8") for name, path in modules(package).items()}
    assert [line for name, source in sources.items() for line in borrowed_tables(source, name, functions)] == []


def test_every_declared_function_is_in_the_graph():
    """A table that the graph forgot would be computed by no run, and missed by the test above."""
    found = {
        (name, node.name)
        for name, path in modules("productpulse_assets").items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in ("table", "report")
    }
    assert found == {(name, each) for name, functions in functions_of_the_graph().items() for each in functions}


def test_a_borrowed_table_is_found():
    functions = {"productpulse_assets.facts.customer_months": {"customer_months"}}
    assert functions.items() <= functions_of_the_graph().items()
    source = "from productpulse_assets.facts.customer_months import customer_months, spine"
    assert len(borrowed_tables(source, "productpulse_assets.metrics.kpis", functions)) == 1
    assert borrowed_tables(source, GRAPH, functions) == []
    late = f"def late():\n    {source.replace('customer_months, spine', 'spine')}"
    assert borrowed_tables(late, "productpulse_assets.metrics.kpis", functions) == []
    assert len(borrowed_tables(late.replace("spine", "customer_months as m"), "rules.models", functions)) == 1


# --- the rest -------------------------------------------------------------------------------------

TOP_LEVEL = {
    "pyproject.toml", "workspace.yaml", "README.md", "productpulse_assets", "rules", "asset_checks", "resources",
    "tests", "dashboard", "Makefile", "dagster.yaml", "constraints.txt", "Dockerfile", "compose.yaml", "LICENSE",
    "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs", "examples", ".ci", ".github", ".pre-commit-config.yaml",
    ".gitignore", ".dockerignore",
}  # fmt: skip


def test_nothing_else_is_at_the_top_level():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = {path.split("/")[0] for path in listed.stdout.split("\0") if path}
    assert {"pyproject.toml", "rules", "tests"} <= names
    assert names <= TOP_LEVEL


def undocumented(source: str, module: str) -> list[str]:
    """A module, and its public functions and classes, that say nothing of themselves.

    A decorator's description counts: Dagster shows it.
    """
    tree = ast.parse(source)
    found = [] if ast.get_docstring(tree) else [module]
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        told = [k.arg for d in node.decorator_list if isinstance(d, ast.Call) for k in d.keywords]
        if not ast.get_docstring(node) and "description" not in told:
            found.append(f"{module}.{node.name} (line {node.lineno})")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_everything_public_has_a_docstring(package):
    found = [line for name, path in modules(package).items() for line in undocumented(path.read_text("utf-8"), name)]
    assert found == []


def test_what_has_no_docstring_is_found():
    source = (
        '"""M."""\ndef a(): ...\ndef _b(): ...\nclass C:\n    pass\n@dg.asset_check(description="D.")\ndef e(): ...\n'
    )
    assert undocumented(source, "m") == ["m.a (line 2)", "m.C (line 4)"]
    assert undocumented("def _a(): ...", "m") == ["m"]
