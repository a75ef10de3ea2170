"""Who is asking: `request.member`, their language, and the door that closes every member page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class MemberMiddleware:
    """Put the signed-in member, or None, on the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.member = None  # type: ignore[attr-defined]
        return self.get_response(request)


class MemberLocaleMiddleware(MemberMiddleware):
    pass


class MemberRequiredMiddleware(MemberMiddleware):
    pass
