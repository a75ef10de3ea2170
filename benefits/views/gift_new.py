"""Composing a gift: one form, a look at what the friend will see, and the POST that sends it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from benefits import gift_queries
from benefits.gift_forms import GiftForm
from benefits.models import Gift
from benefits.services import gifts
from benefits.views.gifts import member_of
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.http import private
from zone.core.ids import uuid7


@require_http_methods(["GET", "POST"])
def compose(request: HttpRequest) -> HttpResponse:
    """GET shows the form, a first POST the preview, a POST with `step=send` sends."""
    member = member_of(request)
    now = database_now()
    claims = gift_queries.list_giftable(member=member, now=now)
    if request.method == "GET":
        asked = request.GET.get("claim", "")
        # What was asked for stands first, where it is seen; the others keep their order.
        claims.sort(key=lambda claim: claim.public_id != asked)
        initial = {
            "claim": claims[0].public_id if claims else "",
            "op_id": uuid7(),
            "signed_by": member.display_name[:20],
            "time_zone": member.time_zone,
            "hour": "09:00",
        }
        return _form(request, GiftForm(initial=initial, member=member, claims=claims))
    # A second press finds the first gift, although its claim is no longer one to choose.
    if first := _first(request):
        return private(redirect("benefits:gift", first.public_id))
    form = GiftForm(request.POST, member=member, claims=claims)
    if not form.is_valid() or request.POST.get("step") == "change":
        return _form(request, form, status=200 if form.is_valid() else 422)
    claim = form.chosen()
    if request.POST.get("step") != "send":
        context = {"tab": "mine", "form": form, "claim": claim, "text": claim.benefit.text()}
        return private(render(request, "gifts/preview.html", context))
    try:
        gift = gifts.send_gift(giver=member, claim=claim, op_id=form.op(), now=now, **form.card())
    except ZoneError as refusal:
        form.add_error(None, str(refusal))
        return _form(request, form, status=refusal.http_status)
    return private(redirect("benefits:gift", gift.public_id))


def _first(request: HttpRequest) -> Gift | None:
    try:
        op_id = GiftForm.base_fields["op_id"].clean(request.POST.get("op_id", ""))
    except ValidationError:
        return None
    return Gift.objects.filter(giver=member_of(request), op_id=op_id).first()


def _form(request: HttpRequest, form: GiftForm, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"tab": "mine", "form": form, "claims": list(form.claims.values())}
    return private(render(request, "gifts/new.html", context, status=status))
