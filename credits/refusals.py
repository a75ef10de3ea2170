"""From a result code of SQL to the typed refusal that Python raises."""

from credits import errors

REFUSALS: dict[str, type[errors.LedgerError]] = {
    "invalid_amount": errors.InvalidAmount,
    "invalid_until": errors.InvalidUntil,
    "invalid_expiry": errors.InvalidUntil,
    "invalid_op": errors.InvalidOperation,
    "not_found": errors.UnknownMember,
    "frozen": errors.MemberFrozen,
    "closed": errors.AccountClosed,
    "conflict": errors.OperationConflict,
    "hold_not_found": errors.HoldNotFound,
    "already_resolved": errors.HoldNotOpen,
    "hold_expired": errors.HoldExpired,
    "exceeds_hold": errors.AmountExceedsHold,
    "original_not_found": errors.OriginalNotFound,
    "exceeds_original": errors.AmountExceedsOriginal,
    "too_large": errors.BalanceTooLarge,
    "too_many_buckets": errors.BalanceTooLarge,
    "out_of_order": errors.OutOfOrder,
    "busy": errors.LedgerBusy,
    "not_empty": errors.AccountNotEmpty,
}


def error_of(code: str, *, available: int = 0, asked: int = 0) -> errors.LedgerError:
    """The typed refusal for a result code: also for rooms that call the functions from their SQL."""
    if code == "insufficient":
        return errors.InsufficientCredits(available=available, gap=asked - available)
    return REFUSALS[code]()
