"""A partner's own references: the same name always leads to the same thing."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection

from zone.core import vault
from zone.core.ids import uuid7
from zone.partners.errors import IdempotencyInProgress, ReferenceConflict
from zone.partners.models import Partner, PartnerReference

_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True, slots=True)
class Reserved:
    """`is_new` false means: there already is `object_id`, made under `op_id`."""

    is_new: bool
    op_id: UUID
    object_id: str


def reserve_reference(
    *,
    partner: Partner,
    livemode: bool,
    kind: str,
    external_id: str,
    member_id: int,
    content: dict[str, Any],
) -> Reserved:
    """Take `external_id` for what is about to be made, or find what it already names.

    Runs inside the transaction of the effect: if that rolls back, the reference is free again.
    `content` is what makes two uses the same request.

    Raises ReferenceConflict when the reference names something with other content, and
    IdempotencyInProgress when another call is making it right now.
    """
    text = repr(sorted((name, str(value)) for name, value in content.items()))
    fingerprint = vault.blind_index("partner-reference", text)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO partners_partnerreference
                       (partner_id, livemode, kind, external_id, member_id, op_id, object_id,
                        fingerprint, created_at)
                VALUES (%s, %s, %s, %s, %s, %s, '', %s, zone_now())
                ON CONFLICT ON CONSTRAINT partners_partnerreference_once DO NOTHING
                RETURNING op_id
                """,
                [partner.pk, livemode, kind, external_id, member_id, uuid7(), fingerprint],
            )
            row = cursor.fetchone()
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise IdempotencyInProgress from error
        raise
    if row:
        return Reserved(is_new=True, op_id=row[0], object_id="")
    found = PartnerReference.objects.get(
        partner=partner, livemode=livemode, kind=kind, external_id=external_id
    )
    if bytes(found.fingerprint) != fingerprint:
        raise ReferenceConflict
    return Reserved(is_new=False, op_id=found.op_id, object_id=found.object_id)


def name_object(
    *, partner: Partner, livemode: bool, kind: str, external_id: str, object_id: str
) -> None:
    """Write down which object a reserved reference became."""
    PartnerReference.objects.filter(
        partner=partner, livemode=livemode, kind=kind, external_id=external_id
    ).update(object_id=object_id)
