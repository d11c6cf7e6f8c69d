"""An address with a customer, trace, metric or value that the snapshot does not have is reported."""

import pytest

pytestmark = pytest.mark.slow

PARAMETERS = {
    "customer_360": "customer",
    "decision_traces": "trace",
    "kpi_review": "metric",
    "metric_lineage": "lineage",
}
"""By page, the parameter of its address that selects something."""


def reported(app) -> list[str]:
    return [box.value.replace("\\", "") for box in app.main.info]


def customer_ids(database) -> list[str]:
    return [customer for (customer,) in database.execute("SELECT customer_id FROM customer_360 ORDER BY 1").fetchall()]


def customer_rows(app) -> list[str]:
    """The names of the shown customers."""
    return [each.value.replace("\\", "") for each in app.subheader if each.value.endswith("\\)")]


@pytest.mark.parametrize(("name", "key"), PARAMETERS.items())
def test_an_unknown_key_is_reported_and_the_address_stays(homes, opened, name, key):
    app = opened(homes["demo"], name, **{key: "no*such"})
    assert f"There is no {key.replace('lineage', 'metric')} no*such in this snapshot. Choose one above." in reported(
        app
    )
    assert app.query_params[key] in ("no*such", ["no*such"])
    assert app.selectbox(key=f"{key}_choice").value is None
    assert not customer_rows(app) and not app.exception


def test_a_customer_is_shown_when_the_user_chooses_one(homes, opened, demo_sql):
    first = customer_ids(demo_sql)[0]
    app = opened(homes["demo"], "customer_360", customer="C-unknown", find=first)
    app = app.selectbox(key="customer_choice").set_value(first).run()
    assert first in customer_rows(app)[0]
    assert app.query_params["customer"] in (first, [first])
    assert not any("There is no customer" in text for text in reported(app))


def test_a_link_to_an_unknown_customer_removes_the_customer_shown_before(homes, opened, demo_sql):
    first = customer_ids(demo_sql)[0]
    app = opened(homes["demo"], "customer_360", customer=first)
    assert first in customer_rows(app)[0]
    app.query_params["customer"] = "C-unknown"
    for _again in range(2):
        app = app.run()
        assert not customer_rows(app)
        assert any("There is no customer C-unknown" in text for text in reported(app))
    app.query_params["customer"] = first
    assert first in customer_rows(app.run())[0]


def test_a_link_shows_its_customer_even_if_the_search_does_not_match(homes, opened, demo_sql):
    first, *_others, last = customer_ids(demo_sql)
    app = opened(homes["demo"], "customer_360", customer=last, find=first)
    assert last in customer_rows(app)[0]
    app = app.text_input(key="find").set_value(first).run()
    assert first in customer_rows(app.run())[0]


def test_an_unknown_value_of_a_filter_is_reported(homes, opened):
    app = opened(homes["demo"], "risk_queue", plan=["No such plan"], risk_band=["High", "Deep"])
    assert "There is no plan No such plan in this snapshot. The page ignores it." in reported(app)
    assert "There is no risk band Deep in this snapshot. The page ignores it." in reported(app)
    assert set(app.dataframe[0].value["risk_band"]) == {"High"}
    assert not reported(opened(homes["demo"], "risk_queue", risk_band=["High"]))


def test_an_unknown_segment_is_reported(homes, opened):
    app = opened(homes["demo"], "cohort_retention", segment="Nowhere")
    assert any("There is no segment Nowhere in this snapshot." in text for text in reported(app))
