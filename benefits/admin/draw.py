from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import Verb, VerbsAdmin, actor_of
from benefits.models import FairDraw
from benefits.services.draws import cancel_draw, set_beacon
from zone.core.clock import database_now
from zone.core.readonly import ReadOnly


class BeaconForm(forms.Form):
    value = forms.CharField(max_length=200, label=gettext_lazy("The value, exactly as published"))


class CancelForm(forms.Form):
    is_sure = forms.BooleanField(
        label=gettext_lazy("Open the release to everyone instead"),
        help_text=gettext_lazy("Tickets end, and what they cost comes back by itself."),
    )


def give_beacon(request: HttpRequest, draw: FairDraw, values: dict[str, Any]) -> str:
    set_beacon(draw=draw, value=values["value"], actor=actor_of(request))
    return _("The draw goes on.")


def cancel(request: HttpRequest, draw: FairDraw, values: dict[str, Any]) -> str:
    cancel_draw(draw=draw, actor=actor_of(request), now=database_now())
    return _("The draw is canceled.")


@admin.register(FairDraw)
class FairDrawAdmin(ReadOnly, VerbsAdmin):
    """Draws are announced on their release; here they are watched. The worker moves them."""

    list_display = (
        "public_id", "release", "state", "entry_by", "entries_close_at", "entry_count",
        "winner_count", "winners_max",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("release",)
    search_fields = ("=public_id", "=release__public_id")
    ordering = ("-id",)
    fields = (
        "public_id", "release", "state", "entry_by", "entries_open_at", "entries_close_at",
        "winners_max", "winner_count", "entry_count", "beacon_name", "beacon", "terms", "commitment",
        "entries_root", "secret", "seed", "closed_at", "drawn_at", "finished_at", "actor",
    )  # fmt: skip
    readonly_fields = fields
    verbs = (
        Verb(
            "beacon",
            gettext_lazy("Give the outside value"),
            "benefits.change_release",
            BeaconForm,
            give_beacon,
        ),
        Verb("cancel", gettext_lazy("Cancel"), "benefits.change_release", CancelForm, cancel),
    )
