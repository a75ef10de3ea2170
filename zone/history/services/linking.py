"""Messages that waited for their user become that member's history, or go when nobody came."""

from django.db import connection, transaction

from zone.core import clock
from zone.history.models import ChargeKey, RefundKey, SubscriptionEventKey, UnlinkedMessage
from zone.history.services.ingest import Outcome, store
from zone.history.services.ingest.known import Incoming
from zone.history.services.ingest.plan import Plan
from zone.history.services.ingest.reading import Bill, RefundNews, read_message
from zone.members.models import Member, Wallet, WalletIdentity

CHUNK_MESSAGES = 500

_WAITING_MEMBERS = """
    SELECT DISTINCT identity.member_id
      FROM history_unlinkedmessage AS message
      JOIN members_walletidentity AS identity
        ON identity.wallet_id = message.wallet_id AND identity.value_index = message.user_index
       AND identity.kind = 'user_id' AND identity.app_id = ''
     LIMIT %s
"""


def link_history(member: Member) -> int:
    """Everything the wallet sent about this member before we knew them is theirs now.

    Returns how many messages were stored. Safe to repeat and to race: each message is locked,
    stored and taken off the waiting list in one transaction, in the order it came.
    """
    identities = WalletIdentity.objects.filter(member=member, kind=WalletIdentity.Kind.USER_ID)
    indexes = [bytes(identity.value_index) for identity in identities]
    count = 0
    while indexes:
        linked, seen = _link_chunk(member.wallet_id, indexes)
        count += linked
        if seen < CHUNK_MESSAGES:
            break
    return count


def _link_chunk(wallet_code: str, indexes: list[bytes]) -> tuple[int, int]:
    with transaction.atomic():
        waiting = list(
            UnlinkedMessage.objects.filter(wallet_id=wallet_code, user_index__in=indexes)
            .select_related("wallet")
            .order_by("id")
            .select_for_update(of=("self",), skip_locked=True)[:CHUNK_MESSAGES]
        )
        if not waiting:
            return 0, 0
        verdicts = store([_incoming(message) for message in waiting], Plan(clock.now()))
    return sum(verdict.outcome == Outcome.STORED for verdict in verdicts), len(waiting)


def _incoming(message: UnlinkedMessage) -> Incoming:
    return Incoming(
        wallet_code=message.wallet_id,
        user_index=bytes(message.user_index),
        news=read_message(message.path, message.body, currency=message.wallet.currency),
        path=message.path,
        body=message.body,
        unlinked_id=message.pk,
    )


def link_waiting(limit: int = 200) -> int:
    """Link the history of members who are known by now; returns how many messages were stored.

    The sweep behind sign-in and import: whatever they missed is found here.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITING_MEMBERS, [limit])
        member_ids = [member_id for (member_id,) in cursor.fetchall()]
    return sum(link_history(member) for member in Member.objects.filter(id__in=member_ids))


def purge_unlinked(limit: int = 1000) -> int:
    """Messages that waited 30 days go, and with them their keys; returns how many went."""
    with transaction.atomic():
        gone = list(
            UnlinkedMessage.objects.filter(expires_at__lte=clock.now())
            .order_by("expires_at")
            .select_for_update(skip_locked=True)[:limit]
        )
        currencies = dict(Wallet.objects.values_list("code", "currency"))
        for message in gone:
            _free_key(message, currencies[message.wallet_id])
        UnlinkedMessage.objects.filter(id__in=[message.pk for message in gone]).delete()
    return len(gone)


def _free_key(message: UnlinkedMessage, currency: str) -> None:
    news = read_message(message.path, message.body, currency=currency)
    free = {"wallet_id": message.wallet_id, "row_id": None}
    if isinstance(news, Bill):
        ChargeKey.objects.filter(bill_no=news.bill_no, **free).delete()
    elif isinstance(news, RefundNews):
        RefundKey.objects.filter(
            bill_no=news.bill_no, refund_reference=news.refund_reference, **free
        ).delete()
    else:
        SubscriptionEventKey.objects.filter(event_reference=news.event_reference, **free).delete()
