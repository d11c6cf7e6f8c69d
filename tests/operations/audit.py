"""The pinned packages against the known vulnerabilities: `python -m tests.operations.audit`.

pip-audit asks the package index about each. Where that cannot be reached, or knows a package not,
the sentence says so and the audit does not fail; a vulnerability that is known fails it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
NO_WAY_THERE = re.compile(r"Connection|Timeout|NameResolution|ProxyError|may be blocking")


def main() -> int:
    """Audit constraints.txt; the exit status is 1 for a finding and for an audit that broke."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(CONSTRAINTS)]
    done = subprocess.run(
        [*command, "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"],
        capture_output=True,
        text=True,
        check=False,
    )
    status, sentences = verdict(done.stdout, done.stderr)
    print("\n".join(sentences))
    return status


def verdict(said: str, complained: str) -> tuple[int, list[str]]:
    """The exit status and what to say, from what pip-audit wrote to stdout and stderr."""
    try:
        packages = json.loads(said)["dependencies"]
    except json.JSONDecodeError:
        if NO_WAY_THERE.search(complained):
            return 0, ["Not audited: the database of vulnerabilities cannot be reached from here."]
        return 1, [f"pip-audit broke:\n{complained}"]
    findings = [
        f"{package['name']} {package['version']}: {known['id']}, mended in {', '.join(known['fix_versions']) or 'none'}."
        for package in packages
        for known in package.get("vulns", ())
    ]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    asked = len(packages) - len(unknown)
    lines = [f"{asked} of {len(packages)} pinned packages were looked up, {len(findings)} vulnerabilities are known."]
    if not asked:
        lines = ["Not audited: the database of vulnerabilities answers here, but knows none of the packages."]
    elif unknown:
        lines.append(f"Not looked up: {', '.join(unknown)}.")
    return int(bool(findings)), lines + findings


if __name__ == "__main__":
    sys.exit(main())
