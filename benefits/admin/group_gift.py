"""Gifts that friends pay for: looked up here, and called off with a reason."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import ReadOnlyInline, Verb, VerbsAdmin, actor_of
from benefits.models import GroupGift, GroupPart
from benefits.services.group_gifts import call_off
from zone.core.clock import database_now
from zone.core.readonly import ReadOnly

NOTE_LETTERS_MAX = 200


class CallOffForm(forms.Form):
    note = forms.CharField(max_length=NOTE_LETTERS_MAX, label=gettext_lazy("Reason"))


def call_it_off(request: HttpRequest, group: GroupGift, values: dict[str, Any]) -> str:
    call_off(group=group, actor=actor_of(request), now=database_now(), note=values["note"])
    return _("It is called off. Everybody has their credits back and was told.")


class PartInline(ReadOnlyInline):
    model = GroupPart
    fields = ("member", "amount", "state", "refunded", "created_at", "closed_at")
    readonly_fields = fields
    ordering = ("id",)
    show_change_link = False


@admin.register(GroupGift)
class GroupGiftAdmin(ReadOnly, VerbsAdmin):
    list_display = (
        "public_id", "starter", "release", "state", "collected", "price_credits", "ends_at",
        "created_at",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("starter", "release")
    search_fields = (
        "=public_id", "=starter__public_id", "=parts__member__public_id", "=claim__public_id",
        "=gift__public_id", "=release__public_id",
    )  # fmt: skip
    ordering = ("-id",)
    # The words are between friends, and the link is the starter's: neither is shown.
    fields = (
        "public_id", "starter", "release", "state", "price_credits", "collected",
        "return_percent", "claim", "gift", "deliver_at", "time_zone", "started_on", "nth",
        "created_at", "ends_at", "closed_at", "failure_code", "closed_by", "note",
    )  # fmt: skip
    readonly_fields = fields
    inlines = (PartInline,)
    verbs = (
        Verb(
            "call-off",
            gettext_lazy("Call off"),
            "benefits.call_off_groupgift",
            CallOffForm,
            call_it_off,
        ),
    )
