"""The promises of fair draws; `verify.py` runs them with its own."""

from credits.verify import Invariant

DRAW_INVARIANTS: list[Invariant] = [
    Invariant(
        "I47",
        "a draw has as many winners as it says, and each has the claim it won",
        """
        SELECT draw.public_id
        FROM benefits_fairdraw draw
        LEFT JOIN benefits_drawentry entry ON entry.draw_id = draw.id AND entry.state = 'won'
        LEFT JOIN benefits_claim claim ON claim.id = entry.claim_id
        GROUP BY draw.id
        HAVING count(entry.id) <> draw.winner_count
            OR bool_or(entry.id IS NOT NULL AND (
                claim.id IS NULL OR claim.op_id <> entry.op_id
                OR claim.member_id <> entry.member_id OR claim.release_id <> draw.release_id))
        """,
    ),
    Invariant(
        "I48",
        "until a draw is done only its winners have claims of its release",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        JOIN benefits_fairdraw draw ON draw.release_id = claim.release_id
        WHERE draw.state IN ('open', 'closed', 'drawing')
          AND NOT EXISTS (
              SELECT 1 FROM benefits_drawentry entry
              WHERE entry.draw_id = draw.id AND entry.member_id = claim.member_id
                AND entry.state = 'won')
          AND NOT EXISTS (
              SELECT 1 FROM benefits_gift gift WHERE gift.received_claim_id = claim.id)
          AND claim.replaces_id IS NULL
        """,
    ),
]
