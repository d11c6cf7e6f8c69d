"""What whoever launches a run can set in it: how much the console prints, and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import dagster as dg
import pytest
from dagster._config import ConfigType, ConfigTypeKind  # Dagster has no public way to ask for a job's schema

from tests.graph import definitions

DEFINITIONS = definitions(Path(tempfile.mkdtemp()))
JOBS = {job.name: job for job in DEFINITIONS.get_repository_def().get_all_jobs()}
SETTABLE = [
    "loggers > console > config > log_level: String",
    "loggers > console > config > name: String",
]
ATTACKS = {
    "the connection": {
        "resources": {
            "warehouse": {
                "config": {
                    "duckdb": {
                        "connection_config": {
                            "allow_unsigned_extensions": True,
                            "custom_extension_repository": "http://127.0.0.1:9",
                        }
                    }
                }
            }
        }
    },
    "the glossary": {"resources": {"warehouse": {"config": {"glossary": "/etc/passwd"}}}},
    "the reports": {"resources": {"reports": {"config": {"folder": "/tmp/elsewhere"}}}},
    "the inputs": {"resources": {"inputs": {"config": {"any": "thing"}}}},
    "Dagster's files": {"resources": {"io_manager": {"config": {"base_dir": "/tmp/elsewhere"}}}},
    "the executor": {"execution": {"config": {"marker_to_close": "/tmp/elsewhere"}}},
    "a step": {"ops": {"facts": {"config": {"any": "thing"}}}},
}


def settable(kind: ConfigType, place: tuple[str, ...] = ()) -> list[str]:
    """Every value that a launch may set, with its place and type; a shape that takes nothing has none."""
    if ConfigTypeKind.is_shape(kind.kind):
        return [line for name, field in kind.fields.items() for line in settable(field.config_type, (*place, name))]
    return [f"{' > '.join(place)}: {kind.given_name or kind.kind.value}"]


def test_the_jobs_are_these():
    assert set(JOBS) == {"__ASSET_JOB", "daily_refresh", "validate_sources"}


@pytest.mark.parametrize("name", JOBS)
def test_only_the_console_can_be_set(name):
    found = settable(JOBS[name].run_config_schema.run_config_schema_type)
    print(f"\n{name}:", *found, sep="\n  ")
    assert sorted(found) == SETTABLE


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("name", ["__ASSET_JOB", "daily_refresh"])
def test_a_launch_that_sets_what_the_graph_runs_on_is_refused(name, attack):
    with pytest.raises(dg.DagsterInvalidConfigError, match="Received unexpected config entr"):
        dg.validate_run_config(JOBS[name], attack)


def test_a_run_does_not_begin_with_a_connection_of_the_launcher():
    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(dg.DagsterInvalidConfigError):
            JOBS["daily_refresh"].execute_in_process(instance=instance, run_config=ATTACKS["the connection"])
        assert instance.get_runs_count() == 0


def test_a_launch_without_a_configuration_is_accepted():
    for job in JOBS.values():
        assert dg.validate_run_config(job, {})
