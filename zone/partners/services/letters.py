"""Writing to a partner's technical contact when we stopped sending to one of its endpoints."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from zone.core.clock import database_now
from zone.partners.models import WebhookEndpoint

_AT_ONCE = 100
log = logging.getLogger(__name__)


def write_to_contacts() -> int:
    """One letter for each endpoint that was shut and whose partner has a contact; how many went.

    Without `EMAIL_HOST` none is written, and the console shows what is shut. A letter that does
    not get through is tried again with the next round.
    """
    if not settings.EMAIL_HOST:
        return 0
    waiting = WebhookEndpoint.objects.filter(
        paused_at__isnull=False, contact_told_at=None, deleted_at=None
    ).exclude(partner__contact_email="")
    written = 0
    for key in waiting.values_list("pk", flat=True)[:_AT_ONCE]:
        with transaction.atomic():
            endpoint = (
                waiting.select_for_update(no_key=True, skip_locked=True, of=("self",))
                .select_related("partner")
                .filter(pk=key)
                .first()
            )
            if endpoint is None:
                continue
            try:
                _letter(endpoint).send()
            except (OSError, SMTPException) as error:
                log.warning("A letter did not go out", extra={"why": type(error).__name__})
                return written
            endpoint.contact_told_at = database_now()
            endpoint.save(update_fields=["contact_told_at"])
            written += 1
    return written


def _letter(endpoint: WebhookEndpoint) -> EmailMessage:
    """In English, as the contract with partners is."""
    name, url = endpoint.public_id, endpoint.url
    is_gone = endpoint.status == WebhookEndpoint.Status.DISABLED
    why = "it answered 410 Gone" if is_gone else "nothing was accepted there for five days"
    return EmailMessage(
        subject=f"We stopped sending events to {url}",
        body=(
            f"We stopped sending events to {url} ({name}), because {why}.\n\n"
            "Nothing is lost: what happened in the last 30 days is in GET /events. Once the"
            f" receiver works again, enable the endpoint with PATCH /webhook_endpoints/{name};"
            f" what waited goes out at once, and POST /webhook_endpoints/{name}/redeliver sends"
            " what happened meanwhile.\n"
        ),
        to=[endpoint.partner.contact_email],
    )
