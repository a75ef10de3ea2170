"""One member, one timeline: what support reads while somebody waits on the line."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from benefits.models import Claim
from credits.queries import get_balance
from zone.console.roles import UNMASK
from zone.console.scopes import in_scope
from zone.console.services.unmask import masked_name, unmask_member
from zone.console.timeline import SOURCES, decode_cursor, read_page
from zone.core import stepup
from zone.core.errors import ZoneError
from zone.members.models import Member
from zone.members.queries import find_open_binding


@require_GET
def timeline(request: HttpRequest, public_id: str) -> HttpResponse:
    """Everything about one member, newest first, without what the operator may not see."""
    member = _get_member(request, public_id)
    return _timeline_page(request, member, {})


@require_POST
def unmask(request: HttpRequest, public_id: str) -> HttpResponse:
    """The same page with the wallet id in clear: this once, with a reason, on the log."""
    member = _get_member(request, public_id)
    if not request.user.has_perm(UNMASK):
        raise PermissionDenied
    if page := stepup.ask_for_fresh_code(request):
        return page
    try:
        revealed = unmask_member(request, member, reason=request.POST.get("reason", ""))
    except ZoneError as refusal:
        messages.error(request, str(refusal))
        return _timeline_page(request, member, {"asks_reason": True})
    return _timeline_page(request, member, {"revealed": revealed})


def _get_member(request: HttpRequest, public_id: str) -> Member:
    if not request.user.has_perm("members.view_member"):
        raise PermissionDenied
    members = Member.objects.select_related("wallet").prefetch_related("identities")
    return get_object_or_404(in_scope(members, request.user), public_id=public_id)


def _timeline_page(request: HttpRequest, member: Member, facts: dict[str, object]) -> HttpResponse:
    allowed = [source for source in SOURCES if request.user.has_perm(source.permission)]
    kinds = list(dict.fromkeys(str(source.label) for source in allowed))
    kind = request.GET.get("kind", "")
    chosen = [source for source in allowed if kind in {"", str(source.label)}]
    page = read_page(chosen, member.pk, after=decode_cursor(request.GET.get("after", "")))
    context = {
        **admin.site.each_context(request),
        "title": member.public_id,
        "member": None,  # The members' own frame: an operator is nobody's member.
        "person": member,
        "masked_name": masked_name(member.display_name),
        "masked_ids": [str(identity) for identity in member.identities.all()],
        "binding": find_open_binding(member),
        "open_claims": Claim.objects.filter(member=member, state="granted").count(),
        "balance": get_balance(member) if request.user.has_perm("credits.view_account") else None,
        "page": page,
        "kinds": kinds,
        "kind": kind,
        "may_unmask": request.user.has_perm(UNMASK),
        **facts,
    }
    return render(request, "console/timeline.html", context)
