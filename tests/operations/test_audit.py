"""The audit's exit status and text for each kind of answer from pip-audit."""

import json

from tests.operations.audit import audit_result

SOUND = {"name": "duckdb", "version": "1.5.6", "vulns": []}
UNKNOWN = {"name": "ours", "skip_reason": "not found"}
KNOWN = {"name": "jinja2", "version": "2.0", "vulns": [{"id": "CVE-2019-1", "fix_versions": ["2.1", "3.0"]}]}


def answer(*packages: dict) -> str:
    return json.dumps({"dependencies": packages})


def test_a_known_vulnerability_fails_the_audit_and_is_named():
    status, lines = audit_result(answer(SOUND, KNOWN), "")
    assert status == 1
    assert lines[0] == "2 of 2 pinned packages were looked up, 1 vulnerabilities are known."
    assert lines[1] == "jinja2 2.0: CVE-2019-1, fixed in 2.1, 3.0."


def test_a_package_that_could_not_be_looked_up_is_named():
    assert audit_result(answer(SOUND, UNKNOWN), "") == (
        0,
        ["1 of 2 pinned packages were looked up, 0 vulnerabilities are known.", "Not looked up: ours."],
    )


def test_no_answer_is_reported_and_does_not_fail_the_audit():
    assert audit_result("", "requests.exceptions.ConnectionError: …") == (
        0,
        ["Not audited: the database of vulnerabilities cannot be reached from here."],
    )
    assert audit_result(answer(UNKNOWN), "")[1][0].startswith("Not audited: ")


def test_an_error_of_pip_audit_fails_the_audit():
    status, lines = audit_result("", "Traceback: KeyError: 'vulns'")
    assert status == 1 and "KeyError" in lines[0]
