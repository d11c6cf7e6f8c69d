"""What each customer has been doing lately, at any as-of date: what the churn rules look at."""
