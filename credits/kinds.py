"""The numbers the journal stores, with names for readers."""

from enum import IntEnum


class Kind(IntEnum):
    """What an entry is."""

    EARN = 1
    SPEND = 2
    HOLD = 3
    CAPTURE = 4
    RELEASE = 5
    REFUND = 6
    EXPIRE = 7
    CLAWBACK = 8
    ADJUST = 9

    @property
    def word(self) -> str:
        """As the API and the statement's filter spell it."""
        return self.name.lower()


class Funding(IntEnum):
    """Who stands behind a bucket: given away, or paid for."""

    PROMOTIONAL = 0
    PAID = 1


class Counter(IntEnum):
    """The account on the other side of an entry. It has no balance row; seals roll it up."""

    PURCHASES = 10  # earned by App Store purchases
    WELCOME = 11
    CHECK_IN = 12
    MISSIONS = 13
    REFERRALS = 14
    CAMPAIGNS = 15
    PARTNERS = 20  # given by partners
    BENEFITS = 30  # spent on benefits
    SHOPS = 31  # spent at partners
    ADJUSTMENTS = 50
    OPENING = 60  # carried over when the programme started
    BREAKAGE = 90  # lapsed; the SQL functions write this number


class AccountStatus(IntEnum):
    OPEN = 0
    FROZEN = 1
    CLOSED = 2


class HoldState(IntEnum):
    HELD = 0
    CAPTURED = 1
    VOIDED = 2
    EXPIRED = 3
