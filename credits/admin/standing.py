"""Freezing and thawing, each with a reason; and the accounts of members who unlinked."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from credits.admin.books import MemberField, MemberFormAdmin
from credits.admin.checkin import MemberRowsAdmin
from credits.models import Freeze, KeptAccount
from credits.services.standing import freeze_member, thaw_member
from zone.core.errors import ZoneError


class FreezeForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new freeze needs a note; an open one ends by saying why."""

    member = MemberField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.fields.pop("member", None)  # Whom it holds is not edited.

    def clean(self) -> dict[str, Any]:
        facts: dict[str, Any] = super().clean() or {}
        if (
            self.instance.pk is None
            and (member := facts.get("member")) is not None
            and Freeze.objects.filter(member=member, thawed_at=None).exists()
        ):
            self.add_error("member", _("This member is frozen already."))
        if self.instance.pk is not None and not facts.get("thaw_note", "").strip():
            self.add_error("thaw_note", _("Say why the freeze ends."))
        return facts


@admin.register(Freeze)
class FreezeAdmin(MemberFormAdmin):
    """A saved freeze holds at once; saving why it ends thaws. Nothing here is edited or deleted."""

    form = FreezeForm
    list_display = [
        "__str__", "member", "reason", "frozen_by", "frozen_at", "thawed_by", "thawed_at",
    ]  # fmt: skip
    list_filter = ["reason", ("thawed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["member", "frozen_by", "thawed_by"]
    search_fields = ["=member__public_id"]
    search_help_text = _("Member id")

    def get_fields(self, request: HttpRequest, obj: Freeze | None = None) -> list[Any]:
        if obj is None:
            return ["member", "reason", "note"]
        return [
            "member", "reason", "note", "frozen_by", "frozen_at", "thaw_note", "thawed_by",
            "thawed_at",
        ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Freeze | None = None) -> list[str]:
        if obj is None:
            return []
        is_over = obj.thawed_at is not None
        return [name for name in self.get_fields(request, obj) if is_over or name != "thaw_note"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Freeze, form: Any, change: bool) -> None:
        try:
            if change:
                note = form.cleaned_data["thaw_note"]
                thaw_member(freeze_id=obj.pk, note=note, operator=request.user)  # type: ignore[arg-type]
            else:
                freeze_member(obj, operator=request.user)  # type: ignore[arg-type]
        except ZoneError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)


@admin.register(KeptAccount)
class KeptAccountAdmin(MemberRowsAdmin):
    list_display = [
        "member", "unlinked_at", "closes_at", "available", "restored_at", "closed_at", "given_up",
    ]  # fmt: skip
    list_filter = [
        ("restored_at", admin.EmptyFieldListFilter), ("closed_at", admin.EmptyFieldListFilter),
    ]  # fmt: skip
