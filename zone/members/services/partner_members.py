"""Members as partners know them: pairwise ids, made at first contact."""

from django.db import IntegrityError, transaction

from zone.core.errors import NotFound
from zone.members.models import Member, PartnerMember
from zone.partners.models import Partner


def introduce_member(
    *, partner: Partner, member: Member, external_id: str | None = None
) -> PartnerMember:
    """The id under which `partner` knows `member`, made now if they never met.

    Safe to repeat and to race; a reference given at the first contact stays.
    """
    known = PartnerMember.objects.filter(partner=partner, member=member)
    if found := known.select_related("member__wallet").first():
        return found
    try:
        with transaction.atomic():
            return PartnerMember.objects.create(
                partner=partner,
                member=member,
                livemode=member.wallet.livemode,
                external_id=external_id,
            )
    except IntegrityError:
        found = known.select_related("member__wallet").first()
        if found is None:
            raise  # The reference names another member.
        return found


def get_partner_member(*, partner: Partner, livemode: bool, public_id: str) -> PartnerMember:
    """The member whom `partner` calls `public_id` in this mode, with member and wallet.

    Raises NotFound, equally for an id of another partner, of the other mode, and of nobody.
    """
    found = (
        PartnerMember.objects.filter(partner=partner, livemode=livemode, public_id=public_id)
        .select_related("member__wallet")
        .first()
    )
    if found is None:
        raise NotFound
    return found


def list_partner_ids(*, partner: Partner, livemode: bool, member_ids: list[int]) -> dict[int, str]:
    """The public ids under which `partner` knows many members, in one query."""
    rows = PartnerMember.objects.filter(
        partner=partner, livemode=livemode, member_id__in=member_ids
    )
    return dict(rows.values_list("member_id", "public_id"))
