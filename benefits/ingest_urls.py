"""The signed door of providers, /ingest/v1/issuers."""

from django.urls import path

from benefits.views import issuers

urlpatterns = [path("issuers/<slug:code>/messages", issuers.message, name="issuer-message")]
