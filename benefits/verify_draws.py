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
    Invariant(
        "I64",
        "a ticket that is held is one entry of its owner, and an entry by ticket has its ticket",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        LEFT JOIN benefits_drawentry entry
          ON entry.ticket_id = claim.id AND entry.member_id = claim.member_id
        WHERE claim.mode = 'draw' AND claim.state IN ('granted', 'redeemed') AND entry.id IS NULL
        UNION ALL
        SELECT entry.public_id
        FROM benefits_drawentry entry
        JOIN benefits_fairdraw draw ON draw.id = entry.draw_id
        LEFT JOIN benefits_claim claim ON claim.id = entry.ticket_id
        WHERE (draw.entry_by = 'ticket') <> (entry.ticket_id IS NOT NULL)
           OR (entry.ticket_id IS NOT NULL AND (
               claim.mode <> 'draw' OR claim.member_id <> entry.member_id
               OR claim.state NOT IN ('granted', 'redeemed', 'revoked')
               OR (draw.state = 'open' AND claim.state <> 'granted')
               OR (draw.state IN ('open', 'closed', 'drawing') AND claim.state = 'redeemed')))
        """,
    ),
    Invariant(
        "I65",
        "no entry joined or left a draw after the list of its entries was published",
        """
        SELECT draw.public_id
        FROM benefits_fairdraw draw
        LEFT JOIN benefits_drawentry entry ON entry.draw_id = draw.id
        WHERE draw.entries_root <> ''
        GROUP BY draw.id
        HAVING count(entry.id) <> draw.entry_count
            OR bool_or(entry.entered_at > draw.closed_at)
        """,
    ),
    Invariant(
        "I66",
        "tickets of a draw that was called off are paid back",
        """
        SELECT entry.public_id
        FROM benefits_drawentry entry
        JOIN benefits_fairdraw draw ON draw.id = entry.draw_id
        JOIN benefits_claim claim ON claim.id = entry.ticket_id
        WHERE draw.state = 'canceled' AND claim.state <> 'revoked'
          AND draw.finished_at < zone_now() - interval '10 min'
        """,
        is_liveness=True,
    ),
]
