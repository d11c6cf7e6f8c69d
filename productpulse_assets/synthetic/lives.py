"""When each customer is one: from signup to cancellation, and again after a return."""

from dataclasses import dataclass

import numpy as np

FAR_FUTURE = int(np.iinfo(np.int32).max)


@dataclass(frozen=True)
class Lives:
    """Up to two spans of days per customer, trial included; ends are exclusive.

    Row 0 of `starts` and `ends` is the span that begins at signup, row 1 the one after a
    return. A running span ends, and a return that never was starts, at FAR_FUTURE.
    """

    starts: np.ndarray
    ends: np.ndarray

    def covers(self, customer: np.ndarray | slice, date: np.ndarray) -> np.ndarray:
        """Whether each date is in a span of its customer."""
        is_first = (date >= self.starts[0, customer]) & (date < self.ends[0, customer])
        return is_first | ((date >= self.starts[1, customer]) & (date < self.ends[1, customer]))

    def last_end(self) -> np.ndarray:
        """The day each customer's latest span ends, FAR_FUTURE while it runs."""
        has_returned = self.starts[1] < FAR_FUTURE
        return np.where(has_returned, self.ends[1], self.ends[0])
