from typing import Any

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from zone.members.models import Wallet
from zone.members.wallets import connector_choices


class WalletForm(ModelForm):
    class Meta:
        model = Wallet
        fields = [
            "code", "name", "names", "country", "currency", "storefront", "time_zone",
            "default_language", "connector", "is_open", "livemode", "notifies_cancel", "sort_weight",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "connector" in self.fields:
            now = self.instance.connector
            choices = dict([(now, now), *connector_choices()] if now else connector_choices())
            self.fields["connector"] = forms.ChoiceField(
                label=_("connector"), choices=list(choices.items())
            )


@admin.register(Wallet)
class WalletAdmin(admin.ModelAdmin):
    """Wallets as data. What money and days are counted by cannot change once members exist."""

    form = WalletForm
    list_display = ["code", "name", "country", "currency", "is_open", "livemode", "sort_weight"]
    list_filter = ["is_open", "livemode"]
    search_fields = ["code", "name"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Wallet | None = None
    ) -> tuple[str, ...]:
        if obj is None:
            return ()
        fixed: tuple[str, ...] = ("code",)
        if obj.members.exists():
            fixed += ("country", "currency", "storefront", "time_zone", "livemode")
        return fixed

    def has_delete_permission(self, request: HttpRequest, obj: Wallet | None = None) -> bool:
        return False  # A wallet is closed, never deleted: its members keep their history.
