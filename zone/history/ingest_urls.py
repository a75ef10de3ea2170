"""The signed ingest door, /ingest/v1."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
