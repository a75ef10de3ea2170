"""What a member bought is forgotten; that money moved, when and how much, is kept as the law asks.

Trade records are kept three years at least (E-Commerce Law of the PRC, article 31); the names of
what was bought, and the numbers by which the seller knows the buyer, are not needed for that.
"""

from django.db import connection

from zone.history.models import Subscription
from zone.members.models import Erasure
from zone.members.services.erasures import forget_in_room

ROOM = "history"

_CHARGES = "SELECT id FROM history_charge WHERE member_id = %s"
_FORGET = (
    f"""UPDATE history_charge_line SET title = '', subscription_reference = ''
         WHERE charge_id IN ({_CHARGES})""",  # noqa: S608 - our own text, not anybody's
    """UPDATE history_rejectedmessage r SET body = NULL, reference = ''
         FROM history_charge c
        WHERE c.member_id = %s AND r.wallet_id = c.wallet_id
          AND (r.reference = c.bill_no OR r.reference LIKE c.bill_no || ' %%')""",
    """UPDATE history_charge_key k SET user_index = ''
         FROM history_charge c
        WHERE c.member_id = %s AND k.wallet_id = c.wallet_id AND k.bill_no = c.bill_no""",
    """UPDATE history_refund_key k SET user_index = ''
         FROM history_refund r
        WHERE r.member_id = %s AND k.wallet_id = r.wallet_id AND k.bill_no = r.bill_no""",
    """UPDATE history_subscription_event_key k SET user_index = ''
         FROM history_subscription s JOIN history_subscription_event e ON e.subscription_id = s.id
        WHERE s.member_id = %s AND k.wallet_id = s.wallet_id
          AND k.event_reference = e.event_reference""",
    """UPDATE history_subscription_event e SET plan = ''
         FROM history_subscription s WHERE s.member_id = %s AND e.subscription_id = s.id""",
    "UPDATE history_charge SET order_no = '', merchant_reference = '' WHERE member_id = %s",
    "UPDATE history_refund SET refund_no = '' WHERE member_id = %s",
)


def forget_members() -> int:
    """No name of a product and no id of a person is left of whoever is forgotten."""
    return forget_in_room(ROOM, _forget)


def _forget(erasure: Erasure) -> bool:
    with connection.cursor() as cursor:
        for statement in _FORGET:
            cursor.execute(statement, [erasure.member_id])
    for subscription in Subscription.objects.filter(member_id=erasure.member_id):
        Subscription.objects.filter(pk=subscription.pk).update(
            plan="", reference=subscription.id.hex, status=Subscription.Status.EXPIRED
        )
    return True
