from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import actor_of, each_row
from benefits.models import CodeReport
from benefits.services.code_reports import refuse_reported, replace_reported
from zone.core.clock import database_now
from zone.core.readonly import ReadOnly


@admin.register(CodeReport)
class CodeReportAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Codes that members say do not work; those nobody has decided on come first."""

    list_display = (
        "public_id", "claim", "batch", "reason", "state", "replacement", "created_at", "decided_by",
    )  # fmt: skip
    list_filter = ("state", "reason")
    list_select_related = ("claim", "batch", "replacement")
    search_fields = ("public_id", "claim__public_id", "batch__public_id", "member__public_id")
    fields = (
        "public_id", "claim", "batch", "member", "reason", "state", "replacement", "actor",
        "created_at", "decided_by", "decided_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("replace", "refuse")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("benefits.revoke_claim")  # type: ignore[union-attr]

    @admin.action(description=gettext_lazy("Replace the code"), permissions=["decide"])
    def replace(self, request: HttpRequest, rows: QuerySet[CodeReport]) -> None:
        each_row(
            request,
            rows,
            lambda row: replace_reported(report=row, actor=actor_of(request), now=database_now()),
            _("Replaced: %(count)s."),
        )

    @admin.action(description=gettext_lazy("The code works: refuse"), permissions=["decide"])
    def refuse(self, request: HttpRequest, rows: QuerySet[CodeReport]) -> None:
        each_row(
            request,
            rows,
            lambda row: refuse_reported(report=row, actor=actor_of(request), now=database_now()),
            _("Refused: %(count)s."),
        )
