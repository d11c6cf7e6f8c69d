"""Dagster's UI behind the guard of its own address: `python -m resources.dagster_ui`.

It takes those options of `dagster-webserver` that name the graph, and serves the same pages. `dagster-webserver`
and `dagster dev` have no setting that refuses other hosts and origins.

The imports from dagster._core and dagster._cli are those with which the command dagster-webserver builds its server
(1.13); there is no public way to put a middleware before it. If Dagster moves one of these names, this program does
not start: it never serves the pages without the guard.
"""

from __future__ import annotations

import sys

import click
import uvicorn
from dagster import DagsterInstance
from dagster._cli.workspace.cli_target import workspace_opts_to_load_target
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster_shared.cli import WorkspaceOpts, workspace_options
from dagster_webserver.webserver import DagsterWebserver

from resources.home import SettingsError
from resources.own_address import OwnAddressOnly
from resources.settings import Settings

POLL_MILLISECONDS = 2000
"""How often the pages ask for news of assets; the value of `dagster dev`."""
CLOSING_SECONDS = 5
"""How long open connections have to close after the server is asked to end."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@workspace_options
def main(host: str, port: int, **workspace: object) -> None:
    """Serve Dagster's UI to its own address only."""
    target = workspace_opts_to_load_target(WorkspaceOpts.extract_from_cli_options(workspace))
    try:
        hosts = Settings().allowed_hosts
    except SettingsError as error:
        sys.exit(str(error))
    with DagsterInstance.get() as instance, WorkspaceProcessContext(instance, target) as context:
        pages = DagsterWebserver(context, live_data_poll_rate=POLL_MILLISECONDS).create_asgi_app()
        uvicorn.run(
            OwnAddressOnly(pages, hosts),
            host=host,
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=CLOSING_SECONDS,
        )


if __name__ == "__main__":
    main()
