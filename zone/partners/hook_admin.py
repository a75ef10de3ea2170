"""Webhook endpoints and what was sent there, for the people who look after partners."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from zone.core.errors import ZoneError
from zone.core.readonly import ReadOnly
from zone.partners.models import WebhookDelivery, WebhookEndpoint
from zone.partners.services import webhooks

_CHANGE = "partners.change_webhookendpoint"


class HookAdmin(ReadOnly, admin.ModelAdmin):
    """Partners change these over the API; operators look, ping, enable and send again."""

    ordering = ["-id"]

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(_CHANGE))


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(HookAdmin):
    list_display = ["public_id", "partner", "url", "livemode", "status", "failing_since"]
    list_filter = ["status", "livemode", "partner"]
    list_select_related = ["partner"]
    search_fields = ["=public_id", "partner__name", "url"]
    search_help_text = _("An endpoint's id, its address or a partner's name")
    exclude = ["secret_sealed", "previous_secret_sealed", "resting_until"]
    actions = ["ping", "enable"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        return super().get_queryset(request).filter(deleted_at=None)

    @admin.action(description=_("Send a ping to the selected endpoints"), permissions=["send"])
    def ping(self, request: HttpRequest, endpoints: QuerySet[WebhookEndpoint]) -> None:
        """Each answers within seconds, so a handful at most."""
        for endpoint in endpoints[: webhooks.ENDPOINTS_MAX]:
            _event, heard = webhooks.ping_endpoint(endpoint=endpoint)
            text = gettext("%(url)s answered %(what)s after %(milliseconds)s ms.") % {
                "url": endpoint.url,
                "what": heard.status or heard.fault,
                "milliseconds": heard.milliseconds,
            }
            level = messages.SUCCESS if heard.is_good else messages.WARNING
            self.message_user(request, text, level)

    @admin.action(description=_("Enable the selected endpoints"), permissions=["send"])
    def enable(self, request: HttpRequest, endpoints: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in endpoints:
            webhooks.change_endpoint(endpoint=endpoint, change=webhooks.Change(is_enabled=True))
            self.log_change(request, endpoint, [{"changed": {"fields": ["status"]}}])
        count = len(endpoints)
        text = ngettext("%(count)s endpoint is enabled.", "%(count)s endpoints are enabled.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(HookAdmin):
    list_display = ["public_id", "kind", "state", "tries", "due_at", "endpoint", "event"]
    list_filter = ["state", "is_replay", "endpoint__partner"]
    list_select_related = ["endpoint", "event"]
    search_fields = ["=public_id", "=endpoint__public_id", "=event__public_id"]
    search_help_text = _("The id of a delivery, an endpoint or an event")
    exclude = ["leased_until", "attempts"]
    readonly_fields = ["tries_made"]
    actions = ["send_again"]

    @admin.display(description=_("event type"))
    def kind(self, delivery: WebhookDelivery) -> str:
        return delivery.event.type

    @admin.display(description=_("attempts"))
    def tries_made(self, delivery: WebhookDelivery) -> str:
        """Each try in a line: when, what came back, how long it took."""
        rows: list[tuple[Any, ...]] = [
            (row["at"][:19], row["http_status"] or row["fault"], row["milliseconds"], row["answer"])
            for row in delivery.attempts
        ]
        return format_html_join("", "<div>{} · {} · {} ms · <code>{}</code></div>", rows) or "–"

    @admin.action(description=_("Send the selected deliveries again"), permissions=["send"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[WebhookDelivery]) -> None:
        done = 0
        for delivery in deliveries:
            try:
                webhooks.redeliver(delivery=delivery)
            except ZoneError as refusal:
                self.message_user(request, f"{delivery.public_id}: {refusal}", messages.WARNING)
            else:
                self.log_change(request, delivery, [{"changed": {"fields": ["state"]}}])
                done += 1
        text = ngettext(
            "%(count)s delivery is on its way again.",
            "%(count)s deliveries are on their way again.",
            done,
        )
        self.message_user(request, text % {"count": done}, messages.SUCCESS)
