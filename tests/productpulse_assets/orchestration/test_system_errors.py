"""Operating-system errors have a sentence."""

import errno
import sqlite3
from pathlib import Path

import pytest

from productpulse_assets.orchestration.system_errors import MachineFault, fault_sentence, machine_faults
from resources.home import Home
from tests.errors import raises

HOME = Home(Path("/srv/pulse"))
SENTENCES = {
    "[Errno 28] No space left on device": "There is no room left on the disk that holds /srv/pulse.",
    'IO Error: Could not write file "/srv/x": No space left on device': "There is no room left",
    "(sqlite3.OperationalError) database or disk is full\n[SQL: INSERT …]": "There is no room left",
    "(sqlite3.OperationalError) disk I/O error": "There is no room left on the disk that holds /srv/pulse, or",
    "[Errno 30] Read-only file system: '/srv/pulse/reports'": "Something in /srv/pulse cannot be written",
    "(sqlite3.OperationalError) attempt to write a readonly database": "Something in /srv/pulse cannot be written",
    "Out of Memory Error: failed to allocate data of size 16.0 MiB": "There is not enough memory",
    "(sqlite3.DatabaseError) file is not a database": "Dagster's history of runs in /srv/pulse/dagster_home is damaged",
}


@pytest.mark.parametrize(("message", "sentence"), SENTENCES.items())
def test_each_refusal_has_its_sentence(message, sentence):
    assert fault_sentence(message, HOME).startswith(sentence)


def test_other_errors_have_none():
    assert fault_sentence("Binder Error: column mrr not found", HOME) is None


def test_the_cause_behind_an_error_counts():
    with raises("machine.fault", MachineFault), machine_faults(HOME):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RuntimeError("the step failed") from error
    with pytest.raises(sqlite3.OperationalError, match="no such table"), machine_faults(HOME):
        raise sqlite3.OperationalError("no such table: runs")
