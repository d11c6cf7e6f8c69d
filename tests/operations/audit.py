"""Known vulnerabilities of the pinned packages: `python -m tests.operations.audit`.

pip-audit looks up each package in the package index. If the index cannot be reached or does not know a package, the
audit says so and does not fail. A known vulnerability fails it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
UNREACHABLE = re.compile(r"Connection|Timeout|NameResolution|ProxyError|may be blocking")


def main() -> int:
    """Audit constraints.txt; the exit status is 1 for a vulnerability and for an error of pip-audit."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(CONSTRAINTS)]
    done = subprocess.run(
        [*command, "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"],
        capture_output=True,
        text=True,
        check=False,
    )
    status, sentences = audit_result(done.stdout, done.stderr)
    print("\n".join(sentences))
    return status


def audit_result(stdout: str, stderr: str) -> tuple[int, list[str]]:
    """The exit status and the lines to print, from what pip-audit wrote."""
    try:
        packages = json.loads(stdout)["dependencies"]
    except json.JSONDecodeError:
        if UNREACHABLE.search(stderr):
            return 0, ["Not audited: the database of vulnerabilities cannot be reached from here."]
        return 1, [f"pip-audit failed:\n{stderr}"]
    findings = [
        f"{package['name']} {package['version']}: {known['id']}, fixed in {', '.join(known['fix_versions']) or 'none'}."
        for package in packages
        for known in package.get("vulns", ())
    ]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    looked_up = len(packages) - len(unknown)
    lines = [
        f"{looked_up} of {len(packages)} pinned packages were looked up, {len(findings)} vulnerabilities are known."
    ]
    if not looked_up:
        lines = ["Not audited: the database of vulnerabilities can be reached, but knows none of the packages."]
    elif unknown:
        lines.append(f"Not looked up: {', '.join(unknown)}.")
    return int(bool(findings)), lines + findings


if __name__ == "__main__":
    sys.exit(main())
