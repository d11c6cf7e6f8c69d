"""One colour for one meaning, in charts, badges and reports.

Okabe and Ito's eight colours (Color Universal Design, 2008), which people with any of the common
kinds of colour blindness can tell apart; black text stands out on each of them, on a light page as
on a dark one.
"""

from __future__ import annotations

ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#999999"

LEVELS = {
    # bands of risk and priority
    "Critical": VERMILION,
    "High": ORANGE,
    "Medium": SKY,
    "Low": GREEN,
    # statuses of health, of data quality and against targets
    "Risk": ORANGE,
    "Watch": YELLOW,
    "Stable": SKY,
    "Healthy": GREEN,
    "Good": GREEN,
    "At Risk": VERMILION,
    "Missed": VERMILION,
    "Met": GREEN,
}
"""By band or status. Whatever is not in it has no colour of its own: GREY."""

GAIN, LOSS, TOTAL = GREEN, VERMILION, SKY
"""What adds, what takes away, and what they add up to."""

MAIN, SECOND = BLUE, ORANGE
"""The first and the second line of a chart."""

SERIES = (SKY, ORANGE, GREEN, PURPLE, YELLOW, VERMILION, BLUE, GREY)
"""Members without a meaning of their own, in the order they come."""

SEQUENCE = ("#440154", "#3B528B", "#21918C", "#5EC962", "#FDE725")
"""From little to much: viridis (Smith and van der Walt, 2015), even in lightness, so that it reads in grey too."""


def colour_of(level: object) -> str:
    """The colour of a band or status."""
    return LEVELS.get(str(level), GREY)
