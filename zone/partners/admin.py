"""Partners and their keys, for the people who keep them."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from zone.core import clock
from zone.core.errors import ZoneError
from zone.core.http import private
from zone.core.readonly import ReadOnly
from zone.core.stepup import ask_for_fresh_code, fresh_code_required
from zone.partners import hook_admin, scopes
from zone.partners.models import (
    Event,
    IdempotencyRecord,
    Partner,
    PartnerKey,
    PartnerReference,
    PartnerSigningKey,
)
from zone.partners.models.partner import validate_network
from zone.partners.services.keys import create_key, revoke_key, rotate_key

OVERLAP_HOURS_MAX = 72
__all__ = ["hook_admin"]  # Registers its own pages.


@admin.register(Partner)
class PartnerAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "status", "open_key_count", "created_at"]
    list_filter = ["status"]
    search_fields = ["name", "=slug"]
    fields = ["name", "slug", "status", "contact_email"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Partner]:
        is_open = Q(keys__revoked_at__isnull=True)
        return super().get_queryset(request).annotate(key_count=Count("keys", filter=is_open))

    @admin.display(description=_("open keys"), ordering="key_count")
    def open_key_count(self, partner: Any) -> int:
        return int(partner.key_count)

    def get_readonly_fields(self, request: HttpRequest, obj: Partner | None = None) -> list[str]:
        # The audit trail names a partner by its slug.
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Partner | None = None) -> bool:
        return False


class KeyForm(ModelForm):
    """What a key may do. Scopes and mode are decided once: another need is another key."""

    scopes = forms.MultipleChoiceField(
        choices=scopes.choices, widget=forms.CheckboxSelectMultiple, label=_("scopes")
    )
    networks = SimpleArrayField(
        forms.CharField(max_length=43, validators=[validate_network]),
        required=False,
        label=_("source networks"),
        help_text=_("Such as 203.0.113.0/24, separated by commas. Empty allows any address."),
    )

    class Meta:
        model = PartnerKey
        fields = ["partner", "name", "livemode", "scopes", "networks", "ends_at"]


class RotateForm(forms.Form):
    overlap_hours = forms.IntegerField(
        label=_("Hours for which both keys work"),
        min_value=0,
        max_value=OVERLAP_HOURS_MAX,
        initial=24,
        help_text=_("Then the old key ends. At most 72."),
    )


@admin.register(PartnerKey)
class PartnerKeyAdmin(admin.ModelAdmin):
    form = KeyForm
    list_display = ["public_id", "partner", "name", "livemode", "state", "last_token_at"]
    list_filter = ["livemode", "partner"]
    list_select_related = ["partner"]
    search_fields = ["=public_id", "partner__name"]
    search_help_text = _("A key id or a partner's name")
    actions = ["revoke"]
    change_form_template = "admin/partners/partnerkey/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        rotate = path(
            "<int:key_id>/rotate",
            self.admin_site.admin_view(self.rotate),
            name="partners_partnerkey_rotate",
        )
        return [rotate, *super().get_urls()]

    @admin.display(description=_("state"))
    def state(self, key: PartnerKey) -> str:
        if key.revoked_at:
            return gettext("revoked")
        if key.ends_at is None:
            return gettext("open")
        if key.ends_at <= clock.now():
            return gettext("ended")
        return gettext("open until %(end)s") % {"end": f"{key.ends_at:%Y-%m-%d %H:%M} UTC"}

    def get_readonly_fields(self, request: HttpRequest, obj: PartnerKey | None = None) -> list[str]:
        if obj is None:
            return []
        return [
            "public_id",
            "partner",
            "livemode",
            "scopes",
            "secret_hint",
            "zone_version",
            "revoked_at",
            "revoked_by",
            "created_at",
            "created_by",
            "last_token_at",
        ]

    def get_fields(self, request: HttpRequest, obj: PartnerKey | None = None) -> list[str]:
        if obj is None:
            return KeyForm.Meta.fields
        return ["name", "networks", "ends_at", *self.get_readonly_fields(request, obj)]

    def has_delete_permission(self, request: HttpRequest, obj: PartnerKey | None = None) -> bool:
        return False

    @method_decorator(fresh_code_required)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return super().add_view(request, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: PartnerKey, form: Any, change: bool) -> None:
        """A new key goes through the service, because only there does its secret exist."""
        if change:
            obj.save(update_fields=form.changed_data or None)
            return
        key, secret = create_key(
            partner=obj.partner,
            livemode=obj.livemode,
            scopes=obj.scopes,
            networks=obj.networks,
            ends_at=obj.ends_at,
            name=obj.name,
            actor=_actor_of(request),
        )
        obj.__dict__.update(key.__dict__)
        request.new_key_secret = secret  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: PartnerKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The one page that shows the secret; it is neither stored nor kept by the browser."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Key made"),
            "opts": self.opts,
            "key": obj,
            "secret": request.new_key_secret,  # type: ignore[attr-defined]
            "old_key": getattr(request, "old_key", None),
        }
        page = TemplateResponse(request, "admin/partners/partnerkey/made.html", context)
        return private(page)

    @method_decorator(fresh_code_required)
    def rotate(self, request: HttpRequest, key_id: int) -> HttpResponse:
        """Ask how long both keys work, then show the new one's secret, once."""
        key = self.get_object(request, str(key_id))
        if key is None:
            raise Http404
        if not self.has_change_permission(request, key):
            raise PermissionDenied
        form = RotateForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            overlap = timedelta(hours=form.cleaned_data["overlap_hours"])
            try:
                made, secret = rotate_key(key=key, overlap=overlap, actor=_actor_of(request))
            except ZoneError as refusal:
                form.add_error(None, str(refusal))
            else:
                self.log_addition(request, made, [{"added": {}}])
                request.new_key_secret = secret  # type: ignore[attr-defined]
                key.refresh_from_db()
                request.old_key = key  # type: ignore[attr-defined]
                return self.response_add(request, made)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": key,
            "title": _("Replace by a new key"),
            "form": form,
        }
        return TemplateResponse(request, "admin/partners/partnerkey/rotate.html", context)

    @admin.action(description=_("Revoke the selected keys at once"), permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[PartnerKey]) -> HttpResponse | None:
        if page := ask_for_fresh_code(request):
            return page
        done = sum(revoke_key(key=key, actor=_actor_of(request)) for key in keys)
        text = ngettext("%(count)s key was revoked.", "%(count)s keys were revoked.", done)
        self.message_user(request, text % {"count": done}, messages.SUCCESS)
        return None


@admin.register(PartnerSigningKey)
class PartnerSigningKeyAdmin(admin.ModelAdmin):
    list_display = ["public_id", "partner", "livemode", "algorithm", "revoked_at", "created_at"]
    list_filter = ["livemode", "partner"]
    list_select_related = ["partner"]

    def has_delete_permission(
        self, request: HttpRequest, obj: PartnerSigningKey | None = None
    ) -> bool:
        return False


class RecordAdmin(ReadOnly, admin.ModelAdmin):
    """Written by the API; operators look it up and change nothing."""

    list_select_related = ["partner"]
    ordering = ["-id"]


@admin.register(Event)
class EventAdmin(RecordAdmin):
    list_display = ["public_id", "partner", "type", "object_id", "sequence", "occurred_at"]
    list_filter = ["type", "partner"]
    search_fields = ["=public_id", "=object_id"]
    search_help_text = _("An event's or an object's id")


@admin.register(PartnerReference)
class PartnerReferenceAdmin(RecordAdmin):
    list_display = ["external_id", "kind", "partner", "livemode", "object_id", "created_at"]
    list_filter = ["kind", "partner"]
    search_fields = ["=external_id", "=object_id"]
    search_help_text = _("A partner's reference or an object's id")
    exclude = ["fingerprint"]


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(RecordAdmin):
    list_display = ["key", "partner", "livemode", "status", "created_at", "expires_at"]
    list_filter = ["status", "partner"]
    search_fields = ["=key"]
    search_help_text = _("An Idempotency-Key")
    # A stored answer may hold a secret: who needs it asks the API again with the same key.
    exclude = ["fingerprint", "body"]


def _actor_of(request: HttpRequest) -> str:
    return f"operator:{request.user.get_username()}"
