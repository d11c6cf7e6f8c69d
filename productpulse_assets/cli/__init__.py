"""The command `productpulse`: one module for each thing that people come to do.

What a command needs is imported when it runs, so that the others, and `--help`, do not wait for it.
"""

from __future__ import annotations

import gc
import warnings

import click

from productpulse_assets.cli import compile as compiling
from productpulse_assets.cli import run, sources
from productpulse_assets.cli import serve as serving
from productpulse_assets.cli import show as looking
from productpulse_assets.cli import start as starting
from productpulse_assets.cli.errors import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="productpulse")
def main() -> None:
    """What is happening to your revenue and customers, why, and who should do what about it."""
    warnings.filterwarnings("ignore")
    # Imports and query building make objects by the million that stay: looking through them for
    # garbage again and again takes a tenth of a small run.
    gc.set_threshold(200_000, 20, 20)


for command in (
    run.run,
    starting.init,
    starting.reset_demo,
    sources.generate,
    sources.validate,
    compiling.compile_command,
    looking.status,
    looking.metric,
    looking.explain,
    serving.dashboard,
    serving.dev,
):
    main.add_command(command)
