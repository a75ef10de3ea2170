"""Taking credits back as far as the policy goes: what waits first, then what was earned."""

from datetime import datetime
from typing import Any
from uuid import UUID

from credits import ledger
from credits.models import EarnPolicy
from credits.promises import cancel_pending, clawback_available
from zone.core.ids import uuid7


def take_back(
    member_id: int,
    earn_op: UUID,
    amount: int,
    policy: EarnPolicy | None,
    now: datetime,
    *,
    related: str,
    occurred_at: datetime,
) -> int:
    """Take `amount` back as far as the policy goes; says how much was taken."""
    canceled = cancel_pending(member_id=member_id, op_id=earn_op, amount=amount)
    rest = amount - canceled
    clawback = policy.clawback if policy else EarnPolicy.Clawback.DEBT
    if not rest or clawback == EarnPolicy.Clawback.PENDING:
        return canceled
    back: dict[str, Any] = {
        "member_id": member_id,
        "op_id": uuid7(now),
        "orig_op": earn_op,
        "amount": rest,
        "reason": "refund",
        "related": related,
        "occurred_at": occurred_at,
    }
    if clawback == EarnPolicy.Clawback.AVAILABLE:
        return canceled + clawback_available(**back)
    ledger.clawback(**back)
    return amount
