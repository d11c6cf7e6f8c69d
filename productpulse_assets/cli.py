"""The command `productpulse`."""

from __future__ import annotations

import datetime as dt
import gc
import os
import sys
import tempfile
import warnings
from pathlib import Path

import click

DONE, STOPPED, MISUSED = 0, 1, 2
"""Exit statuses: done; the gate or a check stopped it; bad usage or configuration."""

folder = click.Path(file_okay=False, path_type=Path)
data_option = click.option("--data", type=folder, help="Folder with your exports; without it, the demo company.")
rules_option = click.option("--rules", type=folder, help="Folder with your rules; without it, those that come along.")
home_option = click.option("--home", type=folder, help="Folder for everything that is written.")
as_of_option = click.option("--as-of", metavar="DATE", help="Look at the data as of this day, YYYY-MM-DD.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="productpulse")
def main() -> None:
    """What is happening to your revenue and customers, why, and who should do what about it."""
    warnings.filterwarnings("ignore")
    # Imports and query building make objects by the million that stay: looking through them for
    # garbage again and again takes a tenth of a small run.
    gc.set_threshold(200_000, 20, 20)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")


def settle(**given: object) -> None:
    """Make the options of a command the settings of the program; end with 2 if one is wrong."""
    from resources.settings import SettingsError, parse_as_of, parse_memory_limit

    names = {"data": "PRODUCTPULSE_DATA_DIR", "rules": "PRODUCTPULSE_RULES_DIR", "home": "PRODUCTPULSE_HOME"}
    for option, name in names.items():
        if given.get(option):
            os.environ[name] = str(Path(given[option]).expanduser().resolve())
    if given.get("as_of"):
        os.environ["PRODUCTPULSE_AS_OF"] = str(given["as_of"])
    for name in ("PRODUCTPULSE_DATA_DIR", "PRODUCTPULSE_RULES_DIR"):
        if os.environ.get(name) and not Path(os.environ[name]).is_dir():
            _misused(f"{os.environ[name]} is not a folder. Give one that exists.")
    try:
        parse_as_of(os.environ.get("PRODUCTPULSE_AS_OF"))
        parse_memory_limit(os.environ.get("PRODUCTPULSE_MEMORY_LIMIT"))
    except SettingsError as error:
        _misused(str(error))


def writable_home():
    """The home folder, made if need be; ends the command with 2 if nothing can be written there."""
    from resources.settings import Home, default_home

    place = Home(default_home())
    try:
        place.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place.root):
            return place
    except OSError as error:
        return _misused(f"Nothing can be written to {place.root} ({error.strerror}). Give another folder with --home.")


def _misused(message: str) -> None:
    click.echo(message, err=True)
    raise SystemExit(MISUSED)


def _definitions():
    """The graph; a mistake in the rules ends the command with 2 and its sentence."""
    from rules.files import RulesError

    try:
        from productpulse_assets.definitions import defs
    except RulesError as error:
        _misused(str(error))
    return defs


@main.command()
@data_option
@as_of_option
@click.option("--select", metavar="SELECTION", help="Only these assets, in Dagster's words, e.g. 'kpi_summary+'.")
@rules_option
@home_option
def run(data: Path | None, as_of: str | None, select: str | None, rules: Path | None, home: Path | None) -> None:
    """Run the graph: read the exports, check them, compute, report and publish."""
    settle(data=data, as_of=as_of, rules=rules, home=home)
    defs = _definitions()
    from productpulse_assets import running, telling

    job, place = _job(defs, select), writable_home()
    before = telling.written_at(place.published)
    with running.lasting_instance(place) as instance, running.progress(len(job.nodes)) as follow:
        outcome = running.execute(job, instance, follow)
    for warning in outcome.warnings:
        click.echo(f"Warning: {warning}")
    if not outcome.succeeded:
        for problem in outcome.failed_checks + outcome.errors:
            click.echo(problem, err=True)
        click.echo(telling.snapshot_after_failure(place.published, before), err=True)
        raise SystemExit(STOPPED)
    click.echo(f"Done: {outcome.steps} steps in {outcome.seconds:.1f} s.")
    if not select:
        for line in telling.run_lines(place):
            click.echo(line)


def _job(defs, select: str | None):
    import dagster as dg

    from productpulse_assets.running import selected_job

    try:
        return selected_job(defs, select)
    except dg.DagsterError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        return _misused(f"The selection '{select}' does not fit the graph: {reason}")


@main.command()
@click.option("--customers", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--months", type=click.IntRange(1), default=24, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=42, show_default=True)
@click.option("--as-of", metavar="DATE", default="2026-06-30", show_default=True, help="The last day of the demo.")
@click.option("--out", type=folder, help="Folder for the files; without it, the demo's own.")
@click.option("--format", "file_format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@home_option
def generate(
    customers: int, months: int, seed: int, as_of: str, out: Path | None, file_format: str, home: Path | None
) -> None:
    """Write a simulated SaaS company's exports: the same arguments, the same bytes."""
    settle(home=home)
    from productpulse_assets.demo import generate as write
    from productpulse_assets.synthetic import CompanyPlan
    from resources.settings import SettingsError, parse_as_of

    try:
        last_day = parse_as_of(as_of)
    except SettingsError as error:
        _misused(str(error))
    target = out or writable_home().synthetic
    rows = write(CompanyPlan(customers, months, seed, last_day), target, file_format)
    for name, count in rows.items():
        click.echo(f"{name:<22} {count:>12,} rows")
    click.echo(f"Written to {target}.")


@main.command()
@data_option
@rules_option
def validate(data: Path | None, rules: Path | None) -> None:
    """Read the exports and check them; say what would be rejected and why, and change nothing."""
    settle(data=data, rules=rules)
    with tempfile.TemporaryDirectory(prefix="productpulse-") as scratch:
        os.environ["PRODUCTPULSE_HOME"] = scratch
        problems = _validate(Path(scratch))
    for problem in problems:
        click.echo(problem, err=True)
    raise SystemExit(STOPPED if problems else DONE)


def _validate(scratch: Path) -> list[str]:
    """Read every source into a store of its own, tell what is in it, and return what would stop a run."""
    defs = _definitions()
    import dagster as dg

    from productpulse_assets import running, telling
    from resources.settings import Home

    job = defs.resolve_job_def(running.VALIDATION)
    with dg.DagsterInstance.ephemeral() as instance:
        outcome = running.execute(job, instance, lambda event: None)
    if not outcome.succeeded:
        return outcome.failed_checks + outcome.errors
    problems = sorted(outcome.warnings)  # what would stop a run, only told here
    backend = telling.read_only(Home(scratch).warehouse)
    for row in telling.rows_of(backend.table("source_inventory").order_by("dataset")):
        for line in telling.validation_lines(backend, row):
            click.echo(line)
    if not problems:
        click.echo("Every dataset passes the gate.")
    return problems


@main.command()
@home_option
def status(home: Path | None) -> None:
    """How old the snapshot is, how the last run went, which checks fail, how many rows there are."""
    settle(home=home)
    from productpulse_assets import running, telling
    from resources.settings import Home, default_home

    place = Home(default_home())
    if not place.published.exists():
        click.echo(f"There is no snapshot in {place.root}. Make one with: productpulse run")
        raise SystemExit(STOPPED)
    backend = telling.read_only(place.published)
    as_of = telling.rows_of(backend.table("calendar"))[0]["as_of_date"]
    click.echo(f"Snapshot: as of {as_of}, {telling.age(place.published, dt.datetime.now())}, {place.published}")
    for line in running.last_run_lines(place):
        click.echo(line)
    for name, rows in telling.row_counts(backend).items():
        click.echo(f"  {name:<32} {rows:>12,} rows")


@main.command()
@click.argument("name")
@rules_option
@home_option
def metric(name: str, rules: Path | None, home: Path | None) -> None:
    """Say what a metric means, what it is now and how it went; NAME is its name, label or alias."""
    settle(rules=rules, home=home)
    from productpulse_assets import metric_card, telling
    from resources.settings import Home, default_home
    from rules.catalog import load_catalog
    from rules.files import RulesError, load
    from rules.models import Sources

    try:
        catalog, currency = load_catalog(), load("sources", Sources).reporting_currency
    except RulesError as error:
        _misused(str(error))
    found = metric_card.find(catalog, name)
    if found is None:
        _misused(f"There is no metric '{name}'. There are: {', '.join(catalog.metrics)}.")
    place = Home(default_home())
    if not place.published.exists():
        telling.fail(f"There is no snapshot in {place.root}. Make one with: productpulse run", STOPPED)
    for line in metric_card.card_lines(telling.read_only(place.published), found, currency):
        click.echo(line)


@main.command()
@click.argument("customer")
@home_option
def explain(customer: str, home: Path | None) -> None:
    """Say what is planned for a customer and why, down to the rows; CUSTOMER is its id or name."""
    settle(home=home)
    from dashboard.evidence import UnknownCustomer, find_customer, story
    from dashboard.snapshot import NoSnapshot, Snapshot, version_of
    from productpulse_assets import explaining, telling
    from resources.settings import Home, default_home
    from rules.files import RulesError, load
    from rules.models import Sources

    try:
        snapshot = Snapshot(version_of(Home(default_home()).published))
        terminal = explaining.Terminal(snapshot, load("sources", Sources).reporting_currency)
        found = story(snapshot, find_customer(snapshot, customer))
        lines = list(explaining.explanation_lines(terminal, found))  # all or nothing, should the file be damaged
    except NoSnapshot as problem:
        telling.fail(str(problem), STOPPED)
    except (UnknownCustomer, RulesError) as problem:
        _misused(str(problem))
    for line in lines:
        click.echo(line)


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@rules_option
@home_option
def dashboard(port: int, rules: Path | None, home: Path | None) -> None:
    """Open the dashboard on 127.0.0.1; it shows the published snapshot, and a new one by itself."""
    settle(rules=rules, home=home)
    from importlib.resources import files

    from resources.settings import Home, default_home

    os.environ["PRODUCTPULSE_SNAPSHOT"] = str(Home(default_home()).published)
    script = files("dashboard") / "app.py"
    click.echo(f"The dashboard is at http://127.0.0.1:{port}", err=True)
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)])


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@data_option
@as_of_option
@rules_option
@home_option
def dev(port: int, data: Path | None, as_of: str | None, rules: Path | None, home: Path | None) -> None:
    """Open Dagster's UI on 127.0.0.1, with a history that lasts."""
    settle(data=data, as_of=as_of, rules=rules, home=home)
    from productpulse_assets.running import prepare_dagster_home

    prepare_dagster_home(writable_home())
    command = [sys.executable, "-m", "dagster", "dev", "-m", "productpulse_assets.definitions"]
    os.execv(sys.executable, [*command, "--host", "127.0.0.1", "--port", str(port)])


if __name__ == "__main__":
    main()
