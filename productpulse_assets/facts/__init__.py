"""Facts: the calendar, billing periods, and facts and signals of each customer by month and by day."""
