"""The demo company as an asset: the data of a run that names no data of its own."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import dagster as dg

from productpulse_assets.sources.location import uses_demo
from productpulse_assets.sources.run_inputs import RunInputs
from resources.outputs import atomic_file
from resources.settings import Settings
from rules.rule_set import Rules

if TYPE_CHECKING:
    from productpulse_assets.synthetic import CompanyPlan
    from productpulse_assets.synthetic.write import FileFormat

MANIFEST = "manifest.json"


def demo_asset(rules: Rules, settings: Settings) -> dg.AssetsDefinition:
    """The asset that generates the demo company, for a run that has no data of its own."""

    @dg.asset(
        group_name="sources",
        owners=["team:data"],
        kinds={"python", "csv"},
        required_resource_keys={"inputs"},
        config_schema={},
    )
    def demo_company(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """The exports of a simulated SaaS company, when a run has no data of its own.

        Generated once; later runs read the same files. The same arguments give the same bytes. A company
        that `productpulse generate` wrote to the same folder is not replaced.
        """
        inputs: RunInputs = context.resources.inputs
        if not uses_demo(settings, rules):
            inputs.look()
            return dg.MaterializeResult(metadata={"status": "not used: the run has data of its own"})
        folder = settings.home.synthetic
        rows = ensure_demo(folder)
        inputs.look()
        return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(str(folder)), "rows": rows})

    return demo_company


def ensure_demo(folder: Path) -> dict[str, int]:
    """Rows by dataset of the demo company in `folder`, generated if it does not exist."""
    manifest = folder / MANIFEST
    if manifest.exists():
        return cast("dict[str, int]", json.loads(manifest.read_text(encoding="utf-8"))["rows"])
    from productpulse_assets.synthetic import CompanyPlan  # most runs need no simulator

    return generate(CompanyPlan(), folder, "csv")


def generate(plan: "CompanyPlan", folder: Path, file_format: "FileFormat") -> dict[str, int]:
    """Write a demo company and, last, the manifest that marks it as complete."""
    from productpulse_assets.synthetic import write_company

    manifest = folder / MANIFEST
    manifest.unlink(missing_ok=True)
    rows = write_company(plan, folder, file_format)
    content = {"plan": {**dataclasses.asdict(plan), "as_of": plan.as_of.isoformat()}, "rows": rows}
    with atomic_file(manifest) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return rows
