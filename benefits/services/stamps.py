"""Collecting stamps and swapping a full board: capped by the database, claimed like any benefit."""

from collections import Counter
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from benefits import errors, queries
from benefits.models import Benefit, Claim, Stamp, StampBoard, StampSwap
from benefits.queries.stamps import list_boards, list_deeds
from benefits.services.claims import claim_benefit
from zone.core.errors import NotFound
from zone.history.models import Charge
from zone.members.models import Member


def collect_stamps(*, member: Member, now: datetime) -> int:
    """Give the stamps that purchases and check-ins have brought since; says how many.

    The oldest deeds come first, each once; what is above the cap of its day or month gives none,
    now or later. A stamp whose purchase was refunded whole is void unless it was swapped already.
    Safe to repeat and to race: the member's row is taken first, and the numbers of day and month
    are unique.
    """
    made = 0
    for board in list_boards(member, now=now):
        with transaction.atomic():
            Member.objects.select_for_update(no_key=True).get(pk=member.pk)
            made += _collect(board, member, now)
    return made


def _collect(board: StampBoard, member: Member, now: datetime) -> int:
    deeds = list_deeds(board, member)
    there = list(Stamp.objects.filter(member=member, board=board))
    if board.metric == StampBoard.Metric.PURCHASES:
        _void_refunded(there, member, now)
    sources = {stamp.source for stamp in there}
    days = Counter(stamp.on for stamp in there)
    months = Counter(stamp.month_on for stamp in there)
    fresh: list[Stamp] = []
    for deed in deeds:
        month_on = deed.on.replace(day=1)
        is_capped = days[deed.on] >= board.day_cap or months[month_on] >= board.month_cap
        if deed.source in sources or is_capped:
            continue
        days[deed.on] += 1
        months[month_on] += 1
        fresh.append(
            Stamp(
                board=board,
                member=member,
                source=deed.source,
                on=deed.on,
                month_on=month_on,
                nth_of_day=days[deed.on],
                nth_of_month=months[month_on],
                day_cap=board.day_cap,
                month_cap=board.month_cap,
                created_at=now,
            )
        )
    Stamp.objects.bulk_create(fresh)
    return len(fresh)


def _void_refunded(stamps: list[Stamp], member: Member, now: datetime) -> None:
    open_stamps = {
        stamp.source: stamp for stamp in stamps if stamp.swap_id is None and not stamp.voided_at
    }
    if not open_stamps:
        return
    zone = ZoneInfo(member.time_zone)
    oldest = datetime.combine(min(stamp.on for stamp in open_stamps.values()), time(), tzinfo=zone)
    refunded = Charge.objects.filter(member=member, refunded__gt=0, paid_at__gte=oldest)
    for charge in refunded:
        stamp = open_stamps.get(charge.public_id)
        if stamp is not None and charge.is_refunded:
            Stamp.objects.filter(pk=stamp.pk, swap=None).update(voided_at=now)


def swap_stamps(
    *, member: Member, board: StampBoard, benefit: Benefit, op_id: UUID, now: datetime
) -> Claim:
    """A full board becomes one unit of `benefit`: stamps and claim in one commit, or neither.

    Safe to repeat and to race: the same op_id returns the first claim, and the member's row is
    taken before stamps are counted. Raises NotEnoughStamps, NotFound for what the board does not
    offer, PriceChanged for a benefit with a price in credits, and what `claim_benefit` raises.
    """
    if first := StampSwap.objects.filter(member=member, op_id=op_id).first():
        return first.claim
    collect_stamps(member=member, now=now)
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        if first := StampSwap.objects.filter(member=member, op_id=op_id).first():
            return first.claim
        if not board.choices.filter(benefit=benefit).exists():
            raise NotFound
        unspent = Stamp.objects.filter(member=member, board=board, swap=None, voided_at=None)
        keys = list(unspent.order_by("on", "pk").values_list("pk", flat=True)[: board.needed])
        if len(keys) < board.needed:
            raise errors.NotEnoughStamps(gap=board.needed - len(keys))
        release = queries.find_open_release(benefit, now=now)
        if release is None:
            raise errors.SoldOut
        # Priced at nothing, or refused: stamps never pay a price in credits.
        claim = claim_benefit(
            member=member,
            release=release,
            op_id=op_id,
            now=now,
            price=0,
            is_for_stamps=True,
        )
        swap = StampSwap.objects.create(
            board=board, member=member, op_id=op_id, claim=claim, stamps=len(keys), created_at=now
        )
        Stamp.objects.filter(pk__in=keys, swap=None).update(swap=swap)
    return claim
