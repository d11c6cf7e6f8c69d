"""The tools of the repository: deprecated calls, pinned versions, make targets and the continuous integration."""

from __future__ import annotations

import re
import tomllib
import warnings
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).parent.parent
MAKEFILE = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([\w-]+):(?!=)", MAKEFILE, re.MULTILINE))


def warned_in(module: str, category: type[Warning]) -> None:
    """Give a warning as if a line of the module had called something deprecated."""
    warnings.warn_explicit("use the new one", category, f"{module}.py", 1, module=module)


@pytest.mark.parametrize("category", [DeprecationWarning, PendingDeprecationWarning, FutureWarning])
@pytest.mark.parametrize("module", ["rules", "rules.units", "resources.home", "asset_checks.checks", "dashboard.app"])
def test_a_deprecated_call_of_ours_is_an_error(module, category):
    with pytest.raises(category):
        warned_in(module, category)


@pytest.mark.parametrize("module", ["pandas.core.frame", "rulesets", "ibis.expr"])
def test_a_deprecated_call_of_a_library_is_no_error(module):
    with pytest.warns(DeprecationWarning, match="use the new one"):
        warned_in(module, DeprecationWarning)


def test_every_direct_dependency_is_pinned():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    wanted = {plain(re.match(r"[\w.-]+", line)[0]) for line in ranges}
    lines = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert wanted <= {plain(line.split("==")[0]) for line in lines}
    assert lines == sorted(lines, key=str.lower)


def plain(name: str) -> str:
    """A package's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_target_is_phony():
    declared = re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)[1]
    assert set(declared.replace("\\", " ").split()) == TARGETS


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_every_make_command_of_a_document_is_a_target(document):
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`|\s`?)make ([a-z][a-z-]+)(?=`|\s+#|$)", text, re.MULTILINE))
    assert named
    assert named <= TARGETS


def test_continuous_integration_runs_what_contributors_run():
    needed = re.search(r"^ci: (.*)$", MAKEFILE, re.MULTILINE)[1].split()
    assert {"lint", "typecheck", "test", "audit", "docker-check"} <= set(needed)
    assert re.search(r"^test: coverage$", MAKEFILE, re.MULTILINE)  # which are the fast tests
    assert "\nmake ci\n" in (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")
    workflow = yaml.safe_load((CHECKOUT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert [step["run"] for step in workflow["jobs"]["ci"]["steps"] if "run" in step] == [".ci/run"]
