"""What partners were told and said about a member who is forgotten.

Three kinds of rows, three rules. A partner's own references are *pseudonymised*: a keyed hash takes
their place, so that two rows that were different stay different and nobody reads what they said.
Events are *pseudonymised* too: a partner may not have read them yet, their sequence has no gap, and
they end after thirty days anyway. Stored answers are *deleted*: they serve a repeat of the same
request within 72 hours, and a repeat about somebody who is forgotten is refused.
"""

from collections.abc import Collection
from typing import Any

from zone.core import vault
from zone.partners.models import (
    Event,
    IdempotencyRecord,
    Partner,
    PartnerReference,
    WebhookDelivery,
)
from zone.partners.services.idempotency import Attempt

_READ_AT_ONCE = 500
# Facts that a partner gave or that describe the person, and what is shown in their place.
_BLANK: dict[str, Any] = {
    "metadata": {},
    "market": None,
    "locale": None,
    "joined_at": None,
    "code_masked": None,
}


def pseudonym_of(reference: str) -> str:
    """What stands in the place of a reference; the same for the same, and no way back."""
    return "erased_" + vault.blind_index("erased-reference", reference).hex()[:48]


def forget_references(member_id: int) -> None:
    """No reference that a partner gave to anything of this member's can be read any more."""
    for reference in PartnerReference.objects.filter(member_id=member_id):
        PartnerReference.objects.filter(pk=reference.pk).update(
            external_id=pseudonym_of(reference.external_id)
        )


def forget_in_events(*, partner_id: int, object_ids: Collection[str]) -> None:
    """Events of these objects keep what happened and when, and lose what says to whom.

    What receivers answered to them may repeat it, and is lost as well.
    """
    events = Event.objects.filter(partner_id=partner_id, object_id__in=object_ids)
    for delivery in WebhookDelivery.objects.filter(event__in=events):
        blank = [{**attempt, "answer": ""} for attempt in delivery.attempts]
        WebhookDelivery.objects.filter(pk=delivery.pk).update(attempts=blank)
    for event in events:
        Event.objects.filter(pk=event.pk).update(
            data=_blanked(event.data), previous=_blanked(event.previous)
        )


def _blanked(facts: dict[str, Any]) -> dict[str, Any]:
    kept = {name: _BLANK.get(name, value) for name, value in facts.items()}
    if isinstance(reference := facts.get("external_id"), str):
        kept["external_id"] = None if facts.get("object") == "member" else pseudonym_of(reference)
    return kept


def forget_answers(*, partner: Partner, object_ids: Collection[str]) -> int:
    """Stored answers that speak of one of these objects are gone; says how many there were.

    An answer does not say whose it is, so those of the last 72 hours are read through, the sealed
    ones as well.
    """
    wanted = [object_id.encode() for object_id in object_ids]
    answers = IdempotencyRecord.objects.filter(partner=partner)
    found = []
    for record in answers.iterator(_READ_AT_ONCE):
        body = bytes(record.body)
        if record.is_sealed:
            sealed_as = Attempt(partner, record.livemode, record.key, b"").name
            body = vault.unwrap(body, purpose=sealed_as)
        if any(object_id in body for object_id in wanted):
            found.append(record.pk)
    gone, _ = answers.filter(pk__in=found).delete()
    return gone
