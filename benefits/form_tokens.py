"""Django's own check of a form token for doors in front of the page."""

from django.http import HttpRequest, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware


class FormTokens(CsrfViewMiddleware):
    """Only says whether; the answer is the business of the page behind."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponseForbidden:
        return HttpResponseForbidden(reason)
