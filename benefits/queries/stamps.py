"""Stamp boards as a member sees them, and what would give the next stamp."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import F, Q

from benefits.models import Benefit, Stamp, StampBoard
from credits.models import CheckIn
from zone.history.models import Charge
from zone.members.models import Member


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that may give a stamp: a purchase or a day of check-in."""

    source: str
    on: date


@dataclass(frozen=True, slots=True)
class BoardCard:
    """A board with the member's stamps; `places` are the board's fields, filled or not."""

    board: StampBoard
    unspent: int
    places: list[bool]
    today: int
    month: int
    is_full: bool
    is_collecting: bool
    choices: list[Benefit]

    @property
    def missing(self) -> int:
        return max(0, self.board.needed - self.unspent)

    @property
    def collected(self) -> int:
        """Stamps on the board; a full one takes no more."""
        return min(self.unspent, self.board.needed)

    @property
    def extra(self) -> int:
        """Stamps beyond a full board, which count for the next one."""
        return max(0, self.unspent - self.board.needed)


def list_boards(member: Member, *, now: datetime) -> list[StampBoard]:
    """Boards that collect now, and those that are over while the member has stamps on them."""
    boards = StampBoard.objects.filter(livemode=member.wallet.livemode, starts_at__lte=now)
    boards = boards.filter(Q(currency="") | Q(currency=member.wallet.currency))
    is_open = Q(is_active=True) & (Q(ends_at=None) | Q(ends_at__gt=now))
    has_stamps = Q(stamps__member=member, stamps__swap=None, stamps__voided_at=None)
    return list(boards.filter(is_open | has_stamps).distinct().order_by("pk"))


def is_collecting(board: StampBoard, *, now: datetime) -> bool:
    return (
        board.is_active
        and board.starts_at <= now
        and (board.ends_at is None or now < board.ends_at)
    )


def list_deeds(board: StampBoard, member: Member) -> list[Deed]:
    """What may have given the member a stamp, oldest first, whether or not it has yet."""
    zone = ZoneInfo(member.time_zone)
    if board.metric == StampBoard.Metric.CHECK_INS:
        days = CheckIn.objects.filter(
            member=member, how=CheckIn.How.TAP, created_at__gte=board.starts_at
        )
        if board.ends_at is not None:
            days = days.filter(created_at__lt=board.ends_at)
        return [Deed(f"day:{on}", on) for on in days.order_by("on").values_list("on", flat=True)]
    charges = Charge.objects.filter(
        member=member,
        status=Charge.Status.SUCCEEDED,
        amount__gt=0,
        amount__gte=board.minimum_amount,
        paid_at__gte=board.starts_at,
        refunded__lt=F("amount"),
    )
    if board.currency:
        charges = charges.filter(currency=board.currency)
    if board.ends_at is not None:
        charges = charges.filter(paid_at__lt=board.ends_at)
    return [
        Deed(charge.public_id, charge.paid_at.astimezone(zone).date())
        for charge in charges.order_by("id")
    ]


def get_board_card(board: StampBoard, member: Member, *, now: datetime) -> BoardCard:
    """The board as it stands; what was not collected yet is not on it."""
    today = now.astimezone(ZoneInfo(member.time_zone)).date()
    stamps = list(Stamp.objects.filter(member=member, board=board))
    unspent = sum(stamp.swap_id is None and stamp.voided_at is None for stamp in stamps)
    days = Counter(stamp.on for stamp in stamps)
    months = Counter(stamp.month_on for stamp in stamps)
    return BoardCard(
        board=board,
        unspent=unspent,
        places=[number < unspent for number in range(board.needed)],
        today=days[today],
        month=months[today.replace(day=1)],
        is_full=unspent >= board.needed,
        is_collecting=is_collecting(board, now=now),
        choices=list(
            Benefit.objects.listed(now)
            .filter(stamp_choices__board=board, livemode=board.livemode)
            .prefetch_related("texts")
            .order_by("stamp_choices__position", "pk")
        ),
    )
