"""The promises of benefits as queries: each returns the keys that break it, or nothing."""

from benefits.verify_draws import DRAW_INVARIANTS
from benefits.verify_groups import GROUP_INVARIANTS
from benefits.verify_life import LIFE_INVARIANTS
from benefits.verify_stamps import STAMP_INVARIANTS
from benefits.verify_vouchers import VOUCHER_INVARIANTS
from credits.kinds import HoldState, Kind
from credits.verify import Invariant

# A claim keeps the price and the limit it was made with, so these look at the claim, not at the
# release, which an operator may have changed since.
INVARIANTS: list[Invariant] = [
    Invariant(
        "I16",
        "no release has more claims than stock, and no slot outside its numbers",
        """
        SELECT release.public_id
        FROM benefits_release release
        JOIN benefits_claim claim ON claim.release_id = release.id AND claim.holds_slot
        GROUP BY release.id
        HAVING count(*) > release.stock
            OR max(claim.slot) > release.last_slot
            OR min(claim.slot) < 1
            OR count(DISTINCT claim.slot) <> count(*)
        """,
    ),
    Invariant(
        "I17",
        "no member has more of a release than its limit was",
        """
        SELECT release_id, member_id
        FROM benefits_claim
        WHERE counts_to_limit AND (holds_slot OR state = 'gifted')
        GROUP BY release_id, member_id
        HAVING count(*) > max(per_member)
        """,
    ),
    Invariant(
        "I18",
        "one code is in one hand",
        """
        SELECT code.release_id, code.slot
        FROM benefits_code code
        JOIN benefits_claim claim
          ON claim.release_id = code.release_id AND claim.slot = code.slot AND claim.holds_slot
        GROUP BY code.release_id, code.slot
        HAVING count(*) > 1
        UNION ALL
        SELECT min(release_id), min(slot) FROM benefits_code
        GROUP BY code_index HAVING count(*) > 1
        """,
    ),
    Invariant(
        "I18b",
        "every granted claim of codes in hand has its code",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        LEFT JOIN benefits_code code
          ON code.release_id = claim.release_id AND code.slot = claim.slot
        WHERE claim.mode = 'codes' AND claim.holds_slot AND code.id IS NULL
        """,
    ),
    Invariant(
        "I19",
        "no claim without its payment, no payment without its claim",
        f"""
        SELECT coalesce(claim.public_id, entry.related) AS claim
        FROM (SELECT * FROM benefits_claim WHERE price_credits > 0) claim
        FULL JOIN (
            SELECT member_id, op_id, related, -available_change AS paid
            FROM ledger.entry
            WHERE kind IN ({Kind.SPEND:d}, {Kind.HOLD:d})
              AND reason = 'benefit' AND starts_with(related, 'clm_')
        ) entry USING (member_id, op_id)
        WHERE claim.price_credits IS DISTINCT FROM entry.paid
           OR claim.public_id IS DISTINCT FROM entry.related
        """,  # noqa: S608 - numbers of our own enumeration
    ),
    Invariant(
        "I19b",
        "a hold lives as long as its claim waits, and resolves the way the claim did",
        f"""
        SELECT claim.public_id
        FROM benefits_claim claim
        LEFT JOIN ledger.hold hold USING (member_id, op_id)
        WHERE claim.mode = 'provider' AND claim.price_credits > 0
          AND hold.state IS DISTINCT FROM CASE claim.state
              WHEN 'reserved' THEN {HoldState.HELD:d}
              WHEN 'failed' THEN {HoldState.VOIDED:d}
              ELSE {HoldState.CAPTURED:d} END
        """,  # noqa: S608
    ),
    Invariant(
        "I20",
        "every slot on sale is taken, returned or still in its range",
        """
        SELECT release.public_id
        FROM benefits_release release
        LEFT JOIN (
            SELECT release_id, count(*) AS n FROM benefits_claim WHERE holds_slot GROUP BY 1
        ) taken ON taken.release_id = release.id
        LEFT JOIN (
            SELECT release_id, count(*) AS n FROM benefits_returnedslot GROUP BY 1
        ) returned ON returned.release_id = release.id
        LEFT JOIN (
            SELECT release_id, sum(end_slot - next_slot + 1) AS n FROM benefits_slotcounter GROUP BY 1
        ) free ON free.release_id = release.id
        WHERE release.stock
            <> coalesce(taken.n, 0) + coalesce(returned.n, 0) + coalesce(free.n, 0)
        """,
    ),
    Invariant(
        "I20b",
        "a returned slot is in nobody's hand",
        """
        SELECT returned.release_id, returned.slot
        FROM benefits_returnedslot returned
        JOIN benefits_claim claim
          ON claim.release_id = returned.release_id AND claim.slot = returned.slot
         AND claim.holds_slot
        """,
    ),
    Invariant(
        "I21",
        "what a provider made is on record, and nothing is granted that it did not make",
        """
        SELECT public_id
        FROM benefits_claim
        WHERE mode = 'provider'
          AND (state IN ('granted', 'redeemed', 'expired', 'revoked', 'returned', 'gifted'))
              IS DISTINCT FROM (provider_status = 'issued' AND provider_reference IS NOT NULL)
        """,
    ),
    Invariant(
        "I21b",
        "the events of a claim end where the claim stands",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        LEFT JOIN LATERAL (
            SELECT to_state FROM benefits_claimevent event
            WHERE event.claim_id = claim.id ORDER BY event.id DESC LIMIT 1
        ) newest ON true
        WHERE newest.to_state IS DISTINCT FROM claim.state
        """,
    ),
    Invariant(
        "I21e",
        "the events of a claim follow each other, from its first one on",
        """
        SELECT DISTINCT claim_id
        FROM (
            SELECT claim_id, from_state,
                   lag(to_state, 1, '') OVER (PARTITION BY claim_id ORDER BY id) AS was
            FROM benefits_claimevent
        ) event
        WHERE from_state <> was
        """,
    ),
    Invariant(
        "I21c",
        "every claim names a release and a benefit that exist",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        LEFT JOIN benefits_release release
          ON release.id = claim.release_id AND release.benefit_id = claim.benefit_id
        WHERE release.id IS NULL
        """,
    ),
    Invariant(
        "I21d",
        "every event is of a claim that exists",
        """
        SELECT event.id
        FROM benefits_claimevent event
        LEFT JOIN benefits_claim claim ON claim.id = event.claim_id
        WHERE claim.id IS NULL
        """,
    ),
    Invariant(
        "G1",
        "a claim has at most one gift under way, and is in transit exactly while it has",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        LEFT JOIN benefits_gift gift
          ON gift.claim_id = claim.id AND gift.state IN ('scheduled', 'delivered', 'opened')
        GROUP BY claim.id
        HAVING count(gift.id) <> (claim.frozen_at IS NOT NULL)::integer
        """,
    ),
    Invariant(
        "G2",
        "what is in transit is whole: granted, unseen, holding its slot, without an end",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        JOIN benefits_gift gift
          ON gift.claim_id = claim.id AND gift.state IN ('scheduled', 'delivered', 'opened')
        WHERE (claim.state, claim.holds_slot) IS DISTINCT FROM ('granted', true)
           OR claim.revealed_at IS NOT NULL
           OR claim.valid_until IS NOT NULL
           OR claim.member_id <> gift.giver_id
        """,
    ),
    Invariant(
        "G3",
        "an accepted gift moved its slot to its receiver, and nothing was given away without one",
        """
        SELECT coalesce(gift.public_id, claim.public_id)
        FROM (SELECT * FROM benefits_claim WHERE state = 'gifted') claim
        FULL JOIN (SELECT * FROM benefits_gift WHERE state = 'accepted') gift
          ON gift.claim_id = claim.id
        LEFT JOIN benefits_claim received ON received.id = gift.received_claim_id
        WHERE claim.id IS NULL
           OR claim.holds_slot
           OR (received.release_id, received.slot, received.member_id, received.price_credits)
              IS DISTINCT FROM (claim.release_id, claim.slot, gift.receiver_id, 0)
        """,
    ),
    Invariant(
        "G4",
        "nobody is given what they gave away, nor more than a day beyond the life that was left",
        """
        SELECT gift.public_id
        FROM benefits_gift gift
        LEFT JOIN benefits_claim received ON received.id = gift.received_claim_id
        WHERE gift.receiver_id = gift.giver_id
           OR received.valid_until > greatest(
                gift.claim_valid_until,
                gift.closed_at + (gift.claim_valid_until - gift.frozen_at) + interval '1 day')
        """,
    ),
    Invariant(
        "G5",
        "no gift waits longer than it should",
        """
        SELECT public_id
        FROM benefits_gift
        WHERE state IN ('scheduled', 'delivered', 'opened')
          AND next_attempt_at < zone_now() - interval '5 minutes'
        """,
        is_liveness=True,
    ),
    Invariant(
        "I31",
        "every window of a limit holds the claims counted in it, and no more than it may",
        """
        SELECT so_far.quota_id, so_far.holder, so_far."window"
        FROM benefits_quotause so_far
        JOIN benefits_quota quota ON quota.id = so_far.quota_id
        LEFT JOIN benefits_quotacount counted ON counted.use_id = so_far.id
        GROUP BY so_far.id, quota.period
        HAVING so_far.used > so_far.allowed
            OR (quota.period <> 'cooldown' AND so_far.used <> count(counted.claim_id))
        """,
    ),
    Invariant(
        "I32",
        "a claim counts in windows and budgets while it holds its slot, or gave it away",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        WHERE NOT claim.holds_slot AND claim.state <> 'gifted'
          AND (EXISTS (SELECT 1 FROM benefits_quotacount counted WHERE counted.claim_id = claim.id)
            OR EXISTS (SELECT 1 FROM benefits_budgetuse cost WHERE cost.claim_id = claim.id))
        """,
    ),
    Invariant(
        "I32b",
        "and the other way round: while it does, it counts wherever it was counted",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        WHERE (claim.holds_slot OR claim.state = 'gifted')
          AND (claim.window_count IS DISTINCT FROM (
                   SELECT count(*) FROM benefits_quotacount counted
                   WHERE counted.claim_id = claim.id)
               OR claim.budget_cost IS DISTINCT FROM (
                   SELECT coalesce(sum(cost.amount), 0) FROM benefits_budgetuse cost
                   WHERE cost.claim_id = claim.id))
          AND claim.window_count IS NOT NULL
        """,
    ),
    Invariant(
        "I33",
        "a budget has spent what its claims cost, and no more than there is",
        """
        SELECT budget.code
        FROM benefits_budget budget
        LEFT JOIN benefits_budgetuse cost ON cost.budget_id = budget.id
        GROUP BY budget.id
        HAVING budget.spent > budget.amount OR budget.spent <> coalesce(sum(cost.amount), 0)
        """,
    ),
    Invariant(
        "I34",
        "a slot held for somebody in line and that place in line name each other",
        """
        SELECT release_id, member_id
        FROM (
            SELECT release_id, member_id, offered_until
            FROM benefits_waitlistentry WHERE state = 'offered'
        ) entry
        FULL JOIN (
            SELECT release_id, offered_to_id AS member_id, offered_until AS held_until
            FROM benefits_returnedslot WHERE offered_to_id IS NOT NULL
        ) held USING (release_id, member_id)
        WHERE offered_until IS DISTINCT FROM held_until
        """,
    ),
    Invariant(
        "I22",
        "no claim waits longer than it should",
        """
        SELECT public_id
        FROM benefits_claim
        WHERE state = 'reserved'
          AND greatest(next_attempt_at, lease_until) < zone_now() - interval '5 minutes'
        """,
        is_liveness=True,
    ),
    *LIFE_INVARIANTS,
    *GROUP_INVARIANTS,
    *STAMP_INVARIANTS,
    *VOUCHER_INVARIANTS,
    *DRAW_INVARIANTS,
]
