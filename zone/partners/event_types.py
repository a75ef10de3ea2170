"""What partners can be told of. A type is a public word: add, never rename."""

from collections.abc import Iterable

_BY_FAMILY = {
    "member": "enrolled suspended erased",
    "binding": "activated suspended unbound expired failed",
    "transaction": "recorded refunded",
    "subscription": "started renewed cancel_scheduled grace_started ended",
    "benefit": "updated stock_low ended",
    "claim": "pending granted failed redeemed rolled_back expired revoked",
    "credits": "earned spent held captured voided refunded expiring expired adjusted",
    "webhook_endpoint": "paused",
}
PING = "ping"
EVERYTHING = "*"
EVENT_TYPES = {f"{family}.{name}" for family, names in _BY_FAMILY.items() for name in names.split()}
# What an endpoint may ask for: one type, a family, or everything.
SELECTORS = EVENT_TYPES | {f"{family}.*" for family in _BY_FAMILY} | {EVERYTHING}


def selectors_of(event_type: str) -> list[str]:
    """Every selector that covers a type, as `claim.granted`, `claim.*` and `*` do the first."""
    family = event_type.partition(".")[0]
    return [event_type, f"{family}.*", EVERYTHING]


def unknown_selectors(selectors: Iterable[str]) -> list[str]:
    """Those that cover nothing there is."""
    return [selector for selector in selectors if selector not in SELECTORS]
