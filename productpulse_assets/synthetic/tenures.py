"""From which day to which each customer has a trial or a subscription: from signup to cancellation,
and again after a reactivation."""

from dataclasses import dataclass

import numpy as np

FAR_FUTURE = int(np.iinfo(np.int32).max)


@dataclass(frozen=True)
class Tenures:
    """Up to two spans of days per customer, trial included; ends are exclusive.

    Row 0 of `starts` and `ends` is the span that begins at signup, row 1 the one after a
    reactivation. The end of a running span is FAR_FUTURE, and so is the start of a span that does not exist.
    """

    starts: np.ndarray
    ends: np.ndarray

    def covers(self, customer: np.ndarray | slice, date: np.ndarray) -> np.ndarray:
        """Whether each date is in a span of its customer."""
        is_first = (date >= self.starts[0, customer]) & (date < self.ends[0, customer])
        is_second = (date >= self.starts[1, customer]) & (date < self.ends[1, customer])
        is_covered: np.ndarray = is_first | is_second
        return is_covered

    def last_end(self) -> np.ndarray:
        """The day each customer's latest span ends, FAR_FUTURE while it runs."""
        has_returned = self.starts[1] < FAR_FUTURE
        last_end: np.ndarray = np.where(has_returned, self.ends[1], self.ends[0])
        return last_end
