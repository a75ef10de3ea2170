"""Messages as a wallet sends them, with what matters to a test said by the test."""

from datetime import datetime
from itertools import count
from typing import Any

from zone.core import vault
from zone.members.models import Member

_numbers = count(1)
CURRENCY = {"ALIPAY_CN": "CNY", "ALIPAY_HK": "HKD", "GCASH": "PHP"}


def user_id_of(member: Member) -> str:
    identity = member.identities.get()
    return vault.unwrap(bytes(identity.value_sealed), purpose="wallet-identity").decode()


def bill(
    user_id: str,
    *,
    bill_no: str = "",
    value: object = "6800",
    currency: str = "CNY",
    pay_time: object = "2026-11-02T11:04:01+08:00",
    lines: object = None,
    **more: Any,
) -> dict[str, Any]:
    body = {
        "userId": user_id,
        "billNo": bill_no or f"BILL{next(_numbers):08d}",
        "merchantId": "APPLE_CN",
        "merchantName": "APPLE.COM/BILL",
        "orderAmount": {"currency": currency, "value": value},
        "payTime": pay_time,
        "pointsProvider": "ALIPAYCN",
        "outBillNo": "MX0001",
        **more,
    }
    return body if lines is None else {**body, "lines": lines}


def line(
    title: str,
    amount: str,
    *,
    service: str = "IN_APP",
    no: int = 1,
    recurring: bool = False,
    ref: str = "",
) -> dict[str, Any]:
    named = {"subscriptionRef": ref} if ref else {}
    return {
        "lineNo": no,
        "service": service,
        "productName": title,
        "amount": amount,
        "recurring": "true" if recurring else "false",
        **named,
    }


def refund(
    user_id: str,
    bill_no: str,
    *,
    value: object = "6800",
    currency: str = "CNY",
    refund_time: object = "2026-11-05 09:30:00",
    refund_no: str = "",
    **more: Any,
) -> dict[str, Any]:
    body = {
        "userId": user_id,
        "relateBillNo": bill_no,
        "refundAmount": {"currency": currency, "value": value},
        "refundTime": refund_time,
        "pointsProvider": "ALIPAYCN",
        **more,
    }
    return {**body, "refundOutBillNo": refund_no} if refund_no else body


def event(
    user_id: str,
    *,
    event_id: str = "",
    ref: str = "SUB-1",
    at: datetime | str = "2026-11-02T03:04:05Z",
    ends: datetime | str = "2026-12-02T03:04:05Z",
    status: object = "1",
    renews: object = "1",
    price: object = "1100",
    currency: str = "CNY",
    service: str = "APPLE_MUSIC",
    plan: str = "INDIVIDUAL",
    **more: Any,
) -> dict[str, Any]:
    return {
        "eventId": event_id or f"EVT{next(_numbers):08d}",
        "occurredAt": at.isoformat() if isinstance(at, datetime) else at,
        "userId": user_id,
        "subscriptionRef": ref,
        "service": service,
        "plan": plan,
        "status": status,
        "autoRenewStatus": renews,
        "expiresAt": ends.isoformat() if isinstance(ends, datetime) else ends,
        "renewalPrice": {"currency": currency, "value": price},
        "storefront": "CHN",
        **more,
    }
