"""Balances and statement lines as a partner may read them."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from credits import queries
from credits.kinds import Kind
from credits.queries import EntryLine
from zone.core.errors import NotFound
from zone.core.ids import public_id_of, uuid_of
from zone.members.services.partner_members import get_partner_member, list_partner_ids
from zone.partners.declarations import Answer, Call, operation
from zone.partners.errors import InvalidCursor
from zone.partners.fields import IdField, InstantField
from zone.partners.models import PartnerReference
from zone.partners.objects import Shape, constant, list_of
from zone.partners.paging import (
    LIMIT_DEFAULT,
    ListQuery,
    bind_filters,
    list_answer,
    read_cursor,
)

KINDS = [kind.word for kind in Kind]


class ExpiringObject(Shape):
    """Credits that end with one day."""

    amount = serializers.IntegerField(min_value=1)
    expires_on = serializers.DateField()


class CreditBalanceObject(Shape):
    """Where a member stands. `expiring` adds up to `available`."""

    object = constant("credit_balance")
    member = serializers.CharField()
    available = serializers.IntegerField(min_value=0)
    held = serializers.IntegerField(min_value=0)
    debt = serializers.IntegerField(min_value=0)
    expiring = ExpiringObject(many=True)
    as_of = InstantField()


class RelatedObject(Shape):
    """What an entry is about, when this partner caused it."""

    object = serializers.CharField()
    id = serializers.CharField()


class CreditEntryObject(Shape):
    """One line of the statement; never changed, never deleted. `amount` is signed for reading."""

    object = constant("credit_entry")
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    member = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    amount = serializers.IntegerField()
    available_after = serializers.IntegerField(min_value=0)
    external_id = serializers.CharField(allow_null=True)
    related = RelatedObject(allow_null=True)
    reverses = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    expires_on = serializers.DateField(allow_null=True)
    posted_at = InstantField()


CreditEntryList = list_of(CreditEntryObject)


class CreditEntryQuery(ListQuery):
    member = IdField("mbr")
    kind = serializers.ChoiceField(choices=KINDS, required=False)
    posted_after = InstantField(required=False)
    posted_before = InstantField(required=False)


@operation(
    summary="Read a member's balance",
    tag="credits",
    scope="credits:read",
    answers={200: CreditBalanceObject},
)
def get_credits(call: Call, member_id: str) -> Answer:
    """The balance at this moment; credits past their day are not in it."""
    known = get_partner_member(partner=call.partner, livemode=call.livemode, public_id=member_id)
    balance = queries.get_balance(known.member_id)
    facts = {
        "object": "credit_balance",
        "member": known.public_id,
        "available": balance.available,
        "held": balance.held,
        "debt": balance.debt,
        "expiring": balance.expiring,
        "as_of": balance.as_of,
    }
    return Answer(200, dict(CreditBalanceObject(facts).data))


@operation(
    summary="List a member's entries",
    tag="credits",
    scope="credits:read",
    query=CreditEntryQuery,
    answers={200: CreditEntryList},
)
def list_credit_entries(call: Call) -> Answer:
    """The member's statement, newest first."""
    query = call.query
    known = get_partner_member(
        partner=call.partner, livemode=call.livemode, public_id=query["member"]
    )
    filters = bind_filters(call.owner, query)
    cursor = query.get("cursor")
    limit = query.get("limit", LIMIT_DEFAULT)
    lines = queries.list_entries(
        known.member_id,
        before=_position_in(cursor, filters) if cursor else None,
        kinds=[Kind[query["kind"].upper()]] if "kind" in query else (),
        posted_after=query.get("posted_after"),
        posted_before=query.get("posted_before"),
        limit=limit + 1,
    )
    page = lines[:limit]
    last = [str(page[-1].op_id)] if len(lines) > limit else None
    rows = present_entries(call, page, known.public_id)
    return Answer(200, list_answer(rows, last=last, filters=filters))


@operation(
    summary="Read an entry",
    tag="credits",
    scope="credits:read",
    answers={200: CreditEntryObject},
)
def get_credit_entry(call: Call, entry_id: str) -> Answer:
    """One statement line of a member whom this partner knows."""
    lines = queries.list_operation(_operation_of(entry_id))
    known = list_partner_ids(
        partner=call.partner,
        livemode=call.livemode,
        member_ids=[line.member_id for line in lines],
    )
    for line in lines:
        if line.member_id in known:
            return Answer(200, present_entries(call, [line], known[line.member_id])[0])
    raise NotFound


def _position_in(cursor: str, filters: str) -> UUID:
    """The last entry of the page above. Raises InvalidCursor, for one of an earlier version too."""
    try:
        return UUID(str(read_cursor(cursor, filters)[0]))
    except ValueError as error:
        raise InvalidCursor from error


def _operation_of(entry_id: str) -> Any:
    try:
        prefix, value = entry_id[:4], uuid_of(entry_id)
    except ValueError as error:
        raise NotFound from error
    if prefix != "cen_" or len(entry_id) != len("cen_") + 26:
        raise NotFound
    return value


def present_entries(call: Call, lines: list[EntryLine], member: str) -> list[dict[str, Any]]:
    """Lines of one member as the API shows them to the caller.

    Reference and related object are shown for what this partner caused itself: ids of anything
    else are the same for every partner, and would let two of them join their records.
    """
    operations = [line.op_id for line in lines] + [line.orig_op for line in lines if line.orig_op]
    own = {
        reference.op_id: reference
        for reference in PartnerReference.objects.filter(
            partner=call.partner, livemode=call.livemode, op_id__in=operations
        )
    }
    return [_present(call, line, member, own) for line in lines]


def _present(
    call: Call, line: EntryLine, member: str, own: dict[Any, PartnerReference]
) -> dict[str, Any]:
    reference = own.get(line.op_id) or (own.get(line.orig_op) if line.orig_op else None)
    facts = {
        "object": "credit_entry",
        "id": line.public_id,
        "livemode": call.livemode,
        "member": member,
        "kind": line.kind.word,
        "amount": line.amount,
        "available_after": line.available_after,
        "external_id": reference.external_id if reference else None,
        "related": {"object": reference.kind, "id": reference.object_id} if reference else None,
        "reverses": public_id_of("cen", line.orig_op) if line.orig_op else None,
        "reason": line.reason or None,
        "expires_on": line.expires_on,
        "posted_at": line.posted_at,
    }
    return dict(CreditEntryObject(facts).data)
