"""The member's credits: balance, what ends soon, and the statement."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from credits.queries import STATEMENT_PAGE, Balance, Expiring, get_balance, list_entries
from credits.queries.earning import preview_renewals
from credits.queries.missions import list_missions
from credits.queries.pending import list_pending
from credits.queries.standing import find_kept
from credits.queries.tiers import get_tier
from credits.statement import FILTERS, filter_kinds, group_by_month
from zone.core.http import private, wants_partial
from zone.core.ids import public_id_of, uuid_of

SOON = timedelta(days=45)


@require_GET
def credits_page(request: HttpRequest) -> HttpResponse:
    """Balance and statement; htmx asks for the next rows alone."""
    member = request.member  # type: ignore[attr-defined]
    word, before = request.GET.get("show", ""), _before(request)
    lines = list_entries(member, before=before, kinds=filter_kinds(word), limit=STATEMENT_PAGE + 1)
    page = lines[:STATEMENT_PAGE]
    context: dict[str, Any] = {
        "tab": "credits",
        "months": group_by_month(page),
        "more_before": page[-1].public_id if len(lines) > STATEMENT_PAGE else None,
        "show": word,
    }
    if wants_partial(request) and before is not None:
        return private(render(request, "credits/_months.html", context))
    balance = get_balance(member)
    context |= {
        "balance": balance,
        "tier": get_tier(member),
        "missions": list_missions(member, now=balance.as_of),
        "pending": list_pending(member.pk),
        "renewals": preview_renewals(member),
        "ending": _ending_soon(balance),
        "kept": find_kept(member) if balance.is_frozen else None,
        "filters": [(name, label, name == word) for name, label, _kinds in FILTERS],
    }
    return private(render(request, "credits/credits.html", context))


def _before(request: HttpRequest) -> UUID | None:
    """The last line of the page above, by its public id."""
    text = request.GET.get("before")
    if text is None:
        return None
    try:
        operation = uuid_of(text)
    except ValueError as error:
        raise Http404 from error
    if text != public_id_of("cen", operation):
        raise Http404
    return operation


def _ending_soon(balance: Balance) -> list[Expiring]:
    last = timezone.localtime(balance.as_of).date() + SOON
    return [bucket for bucket in balance.expiring if bucket.expires_on <= last]
