"""The promises about events, friends and accounts that stand still; `verify.py` runs them too."""

from credits.verify_base import Invariant

STANDING_INVARIANTS: list[Invariant] = [
    Invariant(
        "I50",
        "what an event gave is in the journal or promised, once and no more than decided",
        """
        SELECT event.member_id, event.op_id
        FROM credits_earnevent event
        LEFT JOIN ledger.entry entry
          ON entry.member_id = event.member_id AND entry.op_id = event.op_id
        LEFT JOIN ledger.pending_earn pending
          ON pending.member_id = event.member_id AND pending.op_id = event.op_id
        WHERE event.op_id IS NOT NULL
          AND coalesce(entry.available_change - entry.debt_change + coalesce(pending.taken, 0),
                       pending.amount, 0) <> event.credits
        """,
    ),
    Invariant(
        "I51",
        "a member thanked for a friend is no friend of themselves, and thanked by a purchase",
        """
        SELECT event.member_id, event.source
        FROM credits_earnevent event
        LEFT JOIN credits_referral referral
          ON event.source = 'friend:' || referral.friend_id
         AND referral.inviter_id = event.member_id AND referral.state IN ('bought', 'refunded')
        WHERE event.kind = 'referral' AND referral.friend_id IS NULL
        """,
    ),
    Invariant(
        "I52",
        "a frozen member's account is frozen or closed, and nobody else is marked frozen",
        """
        SELECT member.id
        FROM members_member member
        LEFT JOIN credits_freeze hold
          ON hold.member_id = member.id AND hold.thawed_at IS NULL
        LEFT JOIN ledger.account account ON account.member_id = member.id
        WHERE (member.frozen_at IS NOT NULL OR hold.id IS NOT NULL)
          AND ((member.frozen_at IS NULL) <> (hold.id IS NULL)
               OR coalesce(account.status, 0) = 0)
        """,
    ),
    Invariant(
        "I53",
        "a kept account stands still until its member links again, and is empty once closed",
        """
        SELECT kept.member_id
        FROM credits_keptaccount kept
        LEFT JOIN ledger.account account ON account.member_id = kept.member_id
        WHERE kept.restored_at IS NULL
          AND (coalesce(account.status, 0) = 0
               OR (kept.closed_at IS NOT NULL
                   AND account.available + account.held + account.debt > 0))
        """,
    ),
]
