"""The published roots: open to all, so that anybody can keep them and compare later."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from credits.queries.seals import SEALS_PAGE, Seal, list_seals
from zone.members.access import open_to_all

FRESH_SECONDS = 5
_NUMBER_MAX = 2**63


@open_to_all
@require_safe
def seals_page(request: HttpRequest) -> HttpResponse:
    """The latest roots, newest first; `before` is the last block of the page above."""
    seals, more_before = _page(request)
    context = {"seals": seals, "more_before": more_before}
    return render(request, "credits/seals.html", context)


@open_to_all
@require_safe
def seals_file(request: HttpRequest) -> HttpResponse:
    """The same roots as JSON: sums and counts over all members, nothing about anyone."""
    seals, more_before = _page(request)
    answer = JsonResponse({"seals": [_as_json(seal) for seal in seals], "more_before": more_before})
    answer["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
    return answer


def _page(request: HttpRequest) -> tuple[list[Seal], int | None]:
    seals = list_seals(before=_before(request), limit=SEALS_PAGE + 1)
    page = seals[:SEALS_PAGE]
    return page, page[-1].block if len(seals) > SEALS_PAGE else None


def _before(request: HttpRequest) -> int | None:
    text = request.GET.get("before")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:20]) < _NUMBER_MAX:
        raise Http404
    return int(text[:20])


def _as_json(seal: Seal) -> dict[str, object]:
    return {
        "block": seal.block,
        "root": seal.root.hex(),
        "prev_root": seal.prev_root.hex(),
        "entry_count": seal.entry_count,
        "sealed_at": seal.sealed_at.isoformat().replace("+00:00", "Z"),
    }
