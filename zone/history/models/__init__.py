from zone.history.models.charge import Charge, ChargeLine, Refund
from zone.history.models.intake import (
    ChargeKey,
    RefundKey,
    RejectedMessage,
    SubscriptionEventKey,
    UnlinkedMessage,
)
from zone.history.models.subscription import PricePoint, Subscription, SubscriptionEvent

__all__ = [
    "Charge",
    "ChargeKey",
    "ChargeLine",
    "PricePoint",
    "Refund",
    "RefundKey",
    "RejectedMessage",
    "Subscription",
    "SubscriptionEvent",
    "SubscriptionEventKey",
    "UnlinkedMessage",
]
