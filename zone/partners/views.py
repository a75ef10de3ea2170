"""Pages for the people who build against the API."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from zone.partners.catalogue import PROBLEMS


@require_safe
def list_problems(request: HttpRequest) -> HttpResponse:
    """Every code with its status and title."""
    return render(request, "partners/problems.html", {"problems": PROBLEMS})


@require_safe
def show_problem(request: HttpRequest, code: str) -> HttpResponse:
    """One code: what it means and what to do. Its address is the problem's `type`."""
    if code not in PROBLEMS:
        raise Http404
    return render(request, "partners/problem.html", {"code": code, "problem": PROBLEMS[code]})


# Developers of a partner are no members; these pages show nobody's data.
list_problems.is_open_to_all = True
show_problem.is_open_to_all = True
