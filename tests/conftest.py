"""The command in this process, a small company's exports, and a home in which it has run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import dagster as dg
import ibis
import pytest
from click.testing import CliRunner, Result

from productpulse_assets.cli import main
from productpulse_assets.definitions import build
from productpulse_assets.orchestration import compile_graph
from productpulse_assets.orchestration import execution as running
from productpulse_assets.synthetic import CompanyPlan, write_company
from resources.duckdb_connection import open_read_only
from resources.home import Home
from resources.settings import Settings
from tests import graph

Command = Callable[..., Result]


@contextmanager
def clean_environment(**settings: object) -> Iterator[None]:
    """As in a new shell: of the variables of the program and of Dagster, only `settings` are set."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("PRODUCTPULSE_", "DAGSTER_"))}
    given = {f"PRODUCTPULSE_{name}": str(value) for name, value in settings.items()}
    with mock.patch.dict(os.environ, others | given, clear=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Homes of one process share the compiled graph of the same rules: compiling it takes longer than most runs."""
    with mock.patch.object(compile_graph, "compile_graph", graph.compiled):
        yield


@pytest.fixture(scope="session")
def productpulse() -> Command:
    """`productpulse <arguments>`, with variables such as WAIT=0 set; the result has exit_code, stdout and stderr."""

    def run(*arguments: object, **settings: object) -> Result:
        with clean_environment(**settings):
            result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture(scope="session")
def company_exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CSV exports of a company without a fault, to look at; copy them to change them."""
    folder = tmp_path_factory.mktemp("exports")
    write_company(CompanyPlan(customers=200, months=14, seed=7), folder, "csv")
    return folder


@pytest.fixture
def exports(company_exports: Path, tmp_path: Path) -> Path:
    """A copy of the company's exports, for a test to spoil."""
    return Path(shutil.copytree(company_exports, tmp_path / "exports"))


@pytest.fixture(scope="session")
def good_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of `good_run`, to look at."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def good_run(productpulse: Command, company_exports: Path, good_home: Path) -> Result:
    """A run over the exports that went well."""
    result = productpulse("run", "--data", company_exports, "--home", good_home)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="session")
def demo_home(productpulse: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home in which the demo company ran, as a new user has it; to look at."""
    home = tmp_path_factory.mktemp("demo")
    result = productpulse("run", "--home", home)
    assert result.exit_code == 0, result.output
    return home


@pytest.fixture
def home(good_run: Result, good_home: Path, tmp_path: Path) -> Path:
    """A copy of the home after yesterday's good run."""
    return Path(shutil.copytree(good_home, tmp_path / "home"))


@pytest.fixture(scope="session")
def figures() -> Callable[..., ibis.BaseBackend]:
    """Computes kpi_summary and all it needs, without the gates, reports and exports; opens the store."""

    def compute(data: Path, home: Path, as_of: str = "") -> ibis.BaseBackend:
        with clean_environment(), dg.DagsterInstance.ephemeral() as instance:
            job = figures_job(build(Settings(home=str(home), data_dir=str(data), as_of=as_of or None)))
            outcome = running.execute(job, instance, Home(home), lambda event: None)
        assert outcome.succeeded, outcome.errors + outcome.failed_checks
        return open_read_only(Home(home).warehouse)

    return compute


def figures_job(defs: dg.Definitions) -> dg.JobDefinition:
    sources = dg.AssetSelection.groups("sources")
    keys = sources.resolve(defs.resolve_asset_graph())
    part_of_step = [key for step in defs.assets if set(step.keys) <= keys for key in step.check_keys]
    needed = sources | dg.AssetSelection.assets("kpi_summary").upstream()
    selection = needed.without_checks() | dg.AssetSelection.checks(*part_of_step)
    job = dg.define_asset_job("figures", selection=selection)
    return dg.Definitions.merge(defs, dg.Definitions(jobs=[job])).resolve_job_def("figures")
