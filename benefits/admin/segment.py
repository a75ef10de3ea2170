"""Lists of members: made by name, filled from pasted ids with a report."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import Verb, VerbsAdmin
from benefits.models import Segment
from benefits.services.segments import add_members

_NAMED_MAX = 20


class MembersForm(forms.Form):
    members = forms.CharField(
        label=gettext_lazy("Member ids, one a line"),
        widget=forms.Textarea(attrs={"rows": 12}),
        max_length=2_000_000,
    )


def add(request: HttpRequest, segment: Segment, values: dict[str, Any]) -> str:
    report = add_members(segment=segment, public_ids=values["members"].split())
    return _("Added: %(added)s, already there: %(known)s, not found: %(missing)s") % {
        "added": report.added,
        "known": report.known,
        "missing": ", ".join(report.missing[:_NAMED_MAX]) or "–",
    }


@admin.register(Segment)
class SegmentAdmin(VerbsAdmin):
    list_display = ("code", "name", "size", "updated_at")
    search_fields = ("code", "name")
    fields = ("code", "name")
    verbs = (
        Verb("members", gettext_lazy("Add members"), "benefits.change_segment", MembersForm, add),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        rows: QuerySet[Segment] = super().get_queryset(request).annotate(size=Count("rows"))
        return rows

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # Rules and prices name it by its code.

    @admin.display(description=gettext_lazy("members"), ordering="size")
    def size(self, segment: Any) -> int:
        return int(segment.size)
