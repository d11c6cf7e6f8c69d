"""trials, trial_conversion and customer_movements, on a handful of rows."""

from productpulse_assets.facts.customer_movements import customer_movements
from productpulse_assets.facts.trials import trial_conversion, trials
from tests.builders import calendar, dataset, rows
from tests.graph import RULES
from tests.productpulse_assets.decisions.cases import some

CALENDAR = calendar("2026-01-01", "2026-06-30")


def tried(customer, start, end=None, **more):
    return {"customer_id": customer, "status": "Trial", "start_date": start, "end_date": end} | more


def paid(customer, start, **more):
    return {"customer_id": customer, "start_date": start} | more


SUBSCRIPTIONS = dataset(
    "subscriptions",
    tried("C1", "2026-05-04", "2026-05-18"), paid("C1", "2026-05-18"),
    tried("C2", "2026-05-20", "2026-06-03"),
    tried("C3", "2026-06-10", "2026-06-24"),  # over for six days: it can still be followed by a paid period
    tried("C4", "2026-06-25"),  # the data has no end: 14 days are usual
    tried("C5", "2026-06-20", "2026-07-10"),
    tried("C6", "2026-04-01", "2026-04-08"), paid("C6", "2026-03-01", end_date="2026-03-31", status="Canceled"),
    tried("C7", "2026-07-01"),
    paid("C8", "2026-05-01", monthly_price=0), paid("C9", "2026-07-05"), tried("C9", "2026-06-01", "2026-06-15"),
)  # fmt: skip


def test_a_trial_is_running_converted_or_not():
    columns = ("customer_id", "ends_on", "is_end_estimated", "outcome", "converted_on", "is_settled")
    assert rows(trials(SUBSCRIPTIONS, CALENDAR), *columns) == [
        ("C1", "2026-05-18", False, "Converted", "2026-05-18", True),
        ("C2", "2026-06-03", False, "Not Converted", None, True),
        ("C3", "2026-06-24", False, "Not Converted", None, False),
        ("C4", "2026-07-09", True, "Running", None, False),
        ("C5", "2026-07-10", False, "Running", None, False),
        ("C6", "2026-04-08", False, "Not Converted", None, True),  # it paid before the trial, not since
        ("C9", "2026-06-15", False, "Not Converted", None, True),  # what begins after the as-of date is not known
    ]


def test_the_end_of_a_running_trial_is_unknown_without_a_finished_one():
    alone = dataset("subscriptions", tried("C1", "2026-06-25"))
    assert rows(trials(alone, CALENDAR), "outcome", "ends_on", "is_end_estimated") == [("Running", None, False)]


def test_a_month_has_a_conversion_when_all_of_its_trials_are_settled():
    table = trial_conversion(trials(SUBSCRIPTIONS, CALENDAR))
    columns = ("month_begun", "trials", "running", "finished", "converted", "is_mature", "conversion_rate")
    assert rows(table, *columns, "conversion_to_date") == [
        ("2026-04-01", 1, 0, 1, 0, True, 0, 0),
        ("2026-05-01", 2, 0, 2, 1, True, 0.5, 0.5),
        ("2026-06-01", 4, 2, 2, 0, False, None, 0),
    ]


MONTHS = {
    "customer_id": "string", "month": "date", "segment": "string", "plan": "string", "country": "string",
    "acquisition_channel": "string", "is_complete": "boolean", "churn_type": "string", "churn_reason": "string",
    **dict.fromkeys(
        ("mrr_start", "mrr_end", "mrr_new", "mrr_reactivation", "mrr_expansion", "mrr_contraction", "mrr_churned"),
        "decimal(18, 2)",
    ),
}  # fmt: skip


def moved(customer, start, end, **fact):
    zero = dict.fromkeys([name for name in MONTHS if name.startswith("mrr")], 0)
    return zero | {"customer_id": customer, "month": "2026-06-01", "mrr_start": start, "mrr_end": end} | fact


def test_each_customer_whose_mrr_changed_is_in_one_list():
    months = some(
        MONTHS,
        [
            moved("C1", 0, 50, mrr_new=50),
            moved("C2", 0, 60, mrr_reactivation=60),
            moved("C3", 50, 80, mrr_expansion=30),
            moved("C4", 50, 45.5, mrr_contraction=4.5),
            moved("C5", 70, 0, mrr_churned=70, churn_type="Voluntary", churn_reason="Too small"),
            moved("C6", 70, 70),
        ],
    )
    columns = ("customer_id", "movement", "change", "churn_type", "churn_reason")
    assert rows(customer_movements(months, RULES), *columns) == [
        ("C1", "New", 50, None, None),
        ("C2", "Reactivated", 60, None, None),
        ("C3", "Expanded", 30, None, None),
        ("C4", "Contracted", -4.5, None, None),
        ("C5", "Churned", -70, "Voluntary", "Too small"),
    ]
