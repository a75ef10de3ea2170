from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.models import ProviderConfig, ProviderMessage
from benefits.providers.http import seal_secret
from benefits.providers.voucher_dialect import DialectError, read_private_key, read_public_key
from zone.core.readonly import ReadOnly


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]
    url = forms.URLField(
        label=gettext_lazy("Address"), required=False, assume_scheme="https", max_length=300
    )
    secret = forms.CharField(
        label=gettext_lazy("Shared secret"),
        required=False,
        min_length=32,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy(
            "Never shown again. Empty: it stays as it is. For a wallet: our private key (RSA, base64)."
        ),
    )

    class Meta:
        model = ProviderConfig
        fields = (
            "code",
            "name",
            "kind",
            "url",
            "app_id",
            "peer_key",
            "timeout_ms",
            "attempts_max",
            "questions_per_second",
            "allows_return",
            "is_active",
            "livemode",
        )

    def clean(self) -> dict[str, Any]:
        """What a wallet's gateway is spoken to with must be there and must be keys."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("kind") != ProviderConfig.Kind.WALLET:
            return values
        if not values.get("app_id"):
            self.add_error("app_id", _("A wallet knows us by a number."))
        try:
            read_public_key(values.get("peer_key", ""))
        except DialectError:
            self.add_error("peer_key", _("An RSA key of 2048 bits or more, please."))
        try:
            if values.get("secret") or not self.instance.secret_sealed:
                read_private_key(values.get("secret", ""))
        except DialectError:
            self.add_error("secret", _("An RSA key of 2048 bits or more, please."))
        return values

    def save(self, commit: bool = True) -> ProviderConfig:
        if secret := self.cleaned_data["secret"]:
            self.instance.secret_sealed = seal_secret(secret)
        saved: ProviderConfig = super().save(commit)
        return saved


@admin.register(ProviderConfig)
class ProviderConfigAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = ProviderForm
    list_display = ("code", "name", "kind", "is_active", "timeout_ms", "attempts_max")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever only reads sees whether there is a secret; it has no other value to show."""
        if self.has_change_permission(request, obj):
            return super().get_fields(request, obj)
        return [*ProviderForm.Meta.fields, "has_secret"]

    @admin.display(description=gettext_lazy("Shared secret is set"), boolean=True)
    def has_secret(self, obj: ProviderConfig) -> bool:
        return bool(obj.secret_sealed)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if self.has_change_permission(request, obj) else ("has_secret",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # Its releases name it; switch it off instead.


@admin.register(ProviderMessage)
class ProviderMessageAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """What providers told us by themselves, and what became of it. Never what it said."""

    list_display = (
        "message_id", "provider", "claim_public_id", "state", "outcome", "attempts", "received_at",
    )  # fmt: skip
    list_filter = ("state", "provider")
    list_select_related = ("provider",)
    search_fields = ("=message_id", "=claim_public_id")
    fields = (
        "message_id", "provider", "claim_public_id", "state", "outcome", "attempts", "received_at",
        "next_attempt_at",
    )  # fmt: skip
    readonly_fields = fields
