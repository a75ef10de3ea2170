"""What other rooms read of history."""

from zone.history.queries.crediting import list_uncredited_charges, list_uncredited_refunds
from zone.history.queries.upcoming import UpcomingDay, UpcomingWeek, upcoming_charges

__all__ = [
    "UpcomingDay",
    "UpcomingWeek",
    "list_uncredited_charges",
    "list_uncredited_refunds",
    "upcoming_charges",
]
