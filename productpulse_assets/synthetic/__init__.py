"""The demo company: a deterministic, vectorised simulator of a SaaS business.

    simulate(CompanyPlan(customers=300)).datasets["subscriptions"]
    write_company(CompanyPlan(), Path("demo"), "csv")

Customers have a hidden engagement that drifts; usage, tickets, NPS answers, failed payments
and churn follow it. `CompanyPlan.billing` chooses how customers are billed. The cases of revenue
leakage that the simulator plants are listed in `Company.planted`.
"""

from productpulse_assets.synthetic.company import DATASETS, Company, simulate
from productpulse_assets.synthetic.planted import LEAKAGE_TYPES
from productpulse_assets.synthetic.settings import CompanyPlan
from productpulse_assets.synthetic.write import write_company

__all__ = ["DATASETS", "LEAKAGE_TYPES", "Company", "CompanyPlan", "simulate", "write_company"]
