"""Undoing a correction in the very buckets it touched: one round trip, in the caller's transaction."""

from uuid import UUID

from credits.ledger import Result, call_verb


def undo_adjustment(
    *, member_id: int, op_id: UUID, orig_op: UUID, reason: str = "", related: str = ""
) -> Result:
    """Take an adjustment back, once and as a whole.

    What it took returns to the buckets it left, and expires at once where those have lapsed; what it
    gave is taken from its own bucket first. Safe to repeat with the same op_id.

    Raises OriginalNotFound, AmountExceedsOriginal when it was undone before, InsufficientCredits,
    AccountClosed.
    """
    return call_verb(
        "unadjust",
        [member_id, op_id, orig_op, reason, related],
        "bigint, uuid, uuid, text, text",
    )
