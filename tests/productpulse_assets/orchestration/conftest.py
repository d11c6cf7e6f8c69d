"""The graph as Dagster loads it."""

import dagster as dg
import pytest

from productpulse_assets.definitions import build
from resources.settings import Settings


@pytest.fixture(scope="session")
def defs(tmp_path_factory) -> dg.Definitions:
    """The Definitions of an empty home, with the rules that come with the program."""
    return build(Settings(home=str(tmp_path_factory.mktemp("empty"))))
