"""Step-up: a sensitive button asks for a code entered in the last five minutes.

OWASP ASVS 5.0, 7.5.1 and 7.5.3: re-authenticate before a sensitive change. Rooms guard their own
buttons with these helpers; the console shows the page that takes the code.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from zone.core import clock

FRESH_FOR = timedelta(minutes=5)
_SESSION_KEY = "operator_code_at"


def mark_code_fresh(request: HttpRequest) -> None:
    """Remember that this operator has just shown a second factor."""
    request.session[_SESSION_KEY] = clock.now().timestamp()


def has_fresh_code(request: HttpRequest) -> bool:
    """Whether the operator entered a code within the last five minutes."""
    shown_at = request.session.get(_SESSION_KEY)
    if not isinstance(shown_at, int | float):
        return False
    age = clock.now() - datetime.fromtimestamp(shown_at, tz=UTC)
    return timedelta(0) <= age <= FRESH_FOR


def ask_for_fresh_code(request: HttpRequest) -> HttpResponseRedirect | None:
    """A redirect to the code page when the last code is too old, else None.

    For an admin action or a form: `if page := ask_for_fresh_code(request): return page` before
    anything is changed. The page leads back here, and the operator presses the button again.
    """
    if has_fresh_code(request):
        return None
    query = urlencode({"next": request.get_full_path()})
    return HttpResponseRedirect(f"{reverse('admin:step_up')}?{query}")


def fresh_code_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Guard a whole view, admin methods included: its request is the first HttpRequest given."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> HttpResponse:
        request = next(value for value in args if isinstance(value, HttpRequest))
        return ask_for_fresh_code(request) or view(*args, **kwargs)

    return guarded
