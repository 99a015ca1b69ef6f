"""Ages and dates as short text. Times are in Unix seconds; days are local."""

from datetime import datetime


def format_age(then: float, now: float) -> str:
    """Format an age: "now", "12 min", "3 h", "5 d", or the date after a week."""
    minutes = int(max(now - then, 0) // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h"
    if minutes < 7 * 24 * 60:
        return f"{minutes // (24 * 60)} d"
    day = datetime.fromtimestamp(then)
    year = "" if day.year == datetime.fromtimestamp(now).year else f" {day.year}"
    return f"{day.day} {day:%b}{year}"


def date_section(then: float, now: float) -> str:
    """Return the heading of the sidebar section for a time, such as "Yesterday" or "March"."""
    day, today = datetime.fromtimestamp(then).date(), datetime.fromtimestamp(now).date()
    days = (today - day).days
    for name, longest in (("Today", 0), ("Yesterday", 1), ("Previous 7 days", 7), ("Previous 30 days", 30)):
        if days <= longest:
            return name
    return f"{day:%B}" if day.year == today.year else str(day.year)
