"""The rule book, what members have used of it, and why a charge earned what it did."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from credits.models import EarnBonus, EarnDecision, EarnPolicy, EarnRule
from credits.queries.apple import list_returning
from credits.queries.pending import Pending, find_pending
from credits.rules import Line, Part, Purchase, RuleBook, Usage, Worth, worth_of_purchase
from zone.core.clock import database_now
from zone.core.wording import text_in
from zone.history.models import Charge, ChargeLine, Subscription
from zone.history.queries.renewals import list_subscriptions
from zone.members.models import Member

RENEWALS_SHOWN = 3
_BONUS = "bonus"  # The kind of a part that no rule gave, see `credits.rules.Part`.


def read_rule_book() -> RuleBook:
    """Every active rule and bonus, and the policy in force. Three reads."""
    return RuleBook(
        rules=tuple(EarnRule.objects.filter(is_active=True).order_by("pk")),
        bonuses=tuple(EarnBonus.objects.filter(is_active=True).order_by("pk")),
        policy=EarnPolicy.objects.filter(is_active=True).first(),
    )


# A day of one member can be the next of another, whom it thanks.
_ZONES = timedelta(days=1)
# Added up by day in the database: at most one row for each day that gave something.
_EARNED = """
    SELECT member_id, day, sum(credits)::int FROM (
        SELECT member_id, paid_on AS day, credits FROM credits_earndecision
        WHERE member_id = ANY(%s) AND paid_on >= %s AND paid_on < %s
        UNION ALL
        SELECT member_id, "on", credits FROM credits_earnevent
        WHERE member_id = ANY(%s) AND "on" >= %s AND "on" < %s AND credits > 0
    ) given
    GROUP BY member_id, day
"""
_BONUSES = """
    SELECT d.member_id, (part ->> 'id')::bigint, d.paid_on, count(*)::int
    FROM credits_earndecision d CROSS JOIN LATERAL jsonb_array_elements(d.parts) part
    WHERE d.member_id = ANY(%s) AND part ->> 'kind' = 'bonus'
      AND (d.paid_on >= %s AND d.paid_on < %s OR (part ->> 'id')::bigint = ANY(%s))
    GROUP BY 1, 2, 3
"""


def read_usage(
    member_ids: Collection[int], days: Collection[date], book: RuleBook
) -> dict[int, Usage]:
    """What purchases and other deeds of these members used up, as far as it counts for those days.

    Caps and limits look at the months of the days; only a bonus that is limited for good is looked
    up beyond them. Two reads, or one where no bonus has a limit.
    """
    usage: dict[int, Usage] = {member_id: Usage() for member_id in member_ids}
    if not usage or not days:
        return usage
    first, last = (min(days) - _ZONES).replace(day=1), max(days) + _ZONES
    after = date(last.year + last.month // 12, last.month % 12 + 1, 1)
    span: list[Any] = [list(usage), first, after]
    limited = [bonus for bonus in book.bonuses if bonus.times_max]
    with connection.cursor() as cursor:
        cursor.execute(_EARNED, [*span, *span])
        for member_id, day, earned in cursor:
            usage[member_id].add_credits(day, earned)
        if limited:
            intervals = (EarnBonus.Interval.DAY, EarnBonus.Interval.MONTH)
            ever = [bonus.pk for bonus in limited if bonus.times_per not in intervals]
            cursor.execute(_BONUSES, [*span, ever])
            for member_id, bonus_id, paid_on, count in cursor:
                usage[member_id].bonuses_on += [(bonus_id, paid_on)] * count
    return usage


def list_first_charges(member_ids: Collection[int]) -> set[UUID]:
    """Each member's first paid charge. One read."""
    return set(
        Charge.objects.filter(member_id__in=list(member_ids), status=Charge.Status.SUCCEEDED)
        .order_by("member_id", "id")
        .distinct("member_id")
        .values_list("id", flat=True)
    )


def list_purchases(charges: Sequence[Charge], firsts: Collection[UUID]) -> dict[UUID, Purchase]:
    """Charges as the rules see them; lines that do not add up are left out. One read."""
    lines: dict[UUID, list[Line]] = {}
    sound = [charge.id for charge in charges if charge.has_sound_lines]
    for row in ChargeLine.objects.filter(charge_id__in=sound):
        line = Line(row.service, row.amount, row.is_recurring)
        lines.setdefault(row.charge_id, []).append(line)
    return {
        charge.id: Purchase(
            amount=charge.amount,
            currency=charge.currency,
            paid_at=charge.paid_at,
            paid_on=charge.paid_at.astimezone(ZoneInfo(charge.member.time_zone)).date(),
            lines=tuple(lines.get(charge.id, ())),
            is_first=charge.id in firsts,
        )
        for charge in charges
    }


def preview_charges(charges: Sequence[Charge]) -> list[Worth]:
    """A dry run: what these charges would earn now, in this order. Writes nothing."""
    book = read_rule_book()
    member_ids = {charge.member_id for charge in charges}
    returning = list_returning(member_ids)
    firsts = list_first_charges(member_ids - returning)
    purchases = list_purchases(charges, firsts)
    usage = read_usage(member_ids, [each.paid_on for each in purchases.values()], book)
    worths: list[Worth] = []
    for charge in charges:
        worth = worth_of_purchase(purchases[charge.id], book, usage[charge.member_id])
        usage[charge.member_id].add(purchases[charge.id], worth)
        worths.append(worth)
    return worths


@dataclass(frozen=True, slots=True)
class RenewalPreview:
    subscription: Subscription
    on: datetime
    credits: int


def preview_renewals(member: Member) -> list[RenewalPreview]:
    """What the member's next renewals will give, by today's rules and today's price."""
    now = database_now()
    due = [
        each
        for each in list_subscriptions(member)
        if each.is_renewing and each.price and each.period_ends_at >= now
    ][:RENEWALS_SHOWN]
    if not due:
        return []
    book, zone = read_rule_book(), ZoneInfo(member.time_zone)
    is_first = not list_first_charges([member.pk]) and not list_returning([member.pk])
    days = [each.period_ends_at.astimezone(zone).date() for each in due]
    usage = read_usage([member.pk], days, book)[member.pk]
    previews = []
    for each in due:
        purchase = Purchase(
            amount=each.price,
            currency=each.currency,
            paid_at=each.period_ends_at,
            paid_on=each.period_ends_at.astimezone(zone).date(),
            lines=(Line(each.service, each.price, is_recurring=True),),
            is_first=is_first,
        )
        is_first = False
        worth = worth_of_purchase(purchase, book, usage)
        usage.add(purchase, worth)
        previews.append(RenewalPreview(each, each.period_ends_at, worth.credits))
    return previews


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a charge earned what it did. `decision` is None for one that nobody explained."""

    charge: Charge
    is_waiting: bool
    pending: Pending | None
    decision: EarnDecision | None
    parts: list[Part]


def explain_charge(charge: Charge) -> Explanation:
    """Which rule gave what, what a cap took, or why there was nothing."""
    decision = EarnDecision.objects.filter(pk=charge.id).first()
    return Explanation(
        charge=charge,
        is_waiting=charge.credited_at is None,
        pending=find_pending(charge.member_id, charge.earn_op_id) if charge.earn_op_id else None,
        decision=decision,
        parts=_in_reader_language([Part(**part) for part in decision.parts]) if decision else [],
    )


def _in_reader_language(parts: list[Part]) -> list[Part]:
    """Parts by the names their rules have for the reader.

    A rule that was renamed since is told by the name it had, whatever it is called today.
    """
    rules = EarnRule.objects.in_bulk({part.id for part in parts if part.kind != _BONUS})
    bonuses = EarnBonus.objects.in_bulk({part.id for part in parts if part.kind == _BONUS})
    said = []
    for part in parts:
        row = (bonuses if part.kind == _BONUS else rules).get(part.id)
        if row is not None and row.name == part.name:
            part = replace(part, name=text_in(row.names, otherwise=part.name))
        said.append(part)
    return said


def parts_as_facts(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Parts as a decision stores them."""
    return [
        {
            "kind": part.kind, "id": part.id, "name": part.name,
            "service": part.service, "credits": part.credits,
        }
        for part in parts
    ]  # fmt: skip
