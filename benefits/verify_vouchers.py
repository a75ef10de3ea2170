"""The promise about vouchers that a wallet keeps: what it says of each is what we say."""

from benefits.models import ProviderConfig
from credits.verify import Invariant

# The same kinds as `ProviderConfig.is_wallet`, for a query.
WALLET_KINDS = ", ".join(f"'{kind.value}'" for kind in ProviderConfig.WALLET_KINDS)

# A wallet's word against ours; the ending is the one of a claim that we took away.
DISPUTED = """
    CASE claim.state
          WHEN 'granted' THEN line.status IN ('used', 'canceled', 'missing')
              AND (claim.valid_until IS NULL OR claim.valid_until > line.seen_at)
          WHEN 'redeemed' THEN line.status IN ('issued', 'canceled', 'missing')
          WHEN 'returned' THEN line.status IN ('issued', 'used')
          WHEN 'revoked' THEN line.status IN ('issued', 'used') AND ending.outcome = 'ended'
          ELSE false END
"""
# What a wallet said of a voucher when it was last asked, against our claim. Only what was asked
# after the claim's last change is compared: an older answer is about an older claim. A voucher that
# we took away counts once the wallet had said that it ended; until then it is being asked to.
VOUCHER_DIFFERENCES = f"""
    SELECT provider.code AS provider, claim.public_id AS claim
    FROM benefits_providerstatementline line
    JOIN benefits_providerconfig provider ON provider.id = line.provider_id
    JOIN benefits_claim claim ON claim.public_id = line.claim_public_id
    LEFT JOIN benefits_providerending ending ON ending.claim_id = claim.id
    WHERE provider.kind IN ({WALLET_KINDS}) AND line.seen_at > claim.updated_at
      AND {DISPUTED}
"""  # noqa: S608 - text of our own

VOUCHER_INVARIANTS: list[Invariant] = [
    Invariant("I56", "what a wallet says of a voucher is what its claim says", VOUCHER_DIFFERENCES),
]
