"""The promises about stamps; `verify.py` runs them with its own."""

from credits.verify import Invariant

STAMP_INVARIANTS: list[Invariant] = [
    Invariant(
        "I54",
        "a swap spent as many stamps of its own member and board as it says",
        """
        SELECT swap.id
        FROM benefits_stampswap swap
        LEFT JOIN benefits_stamp stamp
          ON stamp.swap_id = swap.id AND stamp.member_id = swap.member_id
         AND stamp.board_id = swap.board_id
        GROUP BY swap.id, swap.stamps
        HAVING count(stamp.id) <> swap.stamps
        UNION ALL
        SELECT swap.id
        FROM benefits_stampswap swap
        JOIN benefits_claim claim ON claim.id = swap.claim_id
        WHERE claim.price_credits > 0 OR claim.op_id <> swap.op_id
           OR claim.member_id <> swap.member_id
        """,
    ),
    Invariant(
        "I55",
        "what is for stamps only was claimed for stamps",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        JOIN benefits_benefit benefit ON benefit.id = claim.benefit_id
        LEFT JOIN benefits_stampswap swap ON swap.claim_id = claim.id
        WHERE benefit.only_for_stamps AND swap.id IS NULL AND claim.replaces_id IS NULL
          AND NOT EXISTS (SELECT FROM benefits_gift gift WHERE gift.received_claim_id = claim.id)
        """,
        is_liveness=True,
    ),
]
