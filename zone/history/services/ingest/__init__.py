"""The one way in for what wallets send, one message or a file of them.

`ingest_bill`, `ingest_refund` and `ingest_subscription` are batches of one, so the HTTP door and
the file importer follow the same rules to the letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from zone.core import clock
from zone.core.errors import NotFound
from zone.history.models import RejectedMessage
from zone.history.services.ingest.announcing import announce
from zone.history.services.ingest.deciding import decide
from zone.history.services.ingest.known import Incoming, load_known, lock
from zone.history.services.ingest.plan import Outcome, Plan, Verdict, rejection
from zone.history.services.ingest.reading import (
    BILL,
    PATHS,
    REFUND,
    SUBSCRIPTION,
    Illegal,
    News,
    read_message,
)
from zone.history.services.ingest.writing import write
from zone.history.services.months import ensure_months
from zone.members.models import Wallet
from zone.members.services.identities import identity_index

__all__ = [
    "BILL",
    "PATHS",
    "REFUND",
    "SUBSCRIPTION",
    "Message",
    "Outcome",
    "Receipt",
    "Verdict",
    "ingest_batch",
    "ingest_bill",
    "ingest_refund",
    "ingest_subscription",
    "store",
]


@dataclass(frozen=True, slots=True)
class Message:
    """What came over the wire: `body` is the decoded JSON, whatever it is."""

    wallet_code: str
    path: str
    body: object


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one message; `news` is what it said, when it was legal."""

    outcome: Outcome
    reason: str = ""
    public_id: str = ""
    news: News | None = None


def ingest_bill(*, wallet_code: str, body: object) -> Receipt:
    """A charge is stored, or its message is told apart as every message is: see `ingest_batch`."""
    return ingest_batch([Message(wallet_code, BILL, body)])[0]


def ingest_refund(*, wallet_code: str, body: object) -> Receipt:
    """A refund is applied to its charge, or parked until the charge comes."""
    return ingest_batch([Message(wallet_code, REFUND, body)])[0]


def ingest_subscription(*, wallet_code: str, body: object) -> Receipt:
    """A subscription follows one event; an older event only adds to its history."""
    return ingest_batch([Message(wallet_code, SUBSCRIPTION, body)])[0]


def ingest_batch(messages: Sequence[Message]) -> list[Receipt]:
    """Every message has exactly one outcome, in order: illegal, duplicate, inconsistent, unlinked, stored.

    All or nothing: one transaction stores what is to be stored and keeps what is to be kept for
    operators. Safe to repeat: what was stored or kept before is a duplicate and changes nothing.
    Messages about one bill or one subscription wait for each other, also across processes.

    Raises NotFound for a wallet that we do not have; a database error leaves nothing behind.
    """
    now = clock.now()
    wallets = Wallet.objects.in_bulk({message.wallet_code for message in messages})
    plan = Plan(now)
    receipts: list[Receipt | None] = []
    incoming: list[Incoming] = []
    for message in messages:
        wallet = wallets.get(message.wallet_code)
        if wallet is None:
            raise NotFound(wallet=message.wallet_code)
        try:
            news = read_message(message.path, message.body, currency=wallet.currency)
        except Illegal as error:
            plan.rejected.append(
                rejection(
                    wallet_code=wallet.code,
                    path=message.path,
                    body=message.body,
                    outcome=RejectedMessage.Outcome.ILLEGAL,
                    reason=str(error),
                    reference="",
                    now=now,
                )
            )
            receipts.append(Receipt(Outcome.ILLEGAL, reason=str(error)))
            continue
        receipts.append(None)
        index = identity_index(wallet.code, news.user_id)
        incoming.append(Incoming(wallet.code, index, news, message.path, message.body))
    verdicts = iter(store(incoming, plan))
    told = iter(incoming)
    return [
        receipt or _receipt(next(verdicts), next(told).news) for receipt in receipts
    ]  # fmt: skip


def _receipt(verdict: Verdict, news: News) -> Receipt:
    return Receipt(verdict.outcome, verdict.reason, verdict.public_id, news)


def store(incoming: Sequence[Incoming], plan: Plan) -> list[Verdict]:
    """Decide and write legal messages in one transaction, with what `plan` already holds."""
    ensure_months(item.news.occurred_at for item in incoming)
    with transaction.atomic():
        lock(incoming)
        known = load_known(incoming)
        verdicts = [decide(item, known, plan) for item in incoming]
        write(plan)
        announce(plan)
    return verdicts
