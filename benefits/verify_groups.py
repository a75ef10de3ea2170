"""The promises about gifts that friends pay for together; `verify.py` runs them with its own."""

from credits.kinds import HoldState, Kind
from credits.verify import Invariant

GROUP_INVARIANTS: list[Invariant] = [
    Invariant(
        "I58",
        "what a gift with friends collected is the sum of its parts, and when it is made, its price",
        """
        SELECT own.public_id
        FROM benefits_groupgift own
        LEFT JOIN benefits_grouppart part ON part.group_id = own.id
        GROUP BY own.id
        HAVING own.collected <> coalesce(sum(part.amount) FILTER (WHERE part.state <> 'released'), 0)
            OR (own.state IN ('complete', 'returned')
                AND own.price_credits
                    <> coalesce(sum(part.amount) FILTER (WHERE part.state = 'taken'), 0))
            OR (own.state NOT IN ('complete', 'returned')
                AND count(*) FILTER (WHERE part.state = 'taken') > 0)
        """,
    ),
    Invariant(
        "I59",
        "a part is held while its gift collects, and then taken or given back as the gift ended",
        f"""
        SELECT coalesce(own.public_id, hold.related)
        FROM benefits_grouppart part
        JOIN benefits_groupgift own ON own.id = part.group_id
        FULL JOIN (
            SELECT * FROM ledger.hold WHERE reason = 'gift' AND starts_with(related, 'ggf_')
        ) hold ON hold.member_id = part.member_id AND hold.op_id = part.op_id
        WHERE hold.related IS DISTINCT FROM own.public_id
           OR hold.amount IS DISTINCT FROM part.amount
           OR hold.state IS DISTINCT FROM CASE part.state
                WHEN 'held' THEN {HoldState.HELD:d}
                WHEN 'taken' THEN {HoldState.CAPTURED:d}
                ELSE {HoldState.VOIDED:d} END
           OR (part.state = 'held' AND own.state <> 'collecting')
           OR (part.state = 'taken' AND (
                hold.captured <> part.amount OR hold.resolved_op IS DISTINCT FROM part.capture_op))
        """,  # noqa: S608 - numbers of our own enumeration
    ),
    Invariant(
        "I60",
        "friends' parts made one claim, free for its owner, and it left or ended with its gift",
        """
        SELECT own.public_id
        FROM benefits_groupgift own
        LEFT JOIN benefits_claim claim ON claim.id = own.claim_id
        LEFT JOIN benefits_gift gift ON gift.id = own.gift_id
        WHERE own.state IN ('complete', 'returned')
          AND ((claim.member_id, claim.release_id, claim.price_credits, gift.claim_id)
               IS DISTINCT FROM (own.starter_id, own.release_id, 0, own.claim_id)
            OR claim.revealed_at IS NOT NULL
            OR (claim.state = 'granted' AND claim.frozen_at IS NULL)
            OR (own.state = 'returned') > (claim.state IN ('returned', 'revoked')))
        UNION ALL
        SELECT min(public_id) FROM benefits_groupgift
        WHERE claim_id IS NOT NULL GROUP BY claim_id HAVING count(*) > 1
        UNION ALL
        SELECT claim.public_id
        FROM benefits_claimevent event
        JOIN benefits_claim claim ON claim.id = event.claim_id
        LEFT JOIN benefits_groupgift own ON own.claim_id = claim.id
        WHERE event.cause = 'claim' AND starts_with(event.actor, 'group:')
          AND event.actor IS DISTINCT FROM 'group:' || own.public_id
        """,
    ),
    Invariant(
        "I61",
        "a part came back as far as its gift says, once, and only of a gift that came back",
        f"""
        SELECT own.public_id
        FROM benefits_grouppart part
        JOIN benefits_groupgift own ON own.id = part.group_id
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(entry.available_change - entry.debt_change), 0) AS back
            FROM ledger.entry entry
            WHERE entry.member_id = part.member_id AND entry.kind = {Kind.REFUND:d}
              AND entry.orig_op = part.capture_op
        ) given ON true
        WHERE given.back <> part.refunded
           OR (part.refunded > 0 AND own.state <> 'returned')
        """,  # noqa: S608
    ),
    Invariant(
        "I62",
        "no unit is held for a gift with friends that has ended, nor for anybody else than its starter",
        """
        SELECT own.public_id
        FROM benefits_groupgift own
        JOIN benefits_waitlistentry place ON place.id = own.place_id
        WHERE (place.release_id, place.member_id)
                IS DISTINCT FROM (own.release_id, own.starter_id)
           OR (place.state = 'offered' AND own.state <> 'collecting')
        """,
    ),
    Invariant(
        "I63",
        "no gift with friends is kept open beyond its end",
        """
        SELECT public_id FROM benefits_groupgift
        WHERE state = 'collecting' AND ends_at < zone_now() - interval '5 minutes'
        """,
        is_liveness=True,
    ),
]
