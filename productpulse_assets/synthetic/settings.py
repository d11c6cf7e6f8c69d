"""Every number that describes the demo company.

Shares are weights (their sum may differ from 1), rates are per customer and month unless a comment
names another unit, factors multiply, money is US dollars, `log` values are natural logarithms.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


@dataclass(frozen=True)
class CompanyPlan:
    """The arguments of one demo company; equal plans give byte-identical files.

    The window is the `months` calendar months that end with the month of `as_of`; nothing
    happens after `as_of`. Customers are simulated `batch_customers` at a time, each batch
    from its own random numbers. `billing` is one of BILLING_NAMES; with `losses` false the
    company loses no revenue.
    """

    customers: int = 1000
    months: int = 24
    seed: int = 42
    as_of: date = date(2026, 6, 30)
    batch_customers: int = 50_000
    billing: str = "anniversary"
    losses: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError for a number below its minimum and for an unknown billing style."""
        minimums = {"customers": 1, "months": 1, "seed": 0, "batch_customers": 1}
        for name, minimum in minimums.items():
            if getattr(self, name) < minimum:
                raise ValueError(
                    f"The demo company's {name} is {getattr(self, name)}; "
                    f"expected a whole number of at least {minimum}."
                )
        if self.billing not in BILLING_NAMES:
            raise ValueError(
                f"The demo company's billing is {self.billing!r}; expected one of {', '.join(BILLING_NAMES)}."
            )

    @property
    def has_euro(self) -> bool:
        """Whether some customers of the company pay in euro."""
        return self.billing in ("two-currencies", MIXED)


class Plan(NamedTuple):
    """A price plan: list price per month for a small customer, and its factor on churn."""

    name: str
    monthly_price: float
    churn_factor: float


class Segment(NamedTuple):
    """A customer segment; shares follow the order of PLANS and BILLING_CYCLES."""

    name: str
    share: float
    weekly_logins: float
    seats: int
    price_factor: float
    churn_factor: float
    plan_shares: tuple[float, ...]
    cycle_shares: tuple[float, ...]
    payment_method_shares: tuple[float, ...]


class Channel(NamedTuple):
    """An acquisition channel; `log_engagement` shifts the logarithm of weekly logins.

    `cost_per_acquisition` is what the channel charges for a customer, `full_cost` what winning one costs with the
    salaries of marketing and sales.
    """

    name: str
    share: float
    cost_per_acquisition: float
    churn_factor: float
    log_engagement: float
    full_cost: float


class BillingStyle(NamedTuple):
    """How a customer is billed and pays; the module `styles` has the codes.

    `cycle` replaces the billing cycle of its customers; `payment_days` are the days from an
    invoice to its payment; `recovered_share` is the share of invoices whose first attempt to
    collect fails. Where `loses_last` is true, no payment follows the bill of a planted loss:
    such payments do not show which bill they are for.
    """

    name: str
    cycle: str | None = None
    payment_days: tuple[int, int] = (0, 3)
    recovered_share: float = 0.03
    loses_last: bool = False


PLANS = (
    Plan("Starter", 49.0, 1.25),
    Plan("Growth", 149.0, 1.0),
    Plan("Scale", 449.0, 0.85),
    Plan("Enterprise", 1190.0, 0.7),
)
BILLING_CYCLES = (("Monthly", 1), ("Quarterly", 3), ("Annual", 12))
PAYMENT_METHODS = ("Credit Card", "Direct Debit", "Bank Transfer", "PayPal")
SEGMENTS = (
    Segment("SMB", 0.62, 9.0, 5, 1.0, 1.3, (55, 35, 10, 0), (88, 6, 6), (78, 8, 2, 12)),
    Segment("Mid-Market", 0.28, 18.0, 20, 1.5, 0.8, (10, 45, 35, 10), (78, 9, 13), (60, 20, 18, 2)),
    Segment("Enterprise", 0.10, 34.0, 80, 2.0, 0.4, (0, 10, 40, 50), (50, 16, 34), (15, 30, 55, 0)),
)
CHANNELS = (
    Channel("Organic Search", 0.26, 85.0, 0.9, 0.05, 1_300.0),
    Channel("Paid Search", 0.22, 310.0, 1.25, -0.10, 4_900.0),
    Channel("Paid Social", 0.14, 360.0, 1.45, -0.20, 5_600.0),
    Channel("Referral", 0.16, 120.0, 0.65, 0.15, 2_000.0),
    Channel("Partner", 0.12, 240.0, 0.8, 0.05, 4_200.0),
    Channel("Events", 0.10, 520.0, 1.0, 0.0, 7_500.0),
)
COUNTRIES = (
    ("US", 38), ("GB", 14), ("DE", 12), ("FR", 9), ("CA", 9), ("BR", 7), ("AU", 6), ("IN", 5),
)  # fmt: skip

# What the company spends follows the customers that it expects; the noise is the spread of a month's logarithm.
SPEND_NOISE = 0.08
SPEND_STEP = 10

# The share of revenue that is left after the cost of delivering the product, from each month on.
GROSS_MARGINS = {"2024-01": 0.76, "2025-07": 0.78}

# Events that a company marks on its charts: month of the year, day, text, and the dimension and member it is about.
EVENTS = (
    (9, 16, "New onboarding checklist", None, None),
    (11, 12, "Yearly customer conference", "acquisition_channel", "Events"),
    (12, 22, "Holidays: most customers are away until January", None, None),
    (2, 3, "Outage of six hours", None, None),
    (3, 10, "Campaign for the spring", "acquisition_channel", "Paid Search"),
    (5, 5, "A competitor offers a free plan", "plan", "Starter"),
)

# How customers are billed. In a mixed company each customer has one of the styles.
BILLING_STYLES = (
    BillingStyle("anniversary"),
    BillingStyle("calendar", cycle="Monthly"),
    BillingStyle("net-30", payment_days=(20, 40), recovered_share=0.0, loses_last=True),
    BillingStyle("annual-invoices", cycle="Annual"),
    BillingStyle("unused-time-credit"),
    BillingStyle("single-invoice", loses_last=True),
    BillingStyle("retries", recovered_share=0.5),
    BillingStyle("seat-changes", cycle="Monthly"),
    BillingStyle("refund-rebill"),
    BillingStyle("prepaid", cycle="Monthly", payment_days=(-5, 0), recovered_share=0.0, loses_last=True),
    BillingStyle("two-currencies"),
    BillingStyle("migration"),
)
MIXED = "mixed"
BILLING_NAMES = (*(style.name for style in BILLING_STYLES), MIXED)

# Signups: LAUNCH_SHARE of the customers in the first month, then growth with a yearly season.
LAUNCH_SHARE = 0.40
SIGNUP_GROWTH_RATE = 0.02
SIGNUP_SEASON = (1.15, 1.05, 1.1, 1.0, 1.0, 0.95, 0.8, 0.8, 1.15, 1.1, 1.0, 0.65)
USAGE_SEASON = (0.97, 1.0, 1.0, 1.0, 1.0, 0.98, 0.94, 0.9, 1.0, 1.02, 1.0, 0.8)

TRIAL_SHARE = 0.35
TRIAL_DAYS = 14
FREE_TRIAL_SHARE = 0.3
TRIAL_CONVERSION = 0.74
TRIAL_CONVERSION_NEVER_ACTIVATED = 0.25
NEVER_ACTIVATES_SHARE = 0.06
NO_USAGE_SHARE = 0.012

PRICE_NOISE = 0.15
AUTO_RENEW_SHARE = 0.92

# Engagement: the spread of customers, a monthly random walk, and the bad drift.
LOG_ENGAGEMENT_SPREAD = 0.45
LOG_WALK_STEP = 0.07
WALK_MEMORY = 0.96
DRIFT_RATE = 0.028
LAUNCH_DRIFT_SHARE = 0.05
NEW_CUSTOMER_MONTHS = 3
NEW_CUSTOMER_DRIFT_FACTOR = 1.4
ANNUAL_DRIFT_FACTOR = 0.35
ANNUAL_DRIFT_FACTOR_NEAR_RENEWAL = 3.0
NEAR_RENEWAL_MONTHS = 3
DRIFT_RECOVERY_RATE = 0.13
DRIFT_LOG_FALL = (0.0, -1.1, -2.4, -3.4)

WEEKLY_NOISE = 0.25
IDLE_WEEK_RATE = 0.015
KEY_ACTIONS_PER_LOGIN = 0.6
ACTIVATION_LIMIT = 5
NEVER_ACTIVATED_LOG_SHIFT = -1.0
FEATURES = 12

# Churn: rate per month by months of bad drift (0, 1, 2, 3 or more), and what raises it.
CHURN_RATE_BY_DRIFT = (0.0025, 0.30, 0.45, 0.45)
NEVER_ACTIVATED_CHURN_RATE = 0.04
FAILED_PAYMENT_CHURN_RATE = 0.06
MANY_TICKETS = 3
MANY_TICKETS_CHURN_FACTOR = 1.3
DETRACTOR_CHURN_FACTOR = 1.4
HIGHEST_CHURN_RATE = 0.95

UPGRADE_RATE = 0.012
DOWNGRADE_RATE = 0.005
DRIFT_DOWNGRADE_RATE = 0.05
UPGRADE_PRICE_FACTOR = 1.15
DOWNGRADE_PRICE_FACTOR = 0.8
REACTIVATION_RATE = 0.015
REACTIVATION_AFTER_MONTHS = 3

# Contracts: who signs for a year though billed more often, who has canceled already, and why customers leave. A reason
# is its name, the comment that goes with it, and its weight.
YEARLY_TERM_SHARE = 0.35
SCHEDULED_CANCELLATION_SHARE = 0.03
CANCELED_AHEAD_SHARE = 0.5
CANCELED_BEFORE_FAILURE_SHARE = 0.15
REASON_GIVEN_SHARE = 0.7
COMMENT_SHARE = 0.4
CANCEL_REASONS = (
    ("Too Expensive", "The price is too high for what we use.", 30),
    ("Missing Features", "We need reports that the product does not have.", 22),
    ("Switched Product", "Our group uses another product now.", 18),
    ("Unused", "No one had the time to use it.", 18),
    ("Customer Service", "Our questions waited too long for an answer.", 7),
    ("Other", "Thank you, it was not right for us.", 5),
)
FAILED_PAYMENT_REASON = "Payment Failed"
ACCOUNT_OWNERS = ("Amira Haddad", "Ben Okafor", "Carla Rossi", "Daniel Weber", "Elena Petrova", "Farid Rahman")
WITHOUT_OWNER_SHARE = 0.04

# Support tickets and NPS answers: (no drift, bad drift).
TICKET_RATES = (0.09, 1.25)
OPEN_TICKET_SHARES = (0.01, 0.12)
TICKET_PRIORITIES = (("Low", 96.0), ("Medium", 48.0), ("High", 20.0), ("Urgent", 8.0))
TICKET_PRIORITY_SHARES = ((40, 42, 15, 3), (15, 35, 32, 18))
TICKET_CATEGORIES = ("Billing", "Bug", "How-To", "Integration", "Performance", "Feature Request")
NPS_RESPONSE_RATES = (0.075, 0.16)
NPS_MEAN_SCORES = (8.7, 3.6)
NPS_SPREAD = 1.6
FEEDBACK_CATEGORIES = ("Product", "Price", "Support", "Onboarding", "Reliability")

# Billing problems: the share of billing dates, (no drift, bad drift) where it differs.
FAILED_PAYMENT_RATES = (0.025, 0.10)
RETRY_SUCCESS_SHARES = (0.78, 0.35)
SECOND_ATTEMPT_SHARE = 0.6
MISSED_INVOICE_RATE = 0.008
UNDERBILLED_RATE = 0.009
REFUND_RATE = 0.009
UNDERBILLED_SHARES = (0.05, 0.30)
PAST_DUE_SHARES = (0.018, 0.10)
PAST_DUE_CYCLES = 3
FAILED_BEFORE_PAST_DUE_SHARE = 0.3
GAVE_UP_PAYING_SHARE = 0.25
GAVE_UP_PAYING_CYCLES = 2
PAYMENT_DELAY_DAYS = 3
RETRY_DAYS = (2, 14)
SECOND_ATTEMPT_DAYS = (3, 5)
REFUND_DAYS = (1, 10)

USAGE_AFTER_CANCELLATION_SHARE = 0.2
USAGE_AFTER_CANCELLATION_DAYS = (21, 180)

# Leakage windows, in days back from the as-of date, around which no case is planted.
LEAKAGE_WINDOW_DAYS = 90
MISSED_INVOICE_GRACE_DAYS = 10
UNBILLED_USAGE_DAYS = 28
UNBILLED_GAP_DAYS = 14

# Losses of the billing styles: the share of customers that can have one and do, and the age in days of
# the lost bills at the as-of date. Where invoices are payable in 30 days, only older bills are overdue.
# A bill for fewer than SHORTEST_LOST_DAYS days can be within the tolerance of a detector.
PLANTED_SHARE = 0.35
LOST_BILL_DAYS = (12, 88)
LOST_BILL_DAYS_WITH_TERMS = (45, 88)
SHORTEST_LOST_DAYS = 7
HABIT_PAYMENTS = 2

# Details of the billing styles.
RETRY_ATTEMPT_DAYS = (0, 2, 5)
LAST_RETRY_DAYS = (1, 9)
SECOND_SUBSCRIPTION_SHARE = 0.85
THIRD_SUBSCRIPTION_SHARE = 0.35
SECOND_SUBSCRIPTION_PRICE_SHARES = (0.1, 0.6)
SEAT_CHANGE_SHARE = 0.6
SEAT_PRICE_FACTORS = (1.1, 1.6)
MIGRATED_SHARE = 0.7
SHORTEST_SPLIT_DAYS = 70
WRONG_AMOUNT_SHARE = 0.15
WRONG_AMOUNT_FACTORS = (0.5, 1.6)
REBILL_DAYS = (0, 3)
PREPAID_BILLS = (3, 6, 12)

# One euro in US dollars, as in the example of rules/sources.yaml. Amounts in euro are multiples of
# 0.25, so that each is a whole number of cents in both currencies.
EUR_RATE_PERCENT = 108
EUR_STEP_CENTS = 25

# What prices consist of. Discounts are shares of the full price; their days are those left at the as-of date.
# SEAT_FACTORS multiply the seats at a change to a higher and to a lower price.
SEATS_LOG_SPREAD = 0.35
SEAT_FACTORS = ((1.0, 1.0, 1.25, 1.6), (1.0, 1.0, 0.8, 0.6))
DISCOUNT_SHARE = 0.12
DISCOUNTS = (0.1, 0.15, 0.2, 0.3)
DISCOUNT_DAYS_LEFT = (10, 300)
ENDLESS_DISCOUNT_SHARE = 0.3

# Exchange rates by date: a weekly step, and how far the rate goes from EUR_RATE_PERCENT.
RATE_DAYS_BEFORE = 35
EUR_RATE_STEP = 0.006
EUR_RATE_WIDTH = 0.08

MRR_TARGET_FACTOR = 1.03
EXPECTED_MONTHLY_SURVIVAL = 0.988
CHURN_RATE_TARGETS = (0.028, 0.022)
ACTIVATION_RATE_TARGETS = (0.88, 0.92)
NPS_TARGETS = (30.0, 40.0)
