"""Who may import whom: one straight line, without an exception list."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("rules", "resources", "asset_checks", "productpulse_assets", "dashboard")

ORDER: list[tuple[str, ...]] = [
    ("rules.text",),
    ("rules",),
    ("resources",),
    ("asset_checks",),
    ("productpulse_assets.charts",),
    ("productpulse_assets.tables", "productpulse_assets.joins", "productpulse_assets.synthetic"),
    ("productpulse_assets.sources",),
    ("productpulse_assets.facts",),
    ("productpulse_assets.metrics", "productpulse_assets.risk"),
    ("productpulse_assets.decisions",),
    ("productpulse_assets.reports",),
    ("productpulse_assets.published",),
    ("productpulse_assets.orchestration",),
    ("productpulse_assets.definitions",),
    ("productpulse_assets.cli", "productpulse_assets.workspace"),
    ("dashboard",),
]
"""Each layer may import itself and every layer above it in this list; layers in one tuple do not import each other."""

RANK = {layer: rank for rank, layers in enumerate(ORDER) for layer in layers}
NARROWER = {
    "productpulse_assets.charts": ("rules.text", "productpulse_assets.charts"),
    "dashboard": (
        "rules", "resources.published_snapshot", "resources.own_address", "resources.settings",
        "productpulse_assets.charts", "productpulse_assets.metrics.cohort_cells",
        "productpulse_assets.metrics.funnel_steps", "productpulse_assets.metrics.member_changes",
        "productpulse_assets.decisions.evidence", "dashboard",
    ),
}  # fmt: skip
"""Charts know numbers and words alone; pages read the snapshot, the rules, the charts and the evidence, and compute the
cohorts, the funnel and the drivers of some customers with the functions that compute those of all."""


def modules(package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    paths = sorted((ROOT / package).rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imports(source: str) -> Iterator[str]:
    """Every module that is imported, wherever the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name may be a module of its own: `from productpulse_assets import joins`.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if layer_of(name) != layer_of(node.module) else node.module for name in names)


def imported_names(source: str) -> Iterator[tuple[str, str]]:
    """(module, name) of every `from module import name`, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def layer_of(module: str) -> str | None:
    """The most specific layer that a module belongs to."""
    parts = module.split(".")
    while parts:
        if ".".join(parts) in RANK:
            return ".".join(parts)
        parts.pop()
    return None


def forbidden_imports(source: str, module: str) -> list[str]:
    """Imports of our own packages that this module's layer may not make."""
    own = layer_of(module)
    if own is None:
        return [f"{module} belongs to no layer"] if imports_ours(source) else []
    found = []
    for origin in imports(source):
        if origin.split(".")[0] == "tests":
            found.append(f"{module} imports {origin}")
        if origin.split(".")[0] not in PACKAGES:
            continue
        layer = layer_of(origin)
        is_earlier = layer is not None and (layer == own or RANK[layer] < RANK[own])
        is_within = own not in NARROWER or any(starts_with(origin, name) for name in NARROWER[own])
        if not (is_earlier and is_within):
            found.append(f"{module} imports {origin}")
    return found


def imports_ours(source: str) -> bool:
    return any(origin.split(".")[0] in PACKAGES for origin in imports(source))


def starts_with(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_earlier_layers(package):
    sources = {name: path.read_text("utf-8") for name, path in modules(package).items()}
    assert len(sources) > 3
    assert [line for name, source in sources.items() for line in forbidden_imports(source, name)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("rules.metrics.compile", "import resources.tables"),
        ("rules.text.formats", "from rules.loading.files import load"),
        ("resources.warehouse", "def late():\n    from productpulse_assets.metrics.kpis import summary"),
        ("asset_checks.governance", "import productpulse_assets.metrics.kpis as m"),
        ("productpulse_assets.metrics.kpis", "from productpulse_assets.risk.churn import churn_evidence"),
        ("productpulse_assets.metrics.kpis", "from productpulse_assets import decisions"),
        ("productpulse_assets.facts.calendar", "from tests.builders import dataset"),
        ("productpulse_assets.charts.mrr", "from rules.loading.files import load"),
        ("productpulse_assets.reports.markdown", "from dashboard.reading import current"),
        ("dashboard.views.risk_queue", "from resources.warehouse import Warehouse"),
        ("dashboard.reading", "from productpulse_assets.decisions.changes import open_decisions"),
        ("productpulse_assets", "from productpulse_assets import definitions"),
    ],
)
def test_a_forbidden_import_is_found(module, source):
    assert len(forbidden_imports(source, module)) == 1


def test_an_allowed_import_is_not_found():
    source = "import ibis\nfrom rules.loading.files import load\nfrom productpulse_assets import joins"
    assert forbidden_imports(source, "productpulse_assets.metrics.kpis") == []


def test_modules_are_imported_by_their_full_name():
    relative = [
        f"{name}, line {node.lineno}"
        for package in PACKAGES
        for name, path in modules(package).items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_pages_do_not_wait_for_dagster():
    names = [name for name in modules("dashboard") if not name.startswith(("dashboard.views", "dashboard.app"))]
    program = f"import sys, {', '.join(names)}; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
