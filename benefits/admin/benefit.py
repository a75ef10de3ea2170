from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.limit import PriceRowInline, QuotaInline
from benefits.admin.rule import BENEFIT_PAGES, HIDDEN_PAGES, RuleInline
from benefits.admin.verbs import ReadOnlyInline, Verb, VerbsAdmin, actor_of, each_row
from benefits.artwork import draw_artwork, read_upload, set_artwork
from benefits.models import Benefit, BenefitEvent, BenefitText, DropSchedule, Release
from benefits.services.lifecycle import move_benefit
from zone.core.clock import database_now

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


class TextInline(admin.StackedInline):  # type: ignore[type-arg]
    model = BenefitText
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
    list_display = ("slug", "kind", "status", "price_credits", "hue", "livemode", "visible_until")
    list_filter = ("status", "kind", "livemode", "funder")
    search_fields = ("slug", "public_id", "texts__title")
    readonly_fields = ("public_id", "status", "picture", "created_at", "updated_at")
    inlines = (TextInline, QuotaInline, PriceRowInline, RuleInline, ReleaseInline, EventInline)
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
    )

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
