"""A page for the answer Django leaves empty."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from zone.pages.views.errors import only_from_its_button


class WrongMethodPageMiddleware:
    """An address that only a button leads to, opened by hand, says so and shows the way on.

    Django answers 405 with nothing in it, and a browser then shows its own fault page. The status
    and its `Allow` header stay (RFC 9110, section 15.5.6).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if answer.status_code != 405 or answer.streaming or answer.content:
            return answer
        page = only_from_its_button(request)
        page["Allow"] = answer["Allow"]
        return page
