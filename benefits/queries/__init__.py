"""What pages, the API and the console read. Few wide queries; every figure from real rows."""

from benefits.queries.bundles import (
    BundleCard,
    find_choice_refusal,
    get_bundle,
    list_bundles,
    list_bundles_of,
    read_bundle,
    share_a_choice,
)
from benefits.queries.cards import Card, CardState, get_card, list_cards, list_drops, make_cards
from benefits.queries.claims import (
    PAGE_ROWS_MAX,
    ClaimCounts,
    Segment,
    count_claims,
    find_claim,
    find_code,
    get_claim,
    list_claims,
    list_expiring,
)
from benefits.queries.limits import Terms, read_terms
from benefits.queries.places import Place, find_held_release, has_offers, read_places
from benefits.queries.similar import list_similar
from benefits.queries.standing import Standing, get_release, read_standing
from benefits.queries.stock import (
    FEW_UNITS_MAX,
    StockBand,
    count_left,
    find_open_release,
    pick_release,
    stock_band,
    with_reading,
)
from benefits.queries.verdicts import (
    current_tree,
    field_nodes,
    find_rule_refusal,
    find_standing_refusal,
    get_member_refusal,
    read_verdicts,
    refusal_of,
    whole_rule,
)
from benefits.queries.why import Why, explain, find_claim_refusal, read_card
from benefits.queries.words import list_gaps, with_gap_in

__all__ = [
    "FEW_UNITS_MAX",
    "PAGE_ROWS_MAX",
    "BundleCard",
    "Card",
    "CardState",
    "ClaimCounts",
    "Place",
    "Segment",
    "Standing",
    "StockBand",
    "Terms",
    "Why",
    "count_claims",
    "count_left",
    "current_tree",
    "explain",
    "field_nodes",
    "find_choice_refusal",
    "find_claim",
    "find_claim_refusal",
    "find_code",
    "find_held_release",
    "find_open_release",
    "find_rule_refusal",
    "find_standing_refusal",
    "get_bundle",
    "get_card",
    "get_claim",
    "get_member_refusal",
    "get_release",
    "has_offers",
    "list_bundles",
    "list_bundles_of",
    "list_cards",
    "list_claims",
    "list_drops",
    "list_expiring",
    "list_gaps",
    "list_similar",
    "make_cards",
    "pick_release",
    "read_bundle",
    "read_card",
    "read_places",
    "read_standing",
    "read_terms",
    "read_verdicts",
    "refusal_of",
    "share_a_choice",
    "stock_band",
    "whole_rule",
    "with_gap_in",
    "with_reading",
]
