"""The command in this process, a small company's exports, and a home in which it has run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest import mock

import dagster as dg
import ibis
import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from productpulse_assets.cli import main
from productpulse_assets.definitions import build
from productpulse_assets.orchestration import compile_graph
from productpulse_assets.orchestration import execution as running
from productpulse_assets.synthetic import CompanyPlan, write_company
from resources import kept_statements
from resources.duckdb_connection import open_read_only
from resources.home import Home
from resources.kept_statements import load_statements, write_statements
from resources.settings import Settings
from tests import graph

DIGEST = 64
"""The letters of a fingerprint of a compiled graph; tests of this cache use shorter ones."""

Command = Callable[..., Result]
Once = Callable[[str, Callable[[Path], object]], Path]


@contextmanager
def clean_environment(**settings: object) -> Iterator[None]:
    """As in a new shell: of the variables of the program and of Dagster, only `settings` are set."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("PRODUCTPULSE_", "DAGSTER_"))}
    given = {f"PRODUCTPULSE_{name}": str(value) for name, value in settings.items()}
    with mock.patch.dict(os.environ, others | given, clear=True):
        yield


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of one test session share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def compiled_once(session_folder: Path) -> Iterator[None]:
    """Homes of one session share the compiled graph of the same rules: compiling it takes longer than most runs.

    What one process has written in SQL, a query of a source, a check or a report, it does not write again.
    """
    known: dict[str, str] = {}

    def load(path: Path, key: str) -> dict[str, str]:
        return (known if len(key) == DIGEST else {}) | load_statements(path, key)

    def write(path: Path, key: str, statements: Mapping[str, str]) -> None:
        known.update(statements if len(key) == DIGEST else {})
        write_statements(path, key, statements)

    with (
        mock.patch.object(kept_statements, "_kept", kept_statements.Kept(known)),
        mock.patch.object(kept_statements, "load_statements", load),
        mock.patch.object(kept_statements, "write_statements", write),
        mock.patch.object(graph, "SHARED", [session_folder]),
        mock.patch.object(compile_graph, "compile_graph", graph.compiled),
    ):
        yield


@pytest.fixture(scope="session")
def once(session_folder: Path) -> Once:
    """`once(name, fill)`: a folder that `fill` filled once in the session, to look at; a copy may be changed."""

    def filled(name: str, fill: Callable[[Path], object]) -> Path:
        folder, note = session_folder / name, session_folder / f"{name}.filled"
        with FileLock(f"{folder}.lock"):
            if not note.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a process that failed
                folder.mkdir()
                fill(folder)
                note.touch()
        return folder

    return filled


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
def company_exports(once: Once) -> Path:
    """The CSV exports of a company without a fault, to look at; copy them to change them."""
    plan = CompanyPlan(customers=200, months=14, seed=7)
    return once("exports", lambda folder: write_company(plan, folder, "csv"))


@pytest.fixture
def exports(company_exports: Path, tmp_path: Path) -> Path:
    """A copy of the company's exports, for a test to spoil."""
    return Path(shutil.copytree(company_exports, tmp_path / "exports"))


@dataclass(frozen=True)
class Ended:
    """A run that went well, and all that it printed."""

    stdout: str
    stderr: str
    output: str


@pytest.fixture(scope="session")
def good_home(productpulse: Command, company_exports: Path, once: Once) -> Path:
    """The home after a run over the exports that went well, to look at."""

    def run(home: Path) -> None:
        result = productpulse("run", "--data", company_exports, "--home", home)
        assert result.exit_code == 0, result.output
        ended = Ended(result.stdout, result.stderr, result.output)
        home.with_suffix(".json").write_text(json.dumps(asdict(ended)), encoding="utf-8")

    return once("good_home", run)


@pytest.fixture(scope="session")
def good_run(good_home: Path) -> Ended:
    """What the run in `good_home` printed."""
    return Ended(**json.loads(good_home.with_suffix(".json").read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def home_after(productpulse: Command, once: Once) -> Callable[..., Path]:
    """`home_after(name, option, ...)`: the home of this name after a run that went well, to look at."""

    def of_run(name: str, *options: object) -> Path:
        def run(home: Path) -> None:
            result = productpulse("run", "--home", home, *options)
            assert result.exit_code == 0, result.output

        return once(name, run)

    return of_run


@pytest.fixture(scope="session")
def demo_home(home_after: Callable[..., Path]) -> Path:
    """The home in which the demo company ran, as a new user has it; to look at."""
    return home_after("demo")


@pytest.fixture
def home(good_home: Path, tmp_path: Path) -> Path:
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
