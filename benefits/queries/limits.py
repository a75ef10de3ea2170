"""Limits, budgets and prices as one member meets them: the reading side of the claim function."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import get_language

from benefits import errors
from benefits.models import Benefit, Quota, Release
from credits.queries.tiers import list_reached_tiers
from zone.core.errors import ZoneError
from zone.core.wording import language_chain
from zone.members.models import Member


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one member and one benefit now: the price, and a limit that is used up."""

    price_credits: int
    refusal: ZoneError | None
    price_row: int | None = None  # The row that set the price, by its position from the top.


# The very functions that the claim calls, so that a card cannot promise what a claim refuses.
_TERMS = """
    SELECT asked.benefit_id,
           CASE asked.mode WHEN 'credits' THEN 0 ELSE benefits_price_for(
               asked.benefit_id, member.id, member.wallet_id, asked.price, %s::text[]) END,
           quota.holder_kind, quota.period, quota.allowed, quota.again_at,
           benefit.budget_id IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM benefits_budget budget
               WHERE budget.id = benefit.budget_id
                 AND budget.currency = benefit.unit_cost_currency
                 AND budget.spent + benefit.unit_cost <= budget.amount
           ),
           (SELECT price.position FROM benefits_pricerow price
            WHERE asked.mode <> 'credits' AND price.id = benefits_price_row(
                asked.benefit_id, member.id, member.wallet_id, %s::text[])),
           %s::text[] IS NULL AND benefits_needs_tier(asked.benefit_id),
           (
               SELECT jsonb_build_object(
                   'id', chosen.public_id, 'slug', chosen.slug, 'titles', (
                       SELECT jsonb_object_agg(words.language, words.title)
                       FROM benefits_benefittext words WHERE words.benefit_id = chosen.id))
               FROM benefits_claim rival JOIN benefits_benefit chosen ON chosen.id = rival.benefit_id
               WHERE rival.id = benefits_bundle_rival(asked.benefit_id, member.id, %s)
           )
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::int[])
         AS asked (benefit_id, release_id, mode, price)
    JOIN benefits_benefit benefit ON benefit.id = asked.benefit_id
    JOIN members_member member ON member.id = %s
    LEFT JOIN LATERAL (
        SELECT * FROM benefits_quotas_of(
            asked.benefit_id, asked.release_id, member.id, member.wallet_id, member.time_zone,
            member.person_token, %s, %s::text[])
        WHERE is_full
        ORDER BY again_at DESC NULLS FIRST
        LIMIT 1
    ) quota ON true
"""


def read_terms(
    *, member: Member, chosen: list[tuple[Benefit, Release]], now: datetime
) -> dict[int, Terms]:
    """Price and limits of each benefit, by its key, for this member.

    One query for any number; the member's tier is read only when one of them asks for it.
    """
    if not chosen:
        return {}
    rows = _read_rows(member, chosen, now, tiers=None)
    if any(row[-2] for row in rows):
        rows = _read_rows(member, chosen, now, tiers=list_reached_tiers(member))
    return {
        benefit_id: Terms(
            price,
            _choice_refusal(rival)
            or _refusal(holder, period, allowed, again_at)
            or _budget_refusal(is_spent),
            price_row,
        )
        for (
            benefit_id,
            price,
            holder,
            period,
            allowed,
            again_at,
            is_spent,
            price_row,
            _,
            rival,
        ) in rows
    }


def _read_rows(
    member: Member,
    chosen: list[tuple[Benefit, Release]],
    now: datetime,
    *,
    tiers: list[str] | None,
) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            _TERMS,
            [
                *(tiers, tiers, tiers),
                now,
                [benefit.pk for benefit, _ in chosen],
                [release.pk for _, release in chosen],
                [release.mode for _, release in chosen],
                [release.price_credits for _, release in chosen],
                member.pk,
                *(now, tiers),
            ],
        )
        rows: list[Any] = cursor.fetchall()
    return rows


def _choice_refusal(rival: str | None) -> ZoneError | None:
    """The benefit that was chosen instead, in the reader's language."""
    if rival is None:
        return None
    chosen = json.loads(rival)
    titles = chosen["titles"] or {}
    title = next(
        (titles[one] for one in language_chain(get_language() or "en") if one in titles),
        next(iter(titles.values()), chosen["slug"]),
    )
    return errors.AlreadyChosen(chosen=chosen["id"], title=title)


def _budget_refusal(is_spent: bool) -> ZoneError | None:
    return errors.BudgetExhausted() if is_spent else None


def _refusal(
    holder: str | None, period: str, allowed: int, again_at: datetime | None
) -> ZoneError | None:
    """A full quota in words. A person's says nothing that tells of the person's other members."""
    if holder is None:
        return None
    if holder == Quota.Holder.PERSON:
        return errors.NotAgain()
    if holder == Quota.Holder.ALL:
        return errors.SliceSoldOut(period=period, again_at=again_at)
    limit = f"{allowed}_per_{period}" if period != Quota.Period.TOTAL else str(allowed)
    return errors.QuotaReached(period=period, limit=limit, again_at=again_at)
