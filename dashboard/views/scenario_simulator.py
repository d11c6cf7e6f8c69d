"""What a change of churn, activation, ARPU or failed payments would be worth, by your own assumption."""

import streamlit as st

from dashboard.escape import plain
from dashboard.reading import Reading, current
from dashboard.states import nothing
from dashboard.widgets import Change, chart, heading, summary, tile
from productpulse_assets.charts import scenarios
from resources.published_snapshot import Row
from rules.scenarios import Base, Result, result_sentence, simulate
from rules.text.formats import money, percent


def page(reading: Reading) -> None:
    """A slider for each assumption; what it brings beside the default, and the range."""
    heading("Scenario Simulator", "What a change would be worth in twelve months. Move a slider to assume another one.")
    rows = reading.rows(reading.table("scenario_analysis"))
    if not rows:
        nothing("No scenario is switched on.", "Switch one on in `scenarios.yaml`.")
        return
    base = starting_point(reading)
    results = {row["scenario_name"]: scenario(row, base, reading.currency) for row in rows}
    st.subheader("Side by side")
    told = [_compared(row, results[row["scenario_name"]]) for row in rows]
    chart(scenarios.impact(told, reading.currency), "Impact in twelve months, assumed and by default", "impact")
    st.caption(
        "The bars start from today's figures, each by itself: what two changes bring together is not their sum, "
        "since customers who stay can pay more too."
    )


def starting_point(reading: Reading) -> Base:
    """What scenarios start from: today's metrics, and the days that leakage was looked for in."""
    leakage = reading.table("leakage_summary")
    days = reading.rows(leakage.aggregate(first=leakage.window_start.min(), last=leakage.window_end.max()))[0]
    window = (days["last"] - days["first"]).days + 1 if days["first"] and days["last"] else 0
    return Base({name: row["value"] for name, row in summary(reading).items()}, window)


def scenario(row: Row, base: Base, currency: str) -> Result:
    """A scenario's slider, and what the assumption brings beside the default."""
    name = row["scenario_name"]
    with st.container(border=True):
        st.markdown(f"**{plain(row['label'])}**")
        left, right = st.columns([2, 3])
        with left:
            chosen = st.slider(
                f"{row['label']}: change in percent",
                0, 100, round(row["change"] * 100), format="%d %%", key=name, bind="query-params",
                label_visibility="collapsed", disabled=row["not_available_reason"] is not None,
            )  # fmt: skip
            st.caption(plain(row["assumption"].replace(percent(row["change"]), percent(chosen / 100))))
        result = simulate(name, chosen / 100, base)
        with right:
            if result.not_available_reason:
                nothing(plain(result.not_available_reason), "Data Quality shows which exports are absent.")
            else:
                _brings(row, result, currency)
        st.caption(plain(result_sentence(name, result, currency)))
    return result


def _brings(row: Row, result: Result, currency: str) -> None:
    month, year, usual = st.columns(3)
    with month:
        tile("In the first month", money(result.monthly_impact, currency))
    more = result.annualized_impact - row["annualized_impact"]
    with year:
        tile(
            "In twelve months",
            money(result.annualized_impact, currency),
            Change(more, "money", currency, "up", "vs. default") if more else None,
        )
    low, high = (money(row[f"{end}_annualized_impact"], currency) for end in ("low", "high"))
    with usual:
        tile(
            f"Default, {percent(row['change'], 0)}",
            money(row["annualized_impact"], currency),
            about=f"Usual range: {percent(row['low_change'], 0)} to {percent(row['high_change'], 0)}",
        )
        st.caption(f"{plain(low)} to {plain(high)}")


def _compared(row: Row, result: Result) -> dict[str, object]:
    return {
        "label": row["label"],
        "default": row["annualized_impact"],
        "chosen": result.annualized_impact,
        "low": row["low_annualized_impact"],
        "high": row["high_annualized_impact"],
    }


page(current())
