"""The promises about uses, replacements and pools of codes; `verify.py` runs them with its own."""

from credits.verify import Invariant

# Every code of a release, counted from the tables that say where it stands. Each column comes
# from a table of its own, so that the sum is a check and not a definition.
POOL_COLUMNS = """
    SELECT release.id AS release_id, release.public_id,
           coalesce(codes.uploaded, 0) AS uploaded,
           coalesce(codes.loading, 0) AS loading,
           coalesce(free.units, 0) + coalesce(returned.units, 0) AS free,
           coalesce(claims.held, 0) AS held,
           coalesce(claims.granted, 0) AS granted,
           coalesce(claims.revealed, 0) AS revealed,
           coalesce(claims.redeemed, 0) AS redeemed,
           coalesce(claims.expired, 0) AS expired,
           coalesce(claims.void, 0) + release.last_slot - release.stock AS void
    FROM benefits_release release
    LEFT JOIN (
        SELECT code.release_id, count(*) AS uploaded,
               count(*) FILTER (WHERE code.slot > release.last_slot) AS loading
        FROM benefits_code code JOIN benefits_release release ON release.id = code.release_id
        GROUP BY 1
    ) codes ON codes.release_id = release.id
    LEFT JOIN (
        SELECT release_id, sum(end_slot - next_slot + 1) AS units
        FROM benefits_slotcounter GROUP BY 1
    ) free ON free.release_id = release.id
    LEFT JOIN (
        SELECT release_id, count(*) AS units FROM benefits_returnedslot GROUP BY 1
    ) returned ON returned.release_id = release.id
    LEFT JOIN (
        SELECT release_id,
               count(*) FILTER (WHERE state = 'reserved') AS held,
               count(*) FILTER (WHERE state = 'granted' AND revealed_at IS NULL) AS granted,
               count(*) FILTER (WHERE state = 'granted' AND revealed_at IS NOT NULL) AS revealed,
               count(*) FILTER (WHERE state = 'redeemed') AS redeemed,
               count(*) FILTER (WHERE state = 'expired') AS expired,
               count(*) FILTER (WHERE state NOT IN ('reserved', 'granted', 'redeemed', 'expired'))
                   AS void
        FROM benefits_claim WHERE holds_slot GROUP BY 1
    ) claims ON claims.release_id = release.id
    WHERE release.mode = 'codes'
"""

LIFE_INVARIANTS: list[Invariant] = [
    Invariant(
        "I40",
        "every code of a pool is somewhere, and in one place",
        f"""
        SELECT public_id FROM ({POOL_COLUMNS}) pool
        WHERE uploaded
            <> loading + free + held + granted + revealed + redeemed + expired + void
        """,  # noqa: S608 - text of our own
    ),
    Invariant(
        "I41",
        "a claim is used exactly when a use of it stands",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        LEFT JOIN LATERAL (
            SELECT count(*) AS standing,
                   count(*) FILTER (WHERE used.discount IS NULL) AS whole
            FROM benefits_redemption used
            WHERE used.claim_id = claim.id AND used.status = 'redeemed'
        ) uses ON true
        WHERE (claim.state = 'redeemed' AND claim.mode <> 'credits' AND uses.standing = 0)
           OR (claim.state <> 'redeemed' AND uses.whole > 0)
           OR (claim.state NOT IN ('redeemed', 'granted', 'expired', 'revoked')
               AND uses.standing > 0)
        """,
    ),
    Invariant(
        "I42",
        "no claim took more off than it is worth",
        """
        SELECT claim.public_id
        FROM benefits_redemption used
        JOIN benefits_claim claim ON claim.id = used.claim_id
        JOIN benefits_benefit benefit ON benefit.id = claim.benefit_id
        WHERE used.discount IS NOT NULL
        GROUP BY claim.id, benefit.id
        HAVING sum(used.discount - used.discount_back)
            > (benefit.detail ->> 'amount_off')::bigint
        """,
    ),
    Invariant(
        "I43",
        "what was replaced is dead, and its replacement is the same member's",
        """
        SELECT made.public_id
        FROM benefits_claim made
        JOIN benefits_claim first ON first.id = made.replaces_id
        WHERE first.state <> 'revoked'
           OR (first.member_id, first.release_id) IS DISTINCT FROM (made.member_id, made.release_id)
           OR made.price_credits <> 0
        """,
    ),
    Invariant(
        "I44",
        "nobody got more credits back than a claim cost",
        """
        SELECT claim.public_id
        FROM benefits_claim claim
        JOIN LATERAL (
            SELECT sum(entry.available_change - entry.debt_change) AS back
            FROM ledger.entry entry
            LEFT JOIN ledger.entry capture
              ON capture.member_id = claim.member_id AND capture.orig_op = claim.op_id
             AND capture.kind = 4
            WHERE entry.member_id = claim.member_id AND entry.kind = 6
              AND entry.orig_op IN (claim.op_id, capture.op_id)
        ) given ON true
        WHERE claim.price_credits > 0 AND given.back > claim.price_credits
        """,
    ),
]
