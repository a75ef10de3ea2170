"""What pages, the API and the console read. Few wide queries; every figure from real rows."""

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
from benefits.queries.stock import (
    FEW_UNITS_MAX,
    StockBand,
    count_left,
    find_open_release,
    pick_release,
    stock_band,
    with_reading,
)

__all__ = [
    "FEW_UNITS_MAX",
    "PAGE_ROWS_MAX",
    "Card",
    "CardState",
    "ClaimCounts",
    "Segment",
    "StockBand",
    "count_claims",
    "count_left",
    "find_claim",
    "find_code",
    "find_open_release",
    "get_card",
    "get_claim",
    "list_cards",
    "list_claims",
    "list_drops",
    "list_expiring",
    "make_cards",
    "pick_release",
    "stock_band",
    "with_reading",
]
