"""Facts: the calendar, what is billed when, and what each customer was and did by month and by day."""
