"""What waits for a decision of this operator, whichever table asks for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from benefits.models import Benefit, RuleRequest
from credits.models import AdjustBatch, AdjustRequest
from zone.console.roles import APPROVE_ADJUSTMENT, APPROVE_BENEFIT, SEND_ANNOUNCEMENT
from zone.console.scopes import in_reach
from zone.core import clock
from zone.notices.models import Announcement
from zone.partners.models import WebhookEndpoint


@dataclass(frozen=True)
class Queue:
    """Requests of one kind: who decides on them, and which rows of the table they are."""

    label: Any
    model: type[Model]
    permission: str
    rows: Callable[[datetime], dict[str, str]]


@dataclass(frozen=True)
class QueueLine:
    label: str
    count: int
    link: str


def _open_since(now: datetime, **fixed: str) -> dict[str, str]:
    return {**fixed, "expires_at__gt": now.astimezone(UTC).isoformat(timespec="seconds")}


QUEUES = [
    Queue(_("Benefits in review"), Benefit, APPROVE_BENEFIT,
          lambda now: {"status__exact": Benefit.Status.IN_REVIEW.value}),
    Queue(_("Rules to approve"), RuleRequest, APPROVE_BENEFIT,
          lambda now: _open_since(now, state__exact="open")),
    Queue(_("Corrections"), AdjustRequest, APPROVE_ADJUSTMENT,
          lambda now: _open_since(now, status__exact=AdjustRequest.Status.WAITING.value)),
    Queue(_("Files of corrections"), AdjustBatch, APPROVE_ADJUSTMENT,
          lambda now: _open_since(now, status__exact=AdjustBatch.Status.PREVIEW.value)),
    Queue(_("Announcements to send"), Announcement, SEND_ANNOUNCEMENT,
          lambda now: {"state__exact": Announcement.State.DRAFT.value}),
    Queue(_("Webhook endpoints we paused"), WebhookEndpoint, "partners.change_webhookendpoint",
          lambda now: {"status__exact": WebhookEndpoint.Status.PAUSED.value}),
]  # fmt: skip


def list_queues(user: User) -> list[QueueLine] | None:
    """Each kind of request with how many wait, and their list; None for who decides on nothing."""
    now = clock.now()
    theirs = [queue for queue in QUEUES if user.has_perm(queue.permission)]
    lines = []
    for queue in theirs:
        wanted = queue.rows(now)
        rows: Any = queue.model._default_manager.filter(**wanted)  # type: ignore[arg-type]
        if count := in_reach(rows, user).count():
            meta = queue.model._meta
            page = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
            lines.append(QueueLine(str(queue.label), count, f"{page}?{urlencode(wanted)}"))
    return lines if theirs else None
