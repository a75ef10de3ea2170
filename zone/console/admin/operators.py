"""Operators, their roles, sessions and second factors. Only the platform role changes them."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from zone.console.admin.audit import ReadOnlyAdmin
from zone.console.models import OperatorScope, OperatorSession
from zone.console.services import factors, sessions
from zone.core import clock, stepup


class OperatorScopeInline(admin.StackedInline):
    model = OperatorScope
    filter_horizontal = ["wallets"]
    extra = 0
    verbose_name = _("limit to wallets")
    verbose_name_plural = _("limit to wallets")


@admin.register(User)
class OperatorAdmin(UserAdmin):
    """Operators get their rights from roles alone; no form here makes a superuser."""

    list_display = ["username", "email", "role_names", "is_active", "has_phone", "last_login"]
    list_filter = ["is_active", "groups"]
    filter_horizontal = ["groups"]
    inlines = [OperatorScopeInline]
    actions = ["reset_second_factor", "end_open_sessions"]
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "groups"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.prefetch_related("groups")

    @admin.display(description=_("roles"))
    def role_names(self, operator: User) -> str:
        return ", ".join(group.name for group in operator.groups.all())

    @admin.display(description=_("second factor"), boolean=True)
    def has_phone(self, operator: User) -> bool:
        return factors.find_confirmed_device(operator) is not None

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True  # Whoever is made here is made to work here.
        super().save_model(request, obj, form, change)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Nobody widens their own rights, and a superuser is nobody's to edit from here.
        if obj is not None and (obj.pk == request.user.pk or obj.is_superuser):
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # Their deeds stay on the log; deactivate instead.

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and (page := stepup.ask_for_fresh_code(request)):
            return page
        return super().changeform_view(request, *args, **kwargs)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        if page := stepup.ask_for_fresh_code(request):
            return page
        return super().user_change_password(request, id, form_url)

    @admin.action(description=_("Reset the second factor (lost phone)"), permissions=["change"])
    def reset_second_factor(
        self, request: HttpRequest, chosen: QuerySet[User]
    ) -> HttpResponse | None:
        if page := stepup.ask_for_fresh_code(request):
            return page
        for operator in chosen:
            if not self.has_change_permission(request, operator):
                text = gettext("%(name)s: not yours to reset.") % {"name": operator.username}
                self.message_user(request, text, messages.ERROR)
                continue
            factors.reset_factor(operator)
            sessions.end_sessions(operator, ending=sessions.Ending.ENDED, now=clock.now())
            text = gettext("%(name)s enrols a phone at the next sign-in.")
            self.message_user(request, text % {"name": operator.username}, messages.SUCCESS)
        return None

    @admin.action(description=_("End open sessions"), permissions=["change"])
    def end_open_sessions(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        for operator in chosen:
            count = sessions.end_sessions(operator, ending=sessions.Ending.ENDED, now=clock.now())
            facts = {"name": operator.username, "count": count}
            self.message_user(request, gettext("%(name)s: %(count)s ended.") % facts)


admin.site.register(Group, type("RoleAdmin", (GroupAdmin,), {"__module__": __name__}))


@admin.register(OperatorSession)
class OperatorSessionAdmin(ReadOnlyAdmin):
    list_display = [
        "user",
        "started_at",
        "seen_at",
        "ended_at",
        "ending",
        "address",
        "agent_family",
    ]
    list_filter = ["ending"]
    list_select_related = ["user"]
    raw_id_fields = ["user"]
    actions = ["end_chosen"]

    @admin.action(description=_("End these sessions"), permissions=["end"])
    def end_chosen(self, request: HttpRequest, chosen: QuerySet[OperatorSession]) -> None:
        ended = sum(
            sessions.end_session(session, ending=sessions.Ending.ENDED, now=clock.now())
            for session in chosen
        )
        self.message_user(request, gettext("%(count)s sessions ended.") % {"count": ended})

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("auth.change_user")


@admin.register(TOTPDevice)
class PhoneAdmin(ReadOnlyAdmin):
    """Who has a second factor; its key is shown to nobody."""

    list_display = ["user", "name", "confirmed", "created_at", "last_used_at"]
    list_select_related = ["user"]
    fields = ["user", "name", "confirmed", "created_at", "last_used_at"]
