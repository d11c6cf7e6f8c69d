"""The memory limit: how it is written, and its default."""

import pytest

from resources import memory
from resources.home import SettingsError
from resources.memory import parse_memory_limit
from tests.errors import raises

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("given", "limit"), [("8GB", "8GB"), (" 512 mb ", "512MB"), ("1.5gib", "1.5GiB")])
def test_an_amount_of_memory_is_read_in_any_spelling(given, limit):
    assert parse_memory_limit(given) == limit


@pytest.mark.parametrize("given", ["lots", "8", "-1GB", "100MB", "50%", "8GB; DROP TABLE x", "99999999TB"])
def test_a_value_that_is_not_an_amount_of_memory_is_refused(given):
    with raises("settings.memory_limit_not_an_amount", SettingsError):
        parse_memory_limit(given)


def test_half_of_the_memory_of_the_container_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CONTAINER_MEMORY", tmp_path / "memory.max")
    (tmp_path / "memory.max").write_text("2000000000\n")
    assert parse_memory_limit(None) == "1000MB"
    (tmp_path / "memory.max").write_text("max\n")
    assert int(parse_memory_limit("").removesuffix("MB")) >= 256
