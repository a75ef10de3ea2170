"""The promises about uses, replacements and pools of codes; `verify.py` runs them with its own."""

from benefits.verify_vouchers import WALLET_KINDS
from credits.verify import Invariant

# Every code of a release, counted from the tables that say where it stands. Each column comes
# from a table of its own, so that the sum is a check and not a definition.
POOL_COLUMNS = """
    SELECT release.id AS release_id, release.public_id,
           coalesce(codes.uploaded, 0) AS uploaded,
           coalesce(codes.loading, 0) AS loading,
           coalesce(codes.kept, 0) AS kept,
           coalesce(free.units, 0) + coalesce(returned.units, 0) AS free,
           coalesce(claims.held, 0) AS held,
           coalesce(claims.granted, 0) AS granted,
           coalesce(claims.revealed, 0) AS revealed,
           coalesce(claims.redeemed, 0) AS redeemed,
           coalesce(claims.expired, 0) AS expired,
           coalesce(claims.void, 0) + release.last_slot - release.stock
               - coalesce(codes.skipped, 0) AS void
    FROM benefits_release release
    LEFT JOIN (
        SELECT code.release_id, count(*) AS uploaded,
               count(*) FILTER (WHERE code.slot > batch.published_slot AND batch.kept_for = '')
                   AS loading,
               count(*) FILTER (WHERE code.slot > batch.published_slot AND batch.kept_for <> '')
                   AS kept,
               -- Not on sale, though slots behind them are.
               count(*) FILTER (WHERE code.slot > batch.published_slot
                                AND code.slot <= release.last_slot) AS skipped
        FROM benefits_code code
        JOIN benefits_codebatch batch ON batch.id = code.batch_id
        JOIN benefits_release release ON release.id = code.release_id
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

# A provider's newest list against ours: what it issued and we do not have as issued, what we have
# and it never issued, and a reference or a code that is another one. What we settled after the
# list was begun is not compared, and what we still wait for is no difference yet.
STATEMENT_DIFFERENCES = """
    WITH newest AS (
        SELECT provider_id, max(covers_until) AS covers_until
        FROM benefits_providerstatement GROUP BY 1
    ),
    ours AS (
        SELECT release.provider_id, claim.public_id, claim.provider_reference, claim.state,
               code.code_index, claim.holds_slot
        FROM benefits_claim claim
        JOIN benefits_release release ON release.id = claim.release_id
        JOIN newest ON newest.provider_id = release.provider_id
        -- What was carried over from before the provider was asked by us is on no list of its own.
        JOIN benefits_providerconfig asked
          ON asked.id = release.provider_id AND claim.granted_at >= asked.created_at
        LEFT JOIN benefits_code code
          ON code.release_id = claim.release_id AND code.slot = claim.slot AND claim.holds_slot
        WHERE claim.mode = 'provider' AND claim.provider_status = 'issued'
          AND claim.granted_at < newest.covers_until
          -- A gift that arrived: the provider knows it by the claim it was issued for.
          AND NOT EXISTS (
              SELECT 1 FROM benefits_gift gift WHERE gift.received_claim_id = claim.id
          )
    ),
    theirs AS (
        SELECT line.provider_id, line.claim_public_id, line.reference, line.status, line.code_index
        FROM benefits_providerstatementline line
        WHERE line.status IN ('issued', 'canceled')
          -- Two rows may describe one issuer; each answers for its own releases.
          AND NOT EXISTS (
              SELECT 1 FROM benefits_claim other
              JOIN benefits_release release ON release.id = other.release_id
              WHERE other.public_id = line.claim_public_id
                AND release.provider_id IS DISTINCT FROM line.provider_id
          )
    )
    SELECT provider.code AS provider, coalesce(ours.public_id, theirs.claim_public_id) AS claim
    FROM ours
    FULL JOIN theirs
      ON theirs.provider_id = ours.provider_id AND theirs.claim_public_id = ours.public_id
    JOIN benefits_providerconfig provider
      ON provider.id = coalesce(ours.provider_id, theirs.provider_id)
    LEFT JOIN benefits_claim claim ON claim.public_id = theirs.claim_public_id
    LEFT JOIN newest ON newest.provider_id = provider.id
    WHERE (ours.public_id IS NULL
           AND (claim.id IS NULL OR (claim.state <> 'reserved'
                AND coalesce(claim.granted_at, claim.ended_at) < newest.covers_until)))
       OR theirs.claim_public_id IS NULL
       OR ours.provider_reference <> theirs.reference
       OR (ours.code_index IS NOT NULL AND ours.code_index IS DISTINCT FROM theirs.code_index)
       OR (ours.public_id IS NOT NULL
           AND (theirs.status = 'canceled') <> (ours.state = 'returned'))
"""

LIFE_INVARIANTS: list[Invariant] = [
    Invariant(
        "I40",
        "every code of a pool is somewhere, and in one place",
        f"""
        SELECT public_id FROM ({POOL_COLUMNS}) pool
        WHERE uploaded
            <> loading + kept + free + held + granted + revealed + redeemed + expired + void
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
        WHERE (claim.state = 'redeemed' AND claim.mode NOT IN ('credits', 'draw')
               AND uses.standing = 0)
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
    Invariant(
        "I45",
        "nobody has more of a choice than it allows",
        """
        SELECT bundle.public_id, claim.member_id
        FROM benefits_bundle bundle
        JOIN benefits_bundleitem item ON item.bundle_id = bundle.id
        JOIN benefits_claim claim
          ON claim.benefit_id = item.benefit_id
         AND claim.counts_to_limit AND (claim.holds_slot OR claim.state = 'gifted')
         AND claim.created_at > greatest(item.added_at, bundle.holds_since)
        WHERE bundle.is_active AND bundle.kind IN ('pick', 'apart') AND bundle.within_days IS NULL
        GROUP BY bundle.id, claim.member_id
        HAVING CASE bundle.kind WHEN 'pick' THEN count(*)
                   ELSE count(DISTINCT claim.benefit_id) END > bundle.picks
        """,
    ),
    Invariant(
        "I46",
        "what was rescued was rescued once a month, and passed on with exactly its thanks",
        """
        SELECT min(public_id) FROM benefits_rescue
        GROUP BY member_id, kind, month HAVING count(*) > 1
        UNION ALL
        SELECT rescue.public_id
        FROM benefits_rescue rescue
        JOIN benefits_claim claim ON claim.id = rescue.claim_id
        LEFT JOIN ledger.entry entry
          ON entry.member_id = rescue.member_id AND entry.op_id = rescue.op_id
        WHERE rescue.kind = 'pass_on'
          AND (claim.state <> 'returned' OR claim.holds_slot
               OR rescue.thanks <> coalesce(entry.available_change - entry.debt_change, 0))
        """,
    ),
    Invariant(
        "I49",
        "what was taken away from a wallet has ended there, or the wallet is being asked to",
        f"""
        SELECT claim.public_id
        FROM benefits_claim claim
        JOIN benefits_release release ON release.id = claim.release_id
        JOIN benefits_providerconfig provider ON provider.id = release.provider_id
        LEFT JOIN benefits_providerending ending ON ending.claim_id = claim.id
        WHERE provider.kind IN ({WALLET_KINDS}) AND claim.state = 'revoked'
          AND (ending.id IS NULL OR (ending.next_attempt_at IS NULL AND ending.outcome = ''))
        UNION ALL
        SELECT claim.public_id
        FROM benefits_providerending ending
        JOIN benefits_claim claim ON claim.id = ending.claim_id
        WHERE claim.state <> 'revoked'
        """,  # noqa: S608 - text of our own
    ),
    Invariant(
        "I57",
        "nobody who asked to be told waits longer than they should",
        """
        SELECT id FROM benefits_wish
        WHERE state = 'open' AND looks_at < zone_now() - interval '5 minutes'
        """,
        is_liveness=True,
    ),
    Invariant(
        "I23",
        "what a provider's list says it issued is what our claims say",
        STATEMENT_DIFFERENCES,
    ),
]
