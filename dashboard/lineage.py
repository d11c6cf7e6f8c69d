"""Where a metric comes from and what rests on it: source column, dataset, metric, use, decision."""

from __future__ import annotations

from dataclasses import dataclass, field

from ibis import _

from dashboard.reading import Reading
from productpulse_assets.charts.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION
from resources.published_snapshot import Row

COLUMN, DATASET, METRIC, USE, ACTION = range(5)
"""The layers, from left to right."""

COLOURS = {COLUMN: GREY, DATASET: SKY, METRIC: BLUE, USE: ORANGE, ACTION: VERMILION}


@dataclass
class Lineage:
    """Nodes (id, label, layer, colour), and links from one id to another."""

    nodes: dict[str, tuple[str, str, int, str]] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)

    def add(self, layer: int, label: str, colour: str | None = None) -> str:
        """A node, once; its id."""
        name = f"{layer}|{label}"
        self.nodes.setdefault(name, (name, label, layer, colour or COLOURS[layer]))
        return name

    def join(self, start: str, end: str) -> None:
        """A link, once."""
        if (start, end) not in self.links:
            self.links.append((start, end))


def lineage_of(reading: Reading, about: Row) -> Lineage:
    """The lineage of a metric; `about` is its row of metric_lineage."""
    found = Lineage()
    metric = found.add(METRIC, about["display_name"])
    datasets = {}
    for column in filter(None, (about["source_columns"] or "").split(", ")):
        dataset = column.split(".", 1)[0]
        datasets[dataset] = found.add(DATASET, dataset)
        found.join(found.add(COLUMN, column), datasets[dataset])
        found.join(datasets[dataset], metric)
    for kind, label in uses(reading, about["metric_name"]):
        found.join(metric, found.add(USE, f"{kind}: {label}", GREEN if kind == "Health" else PURPLE))
    for row in decisions(reading, list(datasets)):
        finding = found.add(USE, row["triggered_rule"])
        for dataset in row["source_dataset"].split(", "):
            if dataset in datasets:
                found.join(datasets[dataset], finding)
        found.join(finding, found.add(ACTION, f"{row['category']}, {row['suggested_owner']}"))
    return found


def uses(reading: Reading, metric_name: str) -> list[tuple[str, str]]:
    """What is said with a metric: areas of health, scenarios, targets."""
    areas = reading.table("health_scores").filter(_.metric_name == metric_name).select(label="area")
    scenarios = reading.table("scenario_analysis").filter(_.metric_name == metric_name).select(label="label")
    targets = reading.table("kpi_summary").filter(_.metric_name == metric_name, _.target_value.notnull())
    named = {"Health": areas, "Scenario": scenarios, "Target": targets.select(label="target_status")}
    return [(kind, str(row["label"])) for kind, table in named.items() for row in reading.rows(table)]


def decisions(reading: Reading, datasets: list[str]) -> list[Row]:
    """What is decided from the same datasets: rule or kind of leakage, its datasets, category and owner of the action.

    One row for each of them, with how many interventions rest on it.
    """
    traces = reading.table("decision_traces")
    finding = traces.filter(_.parent_trace_id.isnull(), _.triggered_rule.notnull()).select(
        finding_id="trace_id", triggered_rule="triggered_rule", source_dataset=_source(traces)
    )
    advice = traces.filter(_.entity_type == "Recommendation").select(advice_id="trace_id", finding_id="parent_trace_id")
    planned = traces.filter(_.entity_type == "Intervention").select(
        intervention_id="entity_id", advice_id="parent_trace_id"
    )
    plan = reading.table("intervention_plan").select("intervention_id", "category", "suggested_owner")
    paths = finding.join(advice, "finding_id").join(planned, "advice_id").join(plan, "intervention_id")
    counted = paths.group_by("triggered_rule", "source_dataset", "category", "suggested_owner").aggregate(
        interventions=_.intervention_id.nunique()
    )
    rows = reading.rows(counted.order_by(_.interventions.desc(), "triggered_rule", "category", "suggested_owner"))
    return [row for row in rows if set(str(row["source_dataset"]).split(", ")) & set(datasets)]


def _source(traces):
    """The datasets that a finding rests on, out of its evidence."""
    return traces.evidence.re_extract(r'"source_dataset":"([^"]*)"', 1)
