"""What is made of pip-audit's answers."""

import json

from tests.operations.audit import verdict

SOUND = {"name": "duckdb", "version": "1.5.6", "vulns": []}
UNKNOWN = {"name": "ours", "skip_reason": "not found"}
KNOWN = {"name": "jinja2", "version": "2.0", "vulns": [{"id": "CVE-2019-1", "fix_versions": ["2.1", "3.0"]}]}


def answer(*packages: dict) -> str:
    return json.dumps({"dependencies": packages})


def test_a_known_vulnerability_fails_the_audit_and_is_named():
    status, lines = verdict(answer(SOUND, KNOWN), "")
    assert status == 1
    assert lines[0] == "2 of 2 pinned packages were looked up, 1 vulnerabilities are known."
    assert lines[1] == "jinja2 2.0: CVE-2019-1, mended in 2.1, 3.0."


def test_a_package_that_could_not_be_looked_up_is_named():
    assert verdict(answer(SOUND, UNKNOWN), "") == (
        0,
        ["1 of 2 pinned packages were looked up, 0 vulnerabilities are known.", "Not looked up: ours."],
    )


def test_no_answer_is_no_finding_but_is_said():
    assert verdict("", "requests.exceptions.ConnectionError: …") == (
        0,
        ["Not audited: the database of vulnerabilities cannot be reached from here."],
    )
    assert verdict(answer(UNKNOWN), "")[1][0].startswith("Not audited: ")


def test_an_audit_that_broke_is_not_taken_for_a_good_one():
    status, lines = verdict("", "Traceback: KeyError: 'vulns'")
    assert status == 1 and "KeyError" in lines[0]
