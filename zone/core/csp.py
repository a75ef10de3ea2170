"""The content policy of every answer, written out once instead of for each one."""

from functools import lru_cache

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# What django-csp's decorators leave on an answer that wants a policy of its own.
_OWN_WISHES = (
    "_csp_config", "_csp_update", "_csp_replace", "_csp_exempt", "_csp_config_ro",
    "_csp_update_ro", "_csp_replace_ro", "_csp_exempt_ro",
)  # fmt: skip


class PolicyMiddleware(CSPMiddleware):
    """The settings' policy as it is; whoever wishes for another gets it built as before."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_plain = (
            not settings.DEBUG
            and getattr(request, "_csp_nonce", None) is None
            and not any(name in response.__dict__ for name in _OWN_WISHES)
            and not getattr(settings, "CONTENT_SECURITY_POLICY_REPORT_ONLY", None)
        )
        if not is_plain:
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, _policy(repr(settings.CONTENT_SECURITY_POLICY)))
        return response


@lru_cache(maxsize=4)
def _policy(_settings: str) -> str:
    return str(build_policy())
