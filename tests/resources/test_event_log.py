"""Dagster's history through files that are opened once: what is stored is what Dagster itself reads."""

import dagster as dg

from resources.event_log import open_instance


@dg.asset(check_specs=[dg.AssetCheckSpec("is_small", asset="sizes")])
def sizes():
    """A number with its check."""
    yield dg.Output(3, metadata={"size": 3})
    yield dg.AssetCheckResult(passed=True)


def test_a_run_is_in_the_history_that_dagster_reads_by_itself(tmp_path):
    with open_instance(tmp_path) as instance:
        first = dg.materialize([sizes], instance=instance)
        second = dg.materialize([sizes], instance=instance)
        told = instance.all_logs(second.run_id)
    with dg.DagsterInstance.from_config(str(tmp_path)) as plain:
        assert {run.run_id for run in plain.get_runs()} == {first.run_id, second.run_id}
        assert len(plain.all_logs(first.run_id)) == len(plain.all_logs(second.run_id)) == len(told)
        (newest,) = plain.fetch_materializations(dg.AssetKey("sizes"), limit=1).records
        assert newest.run_id == second.run_id
        assert newest.asset_materialization.metadata["size"].value == 3
        (check,) = plain.all_logs(second.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        assert check.dagster_event.event_specific_data.passed


def test_each_file_is_opened_once(tmp_path):
    with open_instance(tmp_path) as instance:
        run = dg.materialize([sizes], instance=instance)
        log = instance.event_log_storage
        opened = dict(log._open)
        assert run.run_id in opened
        instance.all_logs(run.run_id)
        assert log._open == opened
    assert log._open == {}
