"""The rows of a plan, a few statements for a whole batch, inside the caller's transaction."""

from typing import Any

from django.db import connection

from zone.history.models import (
    Charge,
    ChargeKey,
    ChargeLine,
    Refund,
    RefundKey,
    RejectedMessage,
    Subscription,
    SubscriptionEvent,
    SubscriptionEventKey,
    UnlinkedMessage,
)
from zone.history.services.ingest.plan import Plan

# What a subscription takes from its newest event, with the type of each column. One statement over
# arrays: an ORM bulk update spends ten milliseconds a row on building its CASE expressions.
_FOLLOWED = {
    "service": "text", "plan": "text", "status": "text", "is_trial": "boolean", "price": "bigint",
    "period": "text", "period_ends_at": "timestamptz", "expiration_intent": "smallint",
    "storefront": "text", "occurred_at": "timestamptz", "event_reference": "text",
    "started_at": "timestamptz",
}  # fmt: skip
_FOLLOW = f"""
    UPDATE history_subscription AS subscription
       SET {", ".join(f"{name} = news.{name}" for name in _FOLLOWED)}
      FROM unnest(%s::uuid[], {", ".join(f"%s::{kind}[]" for kind in _FOLLOWED.values())})
           AS news (id, {", ".join(_FOLLOWED)})
     WHERE subscription.id = news.id
"""  # noqa: S608 - names and types of the table above, no value of anyone's

_RAISE_REFUNDED = """
    UPDATE history_charge AS charge SET refunded = charge.refunded + news.amount
      FROM unnest(%s::uuid[], %s::bigint[]) AS news (id, amount)
     WHERE charge.id = news.id AND charge.id = ANY (%s::uuid[])
"""

# The price history is what the events say, in their own order, whatever order they came in.
_REBUILD_PRICES = """
    WITH said AS (
        SELECT subscription_id, price, occurred_at,
               lag(price) OVER (PARTITION BY subscription_id
                                ORDER BY occurred_at, event_reference) AS price_before
          FROM history_subscription_event
         WHERE subscription_id = ANY (%(ids)s::uuid[])
    ), points AS (
        SELECT DISTINCT ON (said.subscription_id, said.occurred_at)
               said.subscription_id, said.price, subscription.currency, said.occurred_at
          FROM said JOIN history_subscription AS subscription
            ON subscription.id = said.subscription_id
         WHERE said.price IS DISTINCT FROM said.price_before
         ORDER BY said.subscription_id, said.occurred_at
    ), gone AS (
        DELETE FROM history_pricepoint AS point
         WHERE point.subscription_id = ANY (%(ids)s::uuid[])
           AND NOT EXISTS (SELECT 1 FROM points
                            WHERE points.subscription_id = point.subscription_id
                              AND points.occurred_at = point.effective_at)
    )
    INSERT INTO history_pricepoint AS point (subscription_id, price, currency, effective_at)
    SELECT subscription_id, price, currency, occurred_at FROM points
        ON CONFLICT (subscription_id, effective_at) DO UPDATE SET price = EXCLUDED.price
     WHERE point.price <> EXCLUDED.price
"""


def write(plan: Plan) -> None:
    """Write everything, keys first: a key that somebody took meanwhile stops the whole batch."""
    ChargeKey.objects.bulk_create(plan.charge_keys)
    RefundKey.objects.bulk_create(plan.refund_keys)
    SubscriptionEventKey.objects.bulk_create(plan.event_keys)
    _write_linked(plan)
    Charge.objects.bulk_create(plan.charges.values())
    ChargeLine.objects.bulk_create(plan.lines)
    Refund.objects.bulk_create(plan.refunds)
    Refund.objects.bulk_update(plan.unparked, ["state", "charge"])
    if plan.refunded:
        ids = sorted(plan.refunded)
        _run(_RAISE_REFUNDED, [ids, [plan.refunded[charge_id] for charge_id in ids], ids])
    Subscription.objects.bulk_create(plan.new_subscriptions.values())
    if plan.changed_subscriptions:
        rows = list(plan.changed_subscriptions.values())
        names = ["id", *_FOLLOWED]
        _run(_FOLLOW, [[getattr(row, name) for row in rows] for name in names])
    SubscriptionEvent.objects.bulk_create(plan.events)
    if plan.events:
        _run(_REBUILD_PRICES, {"ids": list({event.subscription_id for event in plan.events})})
    UnlinkedMessage.objects.bulk_create(plan.unlinked)
    # The same refusal again is no news.
    RejectedMessage.objects.bulk_create(plan.rejected, ignore_conflicts=True)


def _write_linked(plan: Plan) -> None:
    """Keys of messages that waited for their user now name their rows."""
    if plan.linked_charges:
        wallets, bills, rows = zip(*plan.linked_charges, strict=True)
        _run(
            "UPDATE history_charge_key AS key SET row_id = news.row_id"
            "  FROM unnest(%s::text[], %s::text[], %s::uuid[]) AS news (wallet, bill, row_id)"
            " WHERE key.wallet_id = news.wallet AND key.bill_no = news.bill",
            [list(wallets), list(bills), list(rows)],
        )
    if plan.linked_refunds:
        wallets, bills, references, rows = zip(*plan.linked_refunds, strict=True)
        _run(
            "UPDATE history_refund_key AS key SET row_id = news.row_id"
            "  FROM unnest(%s::text[], %s::text[], %s::text[], %s::uuid[])"
            "       AS news (wallet, bill, reference, row_id)"
            " WHERE key.wallet_id = news.wallet AND key.bill_no = news.bill"
            "   AND key.refund_reference = news.reference",
            [list(wallets), list(bills), list(references), list(rows)],
        )
    if plan.linked_events:
        wallets, references, rows = zip(*plan.linked_events, strict=True)
        _run(
            "UPDATE history_subscription_event_key AS key SET row_id = news.row_id"
            "  FROM unnest(%s::text[], %s::text[], %s::uuid[]) AS news (wallet, reference, row_id)"
            " WHERE key.wallet_id = news.wallet AND key.event_reference = news.reference",
            [list(wallets), list(references), list(rows)],
        )
    if plan.uncounted:
        wallets, bills, references = zip(*plan.uncounted, strict=True)
        _run(
            "UPDATE history_refund_key AS key SET is_counted = false"
            "  FROM unnest(%s::text[], %s::text[], %s::text[]) AS news (wallet, bill, reference)"
            " WHERE key.wallet_id = news.wallet AND key.bill_no = news.bill"
            "   AND key.refund_reference = news.reference",
            [list(wallets), list(bills), list(references)],
        )
    if plan.done_unlinked:
        UnlinkedMessage.objects.filter(id__in=plan.done_unlinked).delete()


def _run(statement: str, values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
