"""The reports in examples/demo are those of a run over the demo company."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parent.parent / "examples" / "demo"


def test_the_committed_reports_are_those_of_a_new_run(demo_home):
    written = {path.name: path.read_bytes() for path in (demo_home / "reports").glob("*.md")}
    committed = {path.name: path.read_bytes() for path in EXAMPLES.glob("*.md") if path.name != "README.md"}
    assert sorted(committed) == sorted(written)
    different = [name for name, content in written.items() if committed[name] != content]
    assert different == [], "examples/demo/README.md explains how to update them"
