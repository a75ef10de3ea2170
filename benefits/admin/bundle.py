"""Bundles: which benefits belong together, what one means for the others, and their words."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.models import Bundle, BundleItem
from zone.core.clock import database_now

# Changing one of these changes what is asked of members, from that moment on.
_MEANING = {"kind", "picks", "within_days", "is_active"}


class BundleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A bundle with a title and a text in each language of the site."""

    class Meta:
        model = Bundle
        fields = ("slug", "kind", "picks", "within_days", "spent_days", "currency", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        title, text = _("Title"), _("Text")
        for language, name in settings.LANGUAGES:
            said = self.instance.words.get(language, {})
            self.fields[f"title_{language}"] = forms.CharField(
                label=f"{title} · {name}",
                max_length=80,
                initial=said.get("title", ""),
                required=language == "en",
            )
            self.fields[f"text_{language}"] = forms.CharField(
                label=f"{text} · {name}",
                max_length=400,
                initial=said.get("text", ""),
                required=False,
                widget=forms.Textarea(attrs={"rows": 2}),
            )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        is_ladder = values.get("kind") == Bundle.Kind.LADDER
        if is_ladder and not (values.get("spent_days") and values.get("currency")):
            self.add_error("spent_days", _("A ladder needs days and a currency."))
        self.instance.words = {
            language: {
                "title": values[f"title_{language}"],
                "text": values.get(f"text_{language}", ""),
            }
            for language, _name in settings.LANGUAGES
            if values.get(f"title_{language}")
        }
        return values


class ItemFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    def clean(self) -> None:
        """Two to twelve benefits, all of them live or all of the sandbox."""
        super().clean()
        if any(self.errors):
            return
        kept = [
            form.cleaned_data["benefit"]
            for form in self.forms
            if form.cleaned_data.get("benefit") and not form.cleaned_data.get("DELETE")
        ]
        if not 2 <= len(kept) <= Bundle.ITEMS_MAX:
            raise ValidationError(
                _("A bundle has two to %(most)s benefits.") % {"most": Bundle.ITEMS_MAX}
            )
        if len({benefit.livemode for benefit in kept}) > 1:
            raise ValidationError(_("Live benefits and those of the sandbox do not mix."))


class ItemInline(admin.TabularInline):  # type: ignore[type-arg]
    model = BundleItem
    formset = ItemFormSet
    extra = 2
    raw_id_fields = ("benefit",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Taking one out is editing the bundle: no record hangs on the row.
        return self.has_change_permission(request, obj)


@admin.register(Bundle)
class BundleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = BundleForm
    list_display = ("slug", "kind", "size", "picks", "is_active", "holds_since")
    list_filter = ("kind", "is_active")
    search_fields = ("slug", "public_id")
    readonly_fields = ("public_id", "holds_since")
    inlines = (ItemInline,)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if not self.has_change_permission(request, obj):
            shown = [*BundleForm.Meta.fields, "words", *self.readonly_fields]
            return [(None, {"fields": shown})]
        words = [
            f"{part}_{language}" for language, _name in settings.LANGUAGES
            for part in ("title", "text")
        ]  # fmt: skip
        # Since when it counts is known once it is stored.
        facts = self.readonly_fields if obj else ()
        return [
            (None, {"fields": [*BundleForm.Meta.fields, *facts]}),
            (_("Words"), {"fields": words}),
        ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        # The fields of the words are made with the form; the factory knows the model's alone.
        return super().get_form(
            request, obj, change, **{**kwargs, "fields": BundleForm.Meta.fields}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bundle]:
        rows: QuerySet[Bundle] = super().get_queryset(request).annotate(number=Count("items"))
        return rows

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # Switch it off: members may still be told of it.

    def save_model(self, request: HttpRequest, obj: Bundle, form: Any, change: bool) -> None:
        if change and _MEANING & set(form.changed_data):
            obj.holds_since = database_now()
        super().save_model(request, obj, form, change)

    @admin.display(description=gettext_lazy("benefits"), ordering="number")
    def size(self, bundle: Any) -> int:
        return int(bundle.number)
