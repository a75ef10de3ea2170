"""Tokens and the description: the part of /api/v1 that belongs to no other room."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
