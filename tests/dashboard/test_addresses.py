"""An address that asks for what the snapshot does not have is reported; nothing else is shown in its place."""

import pytest

pytestmark = pytest.mark.slow

ASKED = {"customer_360": "customer", "decision_traces": "trace", "kpi_review": "metric", "metric_lineage": "lineage"}
"""By page: what its address names."""


def reported(app) -> list[str]:
    return [box.value.replace("\\", "") for box in app.main.info]


def customer_ids(database) -> list[str]:
    return [customer for (customer,) in database.execute("SELECT customer_id FROM customer_360 ORDER BY 1").fetchall()]


def of_customer(app) -> list[str]:
    """The customers whose page is shown."""
    return [each.value.replace("\\", "") for each in app.subheader if each.value.endswith("\\)")]


@pytest.mark.parametrize(("name", "key"), ASKED.items())
def test_what_is_not_in_the_snapshot_is_reported_and_the_address_stays(homes, opened, name, key):
    app = opened(homes["demo"], name, **{key: "no*such"})
    assert f"There is no {key.replace('lineage', 'metric')} no*such in this snapshot. Choose one above." in reported(
        app
    )
    assert app.query_params[key] in ("no*such", ["no*such"])
    assert app.selectbox(key=f"{key}_choice").value is None
    assert not of_customer(app) and not app.exception


def test_a_customer_is_shown_once_somebody_chooses(homes, opened, demo_sql):
    first = customer_ids(demo_sql)[0]
    app = opened(homes["demo"], "customer_360", customer="C-nobody", find=first)
    app = app.selectbox(key="customer_choice").set_value(first).run()
    assert first in of_customer(app)[0]
    assert app.query_params["customer"] in (first, [first])
    assert not any("There is no customer" in text for text in reported(app))


def test_a_link_to_nobody_does_not_leave_the_customer_before_on_the_page(homes, opened, demo_sql):
    first = customer_ids(demo_sql)[0]
    app = opened(homes["demo"], "customer_360", customer=first)
    assert first in of_customer(app)[0]
    app.query_params["customer"] = "C-nobody"
    for _again in range(2):
        app = app.run()
        assert not of_customer(app)
        assert any("There is no customer C-nobody" in text for text in reported(app))
    app.query_params["customer"] = first
    assert first in of_customer(app.run())[0]


def test_a_link_leads_to_its_customer_whatever_is_searched_for(homes, opened, demo_sql):
    first, *_others, last = customer_ids(demo_sql)
    app = opened(homes["demo"], "customer_360", customer=last, find=first)
    assert last in of_customer(app)[0]
    app = app.text_input(key="find").set_value(first).run()
    assert first in of_customer(app.run())[0]


def test_a_filter_by_what_is_not_there_is_reported(homes, opened):
    app = opened(homes["demo"], "risk_queue", plan=["No such plan"], risk_band=["High", "Deep"])
    assert "There is no plan No such plan in this snapshot. It is left out." in reported(app)
    assert "There is no risk Deep in this snapshot. It is left out." in reported(app)
    assert set(app.dataframe[0].value["risk_band"]) == {"High"}
    assert not reported(opened(homes["demo"], "risk_queue", risk_band=["High"]))


def test_a_segment_that_is_not_there_is_reported(homes, opened):
    app = opened(homes["demo"], "cohort_retention", cohort_segment="Nowhere")
    assert any("There is no segment Nowhere in this snapshot." in text for text in reported(app))
