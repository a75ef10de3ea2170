"""The inbox page."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from zone.core.http import private, wants_partial
from zone.core.ids import uuid_of
from zone.notices import queries, services


@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """A page of notices; htmx asks for the next rows alone."""
    before = _notice_id(request.GET["before"]) if "before" in request.GET else None
    rows = queries.list_notices(request.member.pk, before=before, limit=queries.PAGE_SIZE + 1)
    notices, has_more = rows[: queries.PAGE_SIZE], len(rows) > queries.PAGE_SIZE
    template = "notices/_rows.html" if wants_partial(request) else "notices/inbox.html"
    context = {"notices": notices, "has_more": has_more, "is_first_page": before is None}
    return private(render(request, template, {**context, "tab": "inbox"}))


@require_GET
def open_notice(request: HttpRequest, public_id: str) -> HttpResponse:
    """Mark a notice read and go where it points. Repeating it changes nothing more."""
    notice = queries.find_notice(request.member.pk, _notice_id(public_id))
    if notice is None:
        raise Http404
    services.mark_read(member_id=request.member.pk, notice_id=notice.id)
    return private(redirect(notice.link or "notices:inbox"))


@require_POST
def mark_all_read(request: HttpRequest) -> HttpResponse:
    """Everything the member has seen on the page is read."""
    up_to = _notice_id(request.POST.get("up_to", ""))
    services.mark_all_read(member_id=request.member.pk, up_to=up_to)
    return private(redirect("notices:inbox"))


def _notice_id(public_id: str) -> UUID:
    try:
        return uuid_of(public_id)
    except ValueError as error:
        raise Http404 from error
