"""What makes the portal installable: a manifest, a small service worker, a page for no network."""

import hashlib
import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from zone.members.access import open_to_all

# What the offline page needs to look like ours. Nothing here is about a person.
_OFFLINE_FILES = (
    "css/tokens.css",
    "css/base.css",
    "css/components.css",
    "css/controls.css",
    "img/mark.svg",
)


@open_to_all
@require_GET
@cache_control(max_age=3600)
def manifest(request: HttpRequest) -> HttpResponse:
    """W3C web app manifest."""
    return JsonResponse(
        {
            "id": "/",
            "name": "Apple Zone",
            "short_name": "Apple Zone",
            "description": _("Benefits, credits and charges of your linked wallet in one place."),
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": "#f5f5f7",
            "theme_color": "#f5f5f7",
            "icons": [
                {"src": static("img/mark.svg"), "sizes": "any", "type": "image/svg+xml"},
                {"src": static("img/icon-192.png"), "sizes": "192x192", "type": "image/png"},
                {"src": static("img/icon-512.png"), "sizes": "512x512", "type": "image/png"},
            ],
        },
        content_type="application/manifest+json",
    )


@open_to_all
@require_GET
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """The worker, with the files it keeps. Its cache is named after them, so a release renews it.

    Files are kept only when their names carry a hash of their content; otherwise (development
    without collectstatic) a kept copy could be an old one.
    """
    files = [static(name) for name in _OFFLINE_FILES]
    is_hashed = "Manifest" in settings.STORAGES["staticfiles"]["BACKEND"]
    context = {
        "files": json.dumps(files),
        "cache": f"zone-{hashlib.sha256(''.join(files).encode()).hexdigest()[:12]}",
        "is_hashed": is_hashed,
        "static_url": settings.STATIC_URL,
    }
    return render(request, "pages/sw.js", context, content_type="text/javascript")


@open_to_all
@require_GET
@cache_control(no_cache=True)
def offline(request: HttpRequest) -> HttpResponse:
    """Shown by the service worker when there is no network: the same for everyone."""
    return render(request, "errors/offline.html")


@open_to_all
@require_GET
@cache_control(max_age=24 * 3600)
def favicon(request: HttpRequest) -> HttpResponse:
    """For what asks at the old address instead of reading the page's link."""
    return redirect(static("img/favicon.ico"))
