"""Everything history stores, as one value: equal before and after means that nothing changed."""

from django.db import connection

TABLES = (
    "history_charge",
    "history_charge_line",
    "history_refund",
    "history_subscription",
    "history_subscription_event",
    "history_pricepoint",
    "history_charge_key",
    "history_refund_key",
    "history_subscription_event_key",
    "history_unlinkedmessage",
    "history_rejectedmessage",
    "notices_notice",
)
_SUM = "SELECT count(*), md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM {} AS t"


def checksums() -> dict[str, tuple[int, str]]:
    with connection.cursor() as cursor:
        sums = {}
        for table in TABLES:
            cursor.execute(_SUM.format(table))
            sums[table] = cursor.fetchone()
    return sums
