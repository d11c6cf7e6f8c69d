"""One colour for one meaning, in charts, badges and reports.

The eight colours of Okabe and Ito (Color Universal Design, 2008): people with any of the common kinds of colour
blindness can tell them apart, and black text is readable on each of them, on light and on dark pages.
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
"""By band or status; any other text is GREY."""

GAIN, LOSS, TOTAL = GREEN, VERMILION, SKY
"""An amount that adds, an amount that reduces, and a total."""

MAIN, SECOND = BLUE, ORANGE
"""The first and the second line of a chart."""

SERIES = (SKY, ORANGE, GREEN, PURPLE, YELLOW, VERMILION, BLUE, GREY)
"""For members without a level, such as segments, in the order in which they are used."""

SEQUENCE = ("#440154", "#3B528B", "#21918C", "#5EC962", "#FDE725")
"""From low to high: viridis (Smith and van der Walt, 2015). Its lightness rises evenly, so it also works in grey."""


def colour_of(level: object) -> str:
    """The colour of a band or status."""
    return LEVELS.get(str(level), GREY)
