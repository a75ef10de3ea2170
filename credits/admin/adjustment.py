"""Asking for a correction, and deciding on one."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from credits.admin.books import MemberField, MemberFormAdmin
from credits.models import AdjustRequest
from credits.services.adjustments import apply_adjustment, ask_for_adjustment, refuse_adjustment
from zone.core.errors import ZoneError


class AdjustForm(forms.ModelForm):  # type: ignore[type-arg]
    member = MemberField()

    class Meta:
        model = AdjustRequest
        fields = ("member", "amount", "reason", "note")


@admin.register(AdjustRequest)
class AdjustRequestAdmin(MemberFormAdmin):
    """A saved request moves nothing; the buttons do, and each asks who presses it."""

    list_display = [
        "__str__", "member", "amount", "reason", "status", "maker", "checker", "created_at",
    ]  # fmt: skip
    list_filter = ["status", "reason"]
    list_select_related = ["member", "maker", "checker"]
    form = AdjustForm
    actions = ["apply", "refuse"]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        asked = ["member", "amount", "reason", "note"]
        if obj is None:
            return asked
        return [
            *asked, "status", "maker", "created_at", "expires_at", "checker", "limit_used",
            "decided_at",
        ]  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: AdjustRequest, form: Any, change: bool) -> None:
        ask_for_adjustment(obj, maker=request.user)  # type: ignore[arg-type]

    @admin.action(description=_("Apply"), permissions=["change"])
    def apply(self, request: HttpRequest, rows: QuerySet[AdjustRequest]) -> None:
        self._each(
            request,
            rows,
            lambda row: apply_adjustment(request_id=row.pk, operator=request.user),  # type: ignore[arg-type]
        )

    @admin.action(description=_("Refuse"), permissions=["change"])
    def refuse(self, request: HttpRequest, rows: QuerySet[AdjustRequest]) -> None:
        self._each(request, rows, lambda row: refuse_adjustment(request_id=row.pk))

    def _each(
        self,
        request: HttpRequest,
        rows: QuerySet[AdjustRequest],
        act: Callable[[AdjustRequest], object],
    ) -> None:
        done = 0
        for row in rows:
            try:
                act(row)
                done += 1
            except ZoneError as refusal:
                self.message_user(request, f"{row}: {refusal.sentence}", messages.ERROR)
        if done:
            self.message_user(request, gettext("Done: %(count)s.") % {"count": done})
