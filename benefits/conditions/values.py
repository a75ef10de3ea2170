"""What a condition found in a member, in a few words: for staff, beside the condition itself."""

from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from benefits.conditions.leaves import (
    Adult,
    Bought,
    BoundFor,
    LanguageIs,
    Spent,
    StorefrontIs,
    Subscribed,
    WalletIs,
)
from benefits.conditions.membership import (
    EXPERIMENT_PARTS,
    Claimed,
    InExperiment,
    InSegment,
    OnDevices,
    Tagged,
    TierIs,
    part_of,
)
from benefits.conditions.snapshot import Snapshot
from zone.core.money import format_money


def say_value(leaf: Any, member: Snapshot) -> str:
    """The figure or word that the condition compared, as it was at the snapshot's instant."""
    match leaf:
        case WalletIs():
            return member.wallet
        case StorefrontIs():
            return member.storefront
        case LanguageIs():
            return member.language
        case Adult():
            return _("yes") if member.is_adult else _("no")
        case BoundFor():
            if member.bound_at is None:
                return _("not bound")
            return _("since %(day)s") % {"day": date_format(member.bound_at, "Y-m-d")}
        case Bought():
            number = len(member.purchases_since(leaf.days))
            return ngettext("%(number)s purchase", "%(number)s purchases", number) % {
                "number": number
            }
        case Spent():
            spent = sum(
                bought.amount
                for bought in member.purchases_since(leaf.days)
                if bought.currency == leaf.currency
            )
            return format_money(spent, leaf.currency, "en")
        case Subscribed():
            states = [
                is_open for service, is_open in member.subscriptions if service == leaf.service
            ]
            if not states:
                return _("never subscribed")
            return _("subscribed now") if any(states) else _("subscribed before, not now")
        case InSegment():
            return _("in it") if leaf.code in member.segments else _("not in it")
        case Tagged():
            return _("has it") if leaf.tag in member.tags else _("does not have it")
        case InExperiment():
            return _("part %(number)s of %(parts)s") % {
                "number": part_of(leaf.key, member.public_id),
                "parts": EXPERIMENT_PARTS,
            }
        case Claimed():
            number = len(member.claims_since(leaf.benefit, leaf.days))
            return ngettext("%(number)s claim", "%(number)s claims", number) % {"number": number}
        case TierIs():
            if member.standing is None:
                return _("no tiers")
            name = member.standing.names[member.standing.place]
            return _("%(tier)s, %(earned)s earned") % {
                "tier": name,
                "earned": member.standing.earned,
            }
        case OnDevices():
            number = len(member.devices_since(leaf.days))
            return ngettext("%(number)s device", "%(number)s devices", number) % {"number": number}
    return ""
