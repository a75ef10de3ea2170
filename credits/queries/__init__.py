"""Reading the books: balance, schedule of expiry, statement."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from credits.kinds import AccountStatus
from credits.queries.entries import list_entries
from credits.queries.journal import (
    EntryLine,
    Standing,
    expiry_of,
    find_entry,
    get_standing,
    key_of,
    list_operation,
)
from zone.core.clock import database_now
from zone.members.models import Member

STATEMENT_PAGE = 30  # entries

__all__ = [
    "STATEMENT_PAGE",
    "Balance",
    "EntryLine",
    "Expiring",
    "Standing",
    "expiry_of",
    "find_entry",
    "get_balance",
    "get_standing",
    "list_entries",
    "list_operation",
]


@dataclass(frozen=True, slots=True)
class Expiring:
    """Credits that end on one day."""

    amount: int
    expires_on: date


@dataclass(frozen=True, slots=True)
class Balance:
    """Where a member stands at `as_of`. The amounts of `expiring` add up to `available`."""

    available: int
    held: int
    debt: int
    expiring: list[Expiring]
    status: AccountStatus
    as_of: datetime

    @property
    def is_frozen(self) -> bool:
        return self.status == AccountStatus.FROZEN


_BALANCE = """
    SELECT a.status, a.available, a.held, a.debt, public.zone_now(),
           ledger.month_number(ledger.today(a.zone)) * 2,
           array(SELECT ledger.expires_on(k.key) FROM unnest(a.bucket_keys) WITH ORDINALITY
                 k (key, place) ORDER BY k.place),
           a.bucket_keys, a.bucket_left
    FROM ledger.account a WHERE a.member_id = %s
"""


def get_balance(member: Member | int) -> Balance:
    """A member's live balance: one row read, lapsed credits left out whether settled or not."""
    with connection.cursor() as cursor:
        cursor.execute(_BALANCE, [key_of(member)])
        row = cursor.fetchone()
    if row is None:
        return Balance(0, 0, 0, [], AccountStatus.OPEN, database_now())
    status, available, held, debt, as_of, floor, days, keys, amounts = row
    by_day: dict[date, int] = {}
    for day, key, amount in zip(days, keys, amounts, strict=True):
        if key < floor:
            available -= amount
        else:
            by_day[day] = by_day.get(day, 0) + amount
    return Balance(
        available=available,
        held=held,
        debt=debt,
        expiring=[Expiring(amount, day) for day, amount in by_day.items()],
        status=AccountStatus(status),
        as_of=as_of,
    )
