"""Runs of the command line are in Dagster's UI where those of the schedule are."""

import dagster as dg

from resources.run_origin import LOCATION, REPOSITORY, TAG, in_job


@dg.op
def nothing():
    """Does nothing."""


@dg.job
def daily():
    """One step."""
    nothing()


def test_a_run_has_the_place_of_its_job_and_later_runs_do_not():
    with dg.DagsterInstance.ephemeral() as instance:
        with in_job(instance, "daily") as tags:
            placed = daily.execute_in_process(instance=instance, tags=tags)
        other = daily.execute_in_process(instance=instance)
        origin = instance.get_run_by_id(placed.run_id).remote_job_origin
        assert (origin.job_name, origin.repository_origin.repository_name) == ("daily", REPOSITORY)
        assert origin.repository_origin.code_location_origin.location_name == LOCATION
        assert instance.get_run_by_id(placed.run_id).tags[TAG] == "__repository__@productpulse"
        assert instance.get_run_by_id(other.run_id).remote_job_origin is None
