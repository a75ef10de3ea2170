from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from benefits.models import CodeBatch


@admin.register(CodeBatch)
class CodeBatchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was loaded and what became of it. Codes themselves are listed nowhere."""

    list_display = ("public_id", "release", "source", "file_name", "expires_on", "created_at")
    list_select_related = ("release",)
    search_fields = ("public_id", "file_name", "release__public_id")
    fields = (
        "public_id", "release", "source", "file_name", "expires_on", "life_days_min", "report",
        "actor", "created_at", "finished_at",
    )  # fmt: skip
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
