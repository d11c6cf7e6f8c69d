"""The lineage of a metric: source columns, datasets, the metric, its uses, and decisions from the same datasets."""

from __future__ import annotations

from dataclasses import dataclass, field

import ibis.expr.types as ir
from ibis import _

from dashboard.reading import Reading
from productpulse_assets.charts.metrics import LineageNode
from productpulse_assets.charts.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION
from resources.published_snapshot import Row

COLUMN, DATASET, METRIC, USE, ACTION = range(5)
"""The layers of the graph, from left to right."""

COLOURS = {COLUMN: GREY, DATASET: SKY, METRIC: BLUE, USE: ORANGE, ACTION: VERMILION}


@dataclass
class Lineage:
    """Nodes by id, and links from one id to another."""

    nodes: dict[str, LineageNode] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)

    def add(self, layer: int, label: str, colour: str | None = None) -> str:
        """Add a node if it is not there yet, and return its id."""
        name = f"{layer}|{label}"
        self.nodes.setdefault(name, LineageNode(name, label, layer, colour or COLOURS[layer]))
        return name

    def link(self, start: str, end: str) -> None:
        """Add a link if it is not there yet."""
        if (start, end) not in self.links:
            self.links.append((start, end))


def build_lineage(reading: Reading, about: Row) -> Lineage:
    """The lineage of a metric; `about` is its row of metric_lineage."""
    graph = Lineage()
    metric = graph.add(METRIC, about["display_name"])
    datasets = {}
    for column in filter(None, (about["source_columns"] or "").split(", ")):
        dataset = column.split(".", 1)[0]
        datasets[dataset] = graph.add(DATASET, dataset)
        graph.link(graph.add(COLUMN, column), datasets[dataset])
        graph.link(datasets[dataset], metric)
    for kind, label in metric_uses(reading, about["metric_name"]):
        graph.link(metric, graph.add(USE, f"{kind}: {label}", GREEN if kind == "Health" else PURPLE))
    for row in related_decisions(reading, list(datasets)):
        finding = graph.add(USE, row["triggered_rule"])
        for dataset in row["source_dataset"].split(", "):
            if dataset in datasets:
                graph.link(datasets[dataset], finding)
        graph.link(finding, graph.add(ACTION, f"{row['category']}, {row['suggested_owner']}"))
    return graph


def metric_uses(reading: Reading, metric_name: str) -> list[tuple[str, str]]:
    """Where a metric is used, as (kind, label): health areas, scenarios, targets."""
    areas = reading.table("health_scores").filter(_.metric_name == metric_name).select(label="area")
    scenarios = reading.table("scenario_analysis").filter(_.metric_name == metric_name).select(label="label")
    targets = reading.table("kpi_summary").filter(_.metric_name == metric_name, _.target_value.notnull())
    tables = {"Health": areas, "Scenario": scenarios, "Target": targets.select(label="target_status")}
    return [(kind, str(row["label"])) for kind, table in tables.items() for row in reading.rows(table)]


def related_decisions(reading: Reading, datasets: list[str]) -> list[Row]:
    """The decisions that use one of the datasets.

    One row per rule or kind of leakage (triggered_rule, source_dataset), category and owner of the action, with the
    number of its interventions.
    """
    traces = reading.table("decision_traces")
    findings = traces.filter(_.parent_trace_id.isnull(), _.triggered_rule.notnull()).select(
        finding_id="trace_id", triggered_rule="triggered_rule", source_dataset=_source_datasets(traces)
    )
    advice = traces.filter(_.entity_type == "Recommendation").select(advice_id="trace_id", finding_id="parent_trace_id")
    interventions = traces.filter(_.entity_type == "Intervention").select(
        intervention_id="entity_id", advice_id="parent_trace_id"
    )
    plan = reading.table("intervention_plan").select("intervention_id", "category", "suggested_owner")
    paths = findings.join(advice, "finding_id").join(interventions, "advice_id").join(plan, "intervention_id")
    counted = paths.group_by("triggered_rule", "source_dataset", "category", "suggested_owner").aggregate(
        interventions=_.intervention_id.nunique()
    )
    rows = reading.rows(counted.order_by(_.interventions.desc(), "triggered_rule", "category", "suggested_owner"))
    return [row for row in rows if set(str(row["source_dataset"]).split(", ")) & set(datasets)]


def _source_datasets(traces: ir.Table) -> ir.StringColumn:
    """The datasets of a finding, from its evidence."""
    return traces.evidence.re_extract(r'"source_dataset":"([^"]*)"', 1)
