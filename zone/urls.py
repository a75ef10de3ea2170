"""All doors. Each room owns its own addresses; this file only names them."""

from django.contrib import admin
from django.urls import include, path, re_path

admin.autodiscover()  # Here, so that only those who serve the console read it.

api_v1 = [
    path("", include("zone.partners.api_urls")),
    path("", include("zone.members.api_urls")),
    path("", include("zone.history.api_urls")),
    path("", include("credits.api_urls")),
    path("", include("benefits.api_urls")),
]

urlpatterns = [
    path("", include("zone.core.urls")),
    path("", include("zone.members.urls")),
    path("", include("zone.history.urls")),
    path("", include("zone.notices.urls")),
    path("", include("credits.urls")),
    path("", include("benefits.urls")),
    path("", include("zone.pages.urls")),
    path("api/v1/", include(api_v1)),
    re_path(r"^api(?:/|\Z)", include("zone.partners.unknown_urls")),
    path("", include("zone.partners.urls")),
    path("ingest/v1/", include("zone.history.ingest_urls")),
    path("ingest/v1/", include("benefits.ingest_urls")),
    path("console/", admin.site.urls),
]

handler400 = "zone.pages.views.errors.bad_request"
handler403 = "zone.pages.views.errors.forbidden"
handler404 = "zone.pages.views.errors.not_found"
handler500 = "zone.pages.views.errors.server_error"
