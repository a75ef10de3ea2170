"""Health, and pictures."""

from django.urls import path

from zone.core.health import healthz, readyz
from zone.core.media import media

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("media/<path:path>", media, name="media"),
]
