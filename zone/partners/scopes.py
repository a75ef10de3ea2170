"""What a key may be allowed to do. A scope is a public word: add, never rename."""

from django.utils.translation import gettext_lazy as _

SCOPES = {
    "members:read": _("read members"),
    "members:write": _("enrol, edit and erase members"),
    "bindings:read": _("read bindings"),
    "bindings:write": _("report binding changes"),
    "transactions:read": _("read transactions"),
    "transactions:write": _("push purchases and refunds"),
    "subscriptions:read": _("read subscriptions"),
    "subscriptions:write": _("push subscription state"),
    "benefits:read": _("read the catalogue and eligibility"),
    "claims:read": _("read claims"),
    "claims:grant": _("grant benefits"),
    "claims:redeem": _("validate, redeem and roll back"),
    "claims:revoke": _("revoke claims"),
    "claims:reveal": _("read full coupon codes"),
    "credits:read": _("read balances and entries"),
    "credits:earn": _("add credits"),
    "credits:spend": _("spend, hold, capture and void credits"),
    "credits:refund": _("give spent credits back"),
    "webhooks:read": _("read webhook endpoints and deliveries"),
    "webhooks:write": _("change webhook endpoints and redeliver"),
    "events:read": _("read the event list"),
}


def choices() -> list[tuple[str, str]]:
    """Every scope with its meaning; a callable, so a new scope needs no migration."""
    return [(scope, f"{scope}: {meaning}") for scope, meaning in SCOPES.items()]
