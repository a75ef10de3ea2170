"""Units held for a member while a partner's own checkout runs."""

from datetime import datetime, timedelta
from typing import Any

from rest_framework import serializers

from benefits.api.benefits import get_assigned_benefit
from benefits.api.claims import release_of
from benefits.models import StockHold
from benefits.services.holds import extend_hold, hold_unit, release_hold, status_of
from zone.core import clock
from zone.core.errors import NotFound
from zone.members.services.partner_members import get_partner_member, list_partner_ids
from zone.partners import limiter
from zone.partners.declarations import Answer, Call, operation
from zone.partners.fields import (
    IdField,
    InstantField,
    ReferenceField,
    StrictSerializer,
    WholeNumberField,
)
from zone.partners.objects import Shape, constant
from zone.partners.services.references import name_object, reserve_reference

REFERENCE_KIND = "stock_hold"
SECONDS_MIN, SECONDS_MAX = 30, 3600


class HoldInput(StrictSerializer):
    """For whom one of what is held, for how many seconds, under which reference of yours."""

    member = IdField("mbr")
    benefit = IdField("ben")
    external_id = ReferenceField()
    expires_in = WholeNumberField(min_value=SECONDS_MIN, max_value=SECONDS_MAX, default=600)


class HoldObject(Shape):
    """A unit that only this member can claim until `expires_at`."""

    object = constant("stock_hold")
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    external_id = serializers.CharField()
    member = serializers.CharField()
    benefit = serializers.CharField()
    status = serializers.ChoiceField(choices=["held", "claimed", "released", "expired"])
    expires_at = InstantField()
    created_at = InstantField()
    resolved_at = InstantField(allow_null=True)


@operation(
    summary="Hold a unit for a member",
    tag="claims",
    scope="claims:grant",
    body=HoldInput,
    answers={200: HoldObject, 201: HoldObject},
    is_idempotent_by_key=True,
    refusals=(
        "member_suspended",
        "member_erased",
        "binding_required",
        "not_started",
        "ended",
        "paused",
        "out_of_stock",
        "limit_reached",
        "not_eligible",
        "already_chosen",
        "invalid_state",
        "reference_conflict",
    ),
)
def hold_stock(call: Call) -> Answer:
    """One unit of the benefit, held for the member: the next claim of it takes this one.

    Sent again with the same `external_id`, also under a new key, it answers 200 and holds the same
    unit for `expires_in` more, at most two hours in all. Not claimed in time, the unit returns.
    """
    body, now = call.body, clock.database_now()
    known = get_partner_member(
        partner=call.partner, livemode=call.livemode, public_id=body["member"]
    )
    benefit = get_assigned_benefit(call, body["benefit"], now=now)
    reference = {
        "partner": call.partner,
        "livemode": call.livemode,
        "kind": REFERENCE_KIND,
        "external_id": body["external_id"],
    }
    lasts = timedelta(seconds=body["expires_in"])
    reserved = reserve_reference(
        **reference,
        member_id=known.member_id,
        content={name: body[name] for name in ("member", "benefit")},
    )
    if not reserved.is_new:
        hold = extend_hold(hold=_own(call, reserved.object_id), lasts=lasts, now=now)
        return Answer(200, _show(call, hold, now=now))
    window = limiter.count_in_database(limiter.MEMBER, f"member:{known.member_id}")
    limiter.refuse_over_limit([window])
    hold = hold_unit(
        member=known.member,
        release=release_of(benefit, known.member, now=now),
        op_id=reserved.op_id,
        lasts=lasts,
        partner_id=call.partner.pk,
        livemode=call.livemode,
        external_id=body["external_id"],
        now=now,
    )
    name_object(**reference, object_id=hold.public_id)
    return Answer(201, _show(call, _own(call, hold.public_id), now=now))


@operation(
    summary="Read a hold",
    tag="claims",
    scope="claims:read",
    answers={200: HoldObject},
)
def get_stock_hold(call: Call, stock_hold_id: str) -> Answer:
    """A hold that this partner asked for."""
    return Answer(200, _show(call, _own(call, stock_hold_id), now=clock.database_now()))


@operation(
    summary="Let a held unit go",
    tag="claims",
    scope="claims:grant",
    answers={200: HoldObject},
    is_idempotent_by_key=True,
    refusals=("invalid_state",),
)
def release_stock_hold(call: Call, stock_hold_id: str) -> Answer:
    """The unit returns at once, to the next in line or to everybody. Once claimed: 409."""
    now = clock.database_now()
    hold = release_hold(hold=_own(call, stock_hold_id), now=now)
    return Answer(200, _show(call, hold, now=now))


def _own(call: Call, public_id: str) -> StockHold:
    """Raises NotFound, equally for a foreign and an unknown hold."""
    hold = (
        StockHold.objects.filter(
            partner_id=call.partner.pk, livemode=call.livemode, public_id=public_id
        )
        .select_related("entry__release__benefit")
        .first()
    )
    if hold is None:
        raise NotFound
    return hold


def _show(call: Call, hold: StockHold, *, now: datetime) -> dict[str, Any]:
    entry = hold.entry
    ids = list_partner_ids(
        partner=call.partner, livemode=call.livemode, member_ids=[entry.member_id]
    )
    status = status_of(hold, now=now)
    is_over = status == "expired" and entry.ended_at is None
    facts = {
        "object": "stock_hold",
        "id": hold.public_id,
        "livemode": hold.livemode,
        "external_id": hold.external_id,
        "member": ids[entry.member_id],
        "benefit": entry.release.benefit.public_id,
        "status": status,
        "expires_at": entry.offered_until,
        "created_at": hold.created_at,
        "resolved_at": entry.offered_until if is_over else entry.ended_at,
    }
    return dict(HoldObject(facts).data)
