"""What a claim saved its member, in money."""

from dataclasses import dataclass

from django.db.models import F, Sum

from benefits.models import Claim, Redemption, Trial


@dataclass(frozen=True, slots=True)
class Saved:
    """Minor units of one currency; `is_final` when it was used, else what it is worth at most."""

    amount: int
    currency: str
    is_final: bool


def find_saved(claim: Claim) -> Saved | None:
    """What its uses took off, what a trial left in time would have cost, or its face value."""
    used = (
        Redemption.objects.filter(claim=claim, status=Redemption.Status.REDEEMED)
        .exclude(discount=None)
        .values("currency")
        .annotate(total=Sum(F("discount") - F("discount_back")))
        .order_by("currency")
        .first()
    )
    if used and used["total"]:
        return Saved(used["total"], used["currency"], is_final=True)
    trial = Trial.objects.filter(claim=claim, state=Trial.State.LEFT).exclude(price=None).first()
    if trial and trial.price:
        return Saved(trial.price, trial.currency, is_final=True)
    worth, currency = claim.benefit.detail.get("amount_off"), claim.benefit.detail.get("currency")
    is_open = claim.state in (Claim.State.GRANTED, Claim.State.GIFTED, Claim.State.REDEEMED)
    if worth and currency and is_open:
        return Saved(worth, currency, is_final=claim.state == Claim.State.REDEEMED)
    return None
