from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from zone.core import clock
from zone.core.errors import ZoneError
from zone.members.admin.base import ReadOnlyAdmin, ReadOnlyInline
from zone.members.models import Binding, BindingAttempt, BindingStep
from zone.members.services.bindings import ask_wallet


@admin.register(Binding)
class BindingAdmin(ReadOnlyAdmin):
    list_display = [
        "public_id", "member", "status", "failure_reason", "bound_at", "unbound_at",
    ]  # fmt: skip
    list_filter = ["status", "member__wallet", "failure_reason"]
    list_select_related = ["member"]
    search_fields = ["=public_id", "=member__public_id", "=agreement_reference"]
    search_help_text = _("Binding id, member id, or the wallet’s agreement number")
    ordering = ["-id"]
    actions = ["ask"]

    @admin.action(description=_("Ask the wallet now"), permissions=["help"])
    def ask(self, request: HttpRequest, queryset: QuerySet[Binding]) -> None:
        for binding in queryset.select_related("member__wallet"):
            try:
                ask_wallet(binding=binding, now=clock.database_now())
            except ZoneError as refusal:
                self.message_user(request, f"{binding.public_id}: {refusal}", messages.WARNING)
                continue
            binding.refresh_from_db()
            self.message_user(
                request, f"{binding.public_id}: {binding.get_status_display()}", messages.SUCCESS
            )


class StepInline(ReadOnlyInline):
    model = BindingStep
    fields = ["at", "name", "facts"]
    readonly_fields = fields
    ordering = ["at", "id"]
    show_change_link = False


@admin.register(BindingAttempt)
class BindingAttemptAdmin(ReadOnlyAdmin):
    list_display = [
        "public_id", "member", "device_os", "outcome", "failure_reason", "started_at",
    ]  # fmt: skip
    list_filter = ["outcome", "failure_reason", "device_os", "member__wallet"]
    list_select_related = ["member"]
    search_fields = ["=public_id", "=member__public_id"]
    search_help_text = _("Attempt id or member id")
    ordering = ["-id"]
    inlines = [StepInline]
