"""The console's first page: numbers first, then what needs a hand."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from zone.console.chart import bar_chart
from zone.console.deeds import say_action
from zone.console.models import AuditEvent, BooksCheck
from zone.console.queries.board import day_link, get_board
from zone.console.queries.queue import list_queues
from zone.console.roles import CHECK_BOOKS
from zone.console.scopes import in_scope
from zone.console.services import audit, books


def board_facts(request: HttpRequest) -> dict[str, Any]:
    """What the first page shows this operator: figures they may open, and nothing else."""
    user = request.user
    board = get_board(user)  # type: ignore[arg-type]
    has_claims = user.has_perm("benefits.view_claim")
    links = [day_link(day, board.time_zone) for day, _count in board.days]
    return {
        "board": board,
        "figures": [each for each in board.figures if user.has_perm(each.permission)],
        "chart": bar_chart(board.days, links) if has_claims else None,
        "shows_catalogue": user.has_perm("benefits.view_release"),
        "shows_books": user.has_perm("console.view_bookscheck"),
        "shows_liability": user.has_perm("credits.view_account"),
        "shows_audit": user.has_perm("console.view_auditevent"),
        "queues": list_queues(user),  # type: ignore[arg-type]
        "deeds": [
            (event, say_action(event.action, str(event.after.get("kind", ""))))
            for event in in_scope(AuditEvent.objects.all(), user)[:8]
        ],
        "books": BooksCheck.objects.first(),
        "may_check_books": user.has_perm(CHECK_BOOKS),
    }


@require_POST
def check_books(request: HttpRequest) -> HttpResponse:
    """Ask for a check of the books; the worker does it and the board shows the result."""
    if not request.user.has_perm(CHECK_BOOKS):
        raise PermissionDenied
    check = books.request_check(requested_by=audit.actor_of(request))
    audit.record_deed(request, audit.Deed("books.check", check))
    messages.success(request, _("The books are being checked. The result appears here."))
    return HttpResponseRedirect(reverse("admin:index"))
