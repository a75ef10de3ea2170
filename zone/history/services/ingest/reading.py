"""From what the wallet sends to plain, checked facts. Nothing here touches the database.

Field names are those of AlipayHK's points feed (`points/bill/notify`, `points/refund/notify`,
https://open.alipayhk.com); `lines` and the subscription message are the portal's own extension.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from zone.history.models import Subscription

BILL = "points/bill/notify"
REFUND = "points/refund/notify"
SUBSCRIPTION = "subscriptions/notify"
PATHS = (BILL, REFUND, SUBSCRIPTION)

LINES_MAX = 200
AMOUNT_MAX = 10**15  # minor units
_FIRST_MOMENT = datetime(2008, 7, 1, tzinfo=UTC)  # The App Store opened that month.
_LAST_MOMENT = datetime(2100, 1, 1, tzinfo=UTC)
_ZONE_WHEN_ABSENT = timezone(timedelta(hours=8))
_WHOLE = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)  # fmt: skip
_MASK_KEEPS = 4


class Illegal(Exception):
    """The message cannot be what it claims to be; `args[0]` says where, for the sender."""


@dataclass(frozen=True, slots=True)
class Line:
    line_no: int
    service: str
    title: str
    amount: int
    is_recurring: bool
    subscription_reference: str


@dataclass(frozen=True, slots=True)
class Bill:
    user_id: str
    bill_no: str
    amount: int
    currency: str
    occurred_at: datetime
    order_no: str
    merchant_reference: str
    merchant_name: str
    lines: tuple[Line, ...]

    @property
    def reference(self) -> str:
        return self.bill_no


@dataclass(frozen=True, slots=True)
class RefundNews:
    user_id: str
    bill_no: str
    amount: int
    currency: str
    occurred_at: datetime
    refund_no: str

    @property
    def refund_reference(self) -> str:
        """The wallet's number, or time and amount when it gives none."""
        return self.refund_no or f"@{int(self.occurred_at.timestamp())}:{self.amount}"

    @property
    def reference(self) -> str:
        return f"{self.bill_no} {self.refund_reference}"


@dataclass(frozen=True, slots=True)
class SubscriptionNews:
    user_id: str
    event_reference: str
    occurred_at: datetime
    subscription_reference: str
    service: str
    plan: str
    status: Subscription.Status
    is_trial: bool
    period_ends_at: datetime
    price: int
    currency: str
    expiration_intent: int | None
    storefront: str
    fingerprint: bytes

    @property
    def reference(self) -> str:
        return self.event_reference


News = Bill | RefundNews | SubscriptionNews


def read_message(path: str, body: object, *, currency: str) -> News:
    """The facts of one message. Raises Illegal, naming the field, when it breaks a rule."""
    if not isinstance(body, dict):
        raise Illegal("the body is not a JSON object")
    if path == BILL:
        return _read_bill(body, currency)
    if path == REFUND:
        return _read_refund(body, currency)
    if path == SUBSCRIPTION:
        return _read_subscription(body, currency)
    raise Illegal("the path names no message")


def _read_bill(body: dict[str, object], currency: str) -> Bill:
    _text(body, "pointsProvider", 32)
    return Bill(
        user_id=_text(body, "userId", 64),
        bill_no=_text(body, "billNo", 64),
        amount=_money(body, "orderAmount", currency),
        currency=currency,
        occurred_at=_moment(body, "payTime"),
        order_no=_text(body, "outBillNo", 64, is_required=False),
        merchant_reference=_text(body, "merchantId", 64, is_required=False),
        merchant_name=_text(body, "merchantName", 128, is_required=False),
        lines=_lines(body),
    )


def _lines(body: dict[str, object]) -> tuple[Line, ...]:
    raw = body.get("lines")
    if raw is None:
        return ()
    if not isinstance(raw, list) or len(raw) > LINES_MAX:
        raise Illegal(f"lines: not a list of at most {LINES_MAX}")
    lines: list[Line] = []
    for position, item in enumerate(raw, start=1):
        if not isinstance(item, dict):
            raise Illegal(f"lines[{position - 1}]: not an object")
        amount = item.get("amount")
        # A free trial is a line that costs nothing.
        lines.append(
            Line(
                line_no=_number(item, "lineNo", most=9999, default=position),
                service=_word(item, "service", default="other"),
                title=_text(item, "productName", 200, is_required=False),
                amount=0
                if amount in ("0", 0) and amount is not False
                else _whole(amount, "amount"),
                is_recurring=_flag(item, "recurring", default=False),
                subscription_reference=_text(item, "subscriptionRef", 64, is_required=False),
            )
        )
    if len({line.line_no for line in lines}) != len(lines):
        raise Illegal("lines: a lineNo twice")
    return tuple(lines)


def _read_refund(body: dict[str, object], currency: str) -> RefundNews:
    _text(body, "pointsProvider", 32)
    return RefundNews(
        user_id=_text(body, "userId", 64),
        bill_no=_text(body, "relateBillNo", 64),
        amount=_money(body, "refundAmount", currency),
        currency=currency,
        occurred_at=_moment(body, "refundTime"),
        refund_no=_text(body, "refundOutBillNo", 64, is_required=False),
    )


def _read_subscription(body: dict[str, object], currency: str) -> SubscriptionNews:
    number = _number(body, "status", least=1, most=5)
    renews = _number(body, "autoRenewStatus", most=1, default=1) == 1
    is_trial = _text(body, "offerDiscountType", 32, is_required=False) == "FREE_TRIAL"
    facts = {
        "user_id": _text(body, "userId", 64),
        "event_reference": _text(body, "eventId", 64),
        "occurred_at": _moment(body, "occurredAt"),
        "subscription_reference": _text(body, "subscriptionRef", 64),
        "service": _word(body, "service"),
        "plan": _text(body, "plan", 120, is_required=False),
        "status": _status(number, renews=renews, is_trial=is_trial),
        "is_trial": is_trial,
        "period_ends_at": _moment(body, "expiresAt"),
        "price": _money(body, "renewalPrice", currency),
        "currency": currency,
        "expiration_intent": _number(body, "expirationIntent", most=99, default=0) or None,
        "storefront": _text(body, "storefront", 3, is_required=False),
    }
    # A repeat must say the same about everything but the user, whom the key holds as an index.
    said = json.dumps(facts | {"user_id": ""}, default=str, sort_keys=True)
    fingerprint = hashlib.sha256(said.encode()).digest()
    return SubscriptionNews(**facts, fingerprint=fingerprint)  # type: ignore[arg-type]


def _status(number: int, *, renews: bool, is_trial: bool) -> Subscription.Status:
    """Our word for Apple's `status`; a trial that was canceled is canceled first."""
    if number == 1 and not renews:
        return Subscription.Status.CANCEL_SCHEDULED
    if number == 1 and is_trial:
        return Subscription.Status.TRIAL
    return {
        1: Subscription.Status.ACTIVE,
        2: Subscription.Status.EXPIRED,
        3: Subscription.Status.RETRY,
        4: Subscription.Status.GRACE,
        5: Subscription.Status.REVOKED,
    }[number]


def _text(body: dict[str, object], name: str, most: int, *, is_required: bool = True) -> str:
    value = body.get(name)
    if value is None and not is_required:
        return ""
    if not isinstance(value, str) or (is_required and not value.strip()):
        raise Illegal(f"{name}: missing or no text")
    if len(value) > most:
        raise Illegal(f"{name}: longer than {most} letters")
    if value != cleaned(value):
        raise Illegal(f"{name}: holds letters that are none")
    return value


def _word(body: dict[str, object], name: str, *, default: str = "") -> str:
    value = _text(body, name, 24, is_required=not default) or default
    if not re.fullmatch(r"[A-Za-z0-9_]+", value, re.ASCII):
        raise Illegal(f"{name}: not a word")
    return value.lower()


def _money(body: dict[str, object], name: str, currency: str) -> int:
    value = body.get(name)
    if not isinstance(value, dict):
        raise Illegal(f"{name}: missing or no amount")
    if value.get("currency") != currency:
        raise Illegal(f"{name}.currency: not {currency}")
    return _whole(value.get("value"), f"{name}.value")


def _whole(value: object, name: str) -> int:
    """A positive whole number of minor units, sent as text or as a number."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= AMOUNT_MAX:
        return value
    raise Illegal(f"{name}: not a positive whole number of minor units")


def _number(
    body: dict[str, object], name: str, *, least: int = 0, most: int, default: int | None = None
) -> int:
    value = body.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,4}", value, re.ASCII):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    raise Illegal(f"{name}: not a number from {least} to {most}")


def _flag(body: dict[str, object], name: str, *, default: bool) -> bool:
    value = body.get(name)
    if value is None:
        return default
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise Illegal(f"{name}: neither true nor false")


def _moment(body: dict[str, object], name: str) -> datetime:
    """An instant in UTC. Without a zone it is read as UTC+8, as the wallets' refunds mean it."""
    value = body.get(name)
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise Illegal(f"{name}: no time")
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=_ZONE_WHEN_ABSENT)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Illegal(f"{name}: no time") from error
    if not _FIRST_MOMENT <= moment < _LAST_MOMENT:
        raise Illegal(f"{name}: out of range")
    return moment


def cleaned(value: str) -> str:
    """`value` as PostgreSQL can hold it: no NUL, no half of a surrogate pair."""
    return value.encode("utf-8", "replace").decode().replace("\x00", "")


def masked(body: object) -> object:
    """`body` as an operator may see it: the user id down to its last letters."""
    if not isinstance(body, dict):
        return None
    kept = _cleaned_deep(body)
    user_id = kept.get("userId")  # type: ignore[attr-defined]
    if isinstance(user_id, str):
        kept["userId"] = "••••" + user_id[-_MASK_KEEPS:]  # type: ignore[index]
    elif user_id is not None:
        kept["userId"] = "••••"  # type: ignore[index]
    return kept


def _cleaned_deep(value: object) -> object:
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, dict):
        return {cleaned(str(name)): _cleaned_deep(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_cleaned_deep(item) for item in value]
    return value


def body_hash(body: object) -> bytes:
    """32 bytes that are equal exactly when two bodies say the same."""
    said = json.dumps(body, sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).digest()
