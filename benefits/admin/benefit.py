from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.benefit_form import BenefitForm, BinFilter, GapFilter, detail_names
from benefits.admin.copies import COPY_VERBS
from benefits.admin.hours import HoursInline
from benefits.admin.limit import PriceRowInline, QuotaInline
from benefits.admin.points import PointsField
from benefits.admin.rule import BENEFIT_PAGES, HIDDEN_PAGES, RuleInline
from benefits.admin.verbs import ReadOnlyInline, Verb, VerbsAdmin, actor_of, each_row
from benefits.artwork import draw_artwork, read_upload, set_artwork
from benefits.models import (
    Benefit,
    BenefitEvent,
    BenefitText,
    DropSchedule,
    OpeningHours,
    Release,
)
from benefits.models.benefit import WRITTEN_LANGUAGES
from benefits.models.kinds import KINDS
from benefits.queries import list_gaps
from benefits.services.lifecycle import move_benefit
from benefits.services.openings import plan_hours
from benefits.services.partner_news import tell_partners
from zone.core.clock import database_now
from zone.partners.models import Partner

Status = Benefit.Status


class PictureForm(forms.Form):
    picture = forms.FileField(
        label=gettext_lazy("Picture"),
        required=False,
        help_text=gettext_lazy("PNG, JPEG, WebP or AVIF up to 8 MB. Empty: draw one from the hue."),
    )


def change_picture(request: HttpRequest, benefit: Benefit, values: dict[str, Any]) -> str:
    upload = values["picture"]
    if upload:
        set_artwork(benefit, read_upload(upload))
    else:
        draw_artwork(benefit)
    return _("The picture was cut into its sizes.")


class TextForm(forms.ModelForm):  # type: ignore[type-arg]
    language = forms.ChoiceField(
        label=gettext_lazy("language"), choices=[(code, code) for code in WRITTEN_LANGUAGES]
    )
    features = PointsField(label=gettext_lazy("features"))
    steps = PointsField(label=gettext_lazy("how to use it"))

    class Meta:
        model = BenefitText
        fields = (
            "language", "title", "subtitle", "kicker", "description", "features", "steps", "terms",
            "artwork_alt",
        )  # fmt: skip


class TextInline(admin.StackedInline):  # type: ignore[type-arg]
    model = BenefitText
    form = TextForm
    extra = 0


class ReleaseInline(ReadOnlyInline):
    model = Release
    fields = ("public_id", "mode", "stock", "price_credits", "opens_at", "closes_at")
    readonly_fields = fields


class EventInline(ReadOnlyInline):
    model = BenefitEvent
    fields = ("at", "actor", "cause", "from_status", "to_status", "facts")
    readonly_fields = fields
    show_change_link = False


@admin.register(Benefit)
class BenefitAdmin(VerbsAdmin):
    form = BenefitForm
    list_display = (
        "slug", "kind", "status", "price_credits", "is_featured", "sort_weight", "visible_until",
        "gaps",
    )  # fmt: skip
    list_editable = ("is_featured", "sort_weight")
    list_filter = ("status", "kind", "livemode", "funder", GapFilter, BinFilter)
    search_fields = ("slug", "public_id", "texts__title")
    readonly_fields = ("public_id", "status", "picture", "created_at", "updated_at")
    inlines = (
        TextInline,
        HoursInline,
        QuotaInline,
        PriceRowInline,
        RuleInline,
        ReleaseInline,
        EventInline,
    )
    actions = ("submit", "send_back", "approve", "open_now", "pause", "end")
    pages = BENEFIT_PAGES
    hidden_pages = HIDDEN_PAGES
    verbs = (
        Verb(
            "picture",
            gettext_lazy("Change the picture"),
            "benefits.change_benefit",
            PictureForm,
            change_picture,
        ),
        *COPY_VERBS,
    )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.model is OpeningHours:
            now = database_now()
            for hours in form.instance.hours.all():
                plan_hours(hours, now=now)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Once all of it is written: partners who may grant it are told."""
        super().save_related(request, form, formsets, change)
        if form.has_changed() or any(formset.has_changed() for formset in formsets):
            tell_partners(form.instance, what="updated", now=database_now())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Benefit]:
        rows: QuerySet[Benefit] = super().get_queryset(request).prefetch_related("texts")
        return rows

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """First the kind: each asks for something else."""
        if request.GET.get("kind") not in KINDS and self.has_add_permission(request):
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("What kind of benefit?"),
                "kinds": KINDS.values(),
            }
            return TemplateResponse(request, "admin/benefits/kinds.html", context)
        return super().add_view(request, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        # The fields of a kind are made with the form; the factory knows the model's alone.
        form = super().get_form(
            request, obj, change, **{**kwargs, "fields": BenefitForm.Meta.fields}
        )
        form.kind_code = obj.kind if obj else request.GET.get("kind", "")  # type: ignore[attr-defined]
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if not self.has_change_permission(request, obj):
            shown = [*BenefitForm.Meta.fields, "detail", "partner_names", *self.readonly_fields]
            return [(None, {"fields": shown})]
        kind = obj.kind if obj else request.GET.get("kind", "")
        own = [name for name in BenefitForm.Meta.fields if name not in ("slug", "kind")]
        return [
            (None, {"fields": ["slug", "kind", *detail_names(kind)]}),
            (_("What holds for every kind"), {"fields": [*own, "partners"]}),
            (_("On record"), {"fields": self.readonly_fields}),
        ]

    @admin.display(description=gettext_lazy("partners"))
    def partner_names(self, benefit: Benefit) -> str:
        names = Partner.objects.filter(pk__in=benefit.partner_ids).values_list("name", flat=True)
        return ", ".join(names) or "–"

    @admin.display(description=gettext_lazy("words missing"))
    def gaps(self, benefit: Benefit) -> str:
        found = list_gaps(benefit, [code for code, _name in settings.LANGUAGES])
        return "; ".join(f"{code}: {', '.join(parts)}" for code, parts in found.items()) or "–"

    @admin.display(description=gettext_lazy("picture"))
    def picture(self, benefit: Benefit) -> str:
        if not benefit.artwork_url:
            return "–"
        return format_html('<img src="{}" alt="" width="160" height="180">', benefit.artwork_url)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # What was ever written stays on record; a benefit is ended, not deleted.

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("benefits.approve_benefit")  # type: ignore[union-attr]

    def _move(self, request: HttpRequest, rows: QuerySet[Benefit], to: str) -> None:
        each_row(
            request,
            rows,
            lambda row: move_benefit(
                benefit=row, to=to, actor=actor_of(request), now=database_now()
            ),
            _("Moved: %(count)s."),
        )

    @admin.action(description=gettext_lazy("Send to review"), permissions=["change"])
    def submit(self, request: HttpRequest, rows: QuerySet[Benefit]) -> None:
        self._move(request, rows, Status.IN_REVIEW)

    @admin.action(description=gettext_lazy("Back to draft"), permissions=["change"])
    def send_back(self, request: HttpRequest, rows: QuerySet[Benefit]) -> None:
        self._move(request, rows, Status.DRAFT)

    @admin.action(description=gettext_lazy("Approve"), permissions=["approve"])
    def approve(self, request: HttpRequest, rows: QuerySet[Benefit]) -> None:
        self._move(request, rows, Status.SCHEDULED)

    @admin.action(description=gettext_lazy("Open, or open again"), permissions=["approve"])
    def open_now(self, request: HttpRequest, rows: QuerySet[Benefit]) -> None:
        self._move(request, rows, Status.LIVE)

    @admin.action(description=gettext_lazy("Pause"), permissions=["approve"])
    def pause(self, request: HttpRequest, rows: QuerySet[Benefit]) -> None:
        self._move(request, rows, Status.PAUSED)

    @admin.action(description=gettext_lazy("End"), permissions=["approve"])
    def end(self, request: HttpRequest, rows: QuerySet[Benefit]) -> None:
        self._move(request, rows, Status.ENDED)


@admin.register(DropSchedule)
class DropScheduleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("benefit", "opens_at_local", "time_zone", "stock", "is_active", "ends_on")
    list_filter = ("is_active",)
    list_select_related = ("benefit",)
    raw_id_fields = ("benefit", "provider")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # Its releases name it; switch it off instead.
