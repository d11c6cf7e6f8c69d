"""The command `productpulse`: the module of each command has its name.

A command imports its modules when it runs, so that `--help` and the other commands start quickly.
"""

from __future__ import annotations

import gc
import warnings

import click

from productpulse_assets.cli import (
    backfill,
    dashboard,
    dev,
    explain,
    generate,
    init,
    metric,
    reset_demo,
    run,
    status,
    validate,
)
from productpulse_assets.cli import compile as compile_module
from productpulse_assets.cli.errors import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="productpulse")
def main() -> None:
    """What is happening to your revenue and customers, why, and who should do what about it."""
    warnings.filterwarnings("ignore")
    # Imports and query building create millions of objects that are never freed. With Python's default thresholds the
    # garbage collector would look through them again and again, which takes a tenth of a small run.
    gc.set_threshold(200_000, 20, 20)


for command in (
    run.run,
    backfill.backfill,
    init.init,
    reset_demo.reset_demo,
    generate.generate,
    validate.validate,
    compile_module.compile_command,
    status.status,
    metric.metric,
    explain.explain,
    dashboard.dashboard,
    dev.dev,
):
    main.add_command(command)
