"""Tests of ages and sections of the sidebar."""

from datetime import datetime

import pytest

from app.viewmodels.formatting.ages import date_section, format_age

NOW = datetime(2024, 3, 15, 12, 0).timestamp()


def at(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> float:
    return datetime(year, month, day, hour, minute).timestamp()


@pytest.mark.parametrize(
    ("then", "text"),
    [
        (NOW - 30, "now"),
        (NOW + 30, "now"),
        (NOW - 60 * 12, "12 min"),
        (NOW - 3600 * 23, "23 h"),
        (NOW - 86400 * 3, "3 d"),
        (at(2024, 2, 3), "3 Feb"),
        (at(2022, 2, 3), "3 Feb 2022"),
    ],
)
def test_ages_are_short(then: float, text: str) -> None:
    """After a week the age is a date; a time in the future counts as now."""
    assert format_age(then, NOW) == text


@pytest.mark.parametrize(
    ("then", "heading"),
    [
        (at(2024, 3, 15, 0, 1), "Today"),
        (at(2024, 3, 14, 23, 59), "Yesterday"),
        (at(2024, 3, 9), "Previous 7 days"),
        (at(2024, 2, 20), "Previous 30 days"),
        (at(2024, 1, 2), "January"),
        (at(2023, 12, 31), "2023"),
        (at(2024, 3, 16), "Today"),
    ],
)
def test_sections_follow_the_calendar(then: float, heading: str) -> None:
    """A minute before midnight is yesterday."""
    assert date_section(then, NOW) == heading
