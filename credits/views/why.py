"""Why a purchase earned what it did, in the member's words."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from credits.queries.earning import explain_charge
from zone.core.http import private, wants_partial
from zone.core.ids import uuid_of
from zone.history.models import Charge
from zone.members.models import Member


@require_GET
def why(request: HttpRequest, public_id: str) -> HttpResponse:
    """One of the member's own charges: which rule gave what, or why there was nothing."""
    member: Member = request.member  # type: ignore[attr-defined]
    context = {"tab": "activity", "why": explain_charge(_own_charge(member, public_id))}
    page = "credits/_why.html" if wants_partial(request) else "credits/why.html"
    return private(render(request, page, context))


def _own_charge(member: Member, public_id: str) -> Charge:
    try:
        charge_id = uuid_of(public_id)
    except ValueError as error:
        raise Http404 from error
    charge: Charge | None = Charge.objects.filter(pk=charge_id, member=member).first()
    if charge is None or charge.public_id != public_id:
        raise Http404
    return charge
