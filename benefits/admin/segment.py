"""Segments: lists filled by pasting or from a file, and live ones with a rule built in a form."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.rule_builder import RuleDoor, rule_page
from benefits.admin.verbs import Page, Verb, VerbsAdmin, actor_of
from benefits.models import Segment, SegmentEvent
from benefits.services import bulk
from benefits.services.population import start_run
from benefits.services.segments import (
    add_members,
    remove_members,
    replace_members,
    set_segment_rule,
)
from zone.core.clock import database_now
from zone.core.readonly import ReadOnly
from zone.members.models import Member

_NAMED_MAX = 20
_FILLINGS = {"add": add_members, "remove": remove_members, "replace": replace_members}


class MembersForm(forms.Form):
    members = forms.CharField(
        label=gettext_lazy("Member ids, one a line"),
        widget=forms.Textarea(attrs={"rows": 8}),
        max_length=2_000_000,
        required=False,
    )
    file = forms.FileField(
        label=gettext_lazy("Or a CSV file: member ids in its first column"), required=False
    )
    how = forms.ChoiceField(
        label=gettext_lazy("What to do with them"),
        choices=[
            ("add", gettext_lazy("Add them")),
            ("remove", gettext_lazy("Remove them")),
            ("replace", gettext_lazy("Make them the whole list")),
        ],
        initial="add",
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if bool(values.get("members", "").strip()) == bool(values.get("file")):
            raise forms.ValidationError(_("Paste ids or choose a file, one of them."))
        if values.get("file") and values["file"].size > bulk.FILE_BYTES_MAX:
            raise forms.ValidationError(_("The file is too long."))
        return values


def fill(request: HttpRequest, segment: Segment, values: dict[str, Any]) -> str:
    upload = values["file"]
    lines = bulk.read_lines(upload.read()) if upload else values["members"].split()
    report = _FILLINGS[values["how"]](
        segment=segment,
        public_ids=lines,
        members=admin.site.get_model_admin(Member).get_queryset(request),
        actor=actor_of(request),
        now=database_now(),
    )
    more = len(report.missing) - _NAMED_MAX
    missing = ", ".join(report.missing[:_NAMED_MAX]) + (f" … +{more}" if more > 0 else "")
    return _(
        "Added: %(added)s, removed: %(removed)s, already so: %(known)s, not found: %(missing)s"
    ) % {
        "added": report.added,
        "removed": report.removed,
        "known": report.known,
        "missing": missing or "–",
    }


def save_rule(request: HttpRequest, segment: Segment, tree: dict[str, Any]) -> str:
    set_segment_rule(segment=segment, tree=tree, now=database_now())
    return _("The segment follows its rule; everybody is being looked at.")


def count_all(request: HttpRequest, segment: Segment, tree: dict[str, Any]) -> str:
    run = start_run(
        tree=tree, segment=segment, actor=actor_of(request), now=database_now(), sample_size=0
    )
    return _("Everybody is being counted: %(run)s.") % {"run": run.public_id}


SEGMENT_RULE = RuleDoor(
    title=lambda segment: _("Who belongs to it"),
    current=lambda segment: segment.tree,
    save=save_rule,
    save_label=lambda segment: _("Follow this rule"),
    note=lambda segment: (
        "" if segment.is_live else _("This segment is a list: a rule can only be counted here.")
    ),
    count_all=count_all,
)


def open_builder(model_admin: Any, request: HttpRequest, segment: Segment) -> HttpResponse:
    return rule_page(model_admin, request, segment, SEGMENT_RULE)


@admin.register(Segment)
class SegmentAdmin(VerbsAdmin):
    list_display = ("code", "name", "kind", "size", "built_at", "updated_at")
    list_filter = ("kind",)
    search_fields = ("code", "name")
    fields = ("code", "name", "kind", "size", "built_at")
    readonly_fields = ("size", "built_at")
    pages = (
        Page(
            "rule",
            gettext_lazy("Who belongs to it"),
            "benefits.change_segment",
            open_builder,
            is_act=True,
        ),
    )
    verbs = (
        Verb(
            "members", gettext_lazy("Fill from ids or a file"), "benefits.change_segment",
            MembersForm, fill,
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        rows: QuerySet[Segment] = super().get_queryset(request).annotate(size=Count("rows"))
        return rows

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # A list that became live, or the other way round, would leave rows nobody answers for.
        return (*self.readonly_fields, "kind") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # Rules and prices name it by its code.

    @admin.display(description=gettext_lazy("members"), ordering="size")
    def size(self, segment: Any) -> int:
        return int(getattr(segment, "size", 0))


@admin.register(SegmentEvent)
class SegmentEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("at", "segment", "member", "kind", "cause")
    list_filter = ("kind",)
    list_select_related = ("segment", "member")
    search_fields = ("segment__code", "member__public_id")
    fields = list_display
    readonly_fields = list_display
