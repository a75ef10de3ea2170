"""When a benefit is open, again and again; worked out ahead as soon as it is saved."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from benefits.models import OpeningHours


class HoursInline(admin.StackedInline):  # type: ignore[type-arg]
    model = OpeningHours
    extra = 0

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)
