"""What a change of churn, activation, ARPU or failed payments would be worth, by your own assumption."""

import streamlit as st

from dashboard.escape import markdown_text
from dashboard.reading import Reading, current
from dashboard.states import show_empty_state
from dashboard.widgets import Change, kpi_summary, show_chart, show_heading, show_tile
from productpulse_assets.charts import scenarios
from resources.published_snapshot import Row
from rules.scenarios import Base, Result, result_sentence, simulate
from rules.text.formats import money, percent, value_text


def page(reading: Reading) -> None:
    """A slider per scenario with its impact and range, and a chart that compares all scenarios."""
    show_heading(
        "Scenario Simulator", "What a change would be worth in twelve months. Move a slider to try another assumption."
    )
    rows = reading.rows(reading.table("scenario_analysis"))
    if not rows:
        show_empty_state("No scenario is enabled.", "Enable one in `scenarios.yaml`.")
        return
    base = starting_point(reading)
    results = {row["scenario_name"]: show_scenario(row, base, reading.currency) for row in rows}
    st.subheader("Comparison")
    impacts = [scenario_impact(row, results[row["scenario_name"]]) for row in rows]
    alt = "Impact of each scenario in twelve months, by default and by your assumption"
    show_chart(scenarios.impact(impacts, reading.currency), alt, "impact")
    st.caption(
        "Each scenario starts from today's figures. The impact of two changes together is not the sum of both: "
        "customers who stay can also pay more."
    )


def starting_point(reading: Reading) -> Base:
    """The starting point of all scenarios: today's metrics, and the number of days that leakage covers."""
    leakage = reading.table("leakage_summary")
    days = reading.rows(leakage.aggregate(first=leakage.window_start.min(), last=leakage.window_end.max()))[0]
    window = (days["last"] - days["first"]).days + 1 if days["first"] and days["last"] else 0
    return Base({name: row["value"] for name, row in kpi_summary(reading).items()}, window)


def show_scenario(row: Row, base: Base, currency: str) -> Result:
    """Show a scenario's slider and the impact of the chosen assumption; return that impact."""
    name = row["scenario_name"]
    with st.container(border=True):
        st.markdown(f"**{markdown_text(row['label'])}**")
        left, right = st.columns([2, 3])
        with left:
            chosen = st.slider(
                f"{row['label']}: change in percent",
                0, 100, round(row["change"] * 100), format="%d %%", key=name, bind="query-params",
                label_visibility="collapsed", disabled=row["not_available_reason"] is not None,
            )  # fmt: skip
            st.caption(markdown_text(row["assumption"].replace(percent(row["change"]), percent(chosen / 100))))
        result = simulate(name, chosen / 100, base)
        with right:
            if result.not_available_reason:
                show_empty_state(
                    markdown_text(result.not_available_reason), "Data Quality shows which exports are absent."
                )
            else:
                _show_impact(row, result, currency)
        st.caption(markdown_text(result_sentence(name, result, currency)))
    return result


def _show_impact(row: Row, result: Result, currency: str) -> None:
    """The impact of the chosen assumption, with its difference from the default, and the default with its range."""
    month, year, default = st.columns(3)
    with month:
        show_tile("In the first month", value_text(result.monthly_impact, "money", currency))
    annual = result.annualized_impact
    difference = annual - row["annualized_impact"] if annual is not None else None
    with year:
        show_tile(
            "In twelve months",
            value_text(annual, "money", currency),
            Change(difference, "money", currency, "up", "vs. default") if difference else None,
        )
    low, high = (money(row[f"{end}_annualized_impact"], currency) for end in ("low", "high"))
    with default:
        show_tile(
            f"Default, {percent(row['change'], 0)}",
            money(row["annualized_impact"], currency),
            help_text=f"Range: {percent(row['low_change'], 0)} to {percent(row['high_change'], 0)}",
        )
        st.caption(f"{markdown_text(low)} to {markdown_text(high)}")


def scenario_impact(row: Row, result: Result) -> scenarios.ScenarioImpact:
    """A scenario as the chart needs it."""
    return {
        "label": row["label"],
        "default": row["annualized_impact"],
        "chosen": result.annualized_impact,
        "low": row["low_annualized_impact"],
        "high": row["high_annualized_impact"],
    }


page(current())
