"""The one admin site: every room registers its tables on `django.contrib.admin.site`."""

from collections.abc import Callable, Iterable
from functools import update_wrapper
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from zone.console.manners import ConsoleManners
from zone.console.said import name_columns
from zone.console.services import audit, sessions
from zone.console.views import board, factor, liability, members
from zone.core import clock

# Only our own rooms decide what the console shows; packages we use register nothing by themselves.
_OUR_ROOMS = ("zone.", "benefits.", "credits.", "tests.")
_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


class ConsoleSite(admin.AdminSite):
    """Django's admin behind a second factor, with every change on the audit log."""

    site_header = _("Apple Zone console")
    site_title = _("Apple Zone console")
    index_title = _("Today")
    login_template = "console/login.html"
    index_template = "console/index.html"
    enable_nav_sidebar = True

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[admin.ModelAdmin] | None = None,
        **options: Any,
    ) -> None:
        """Register as Django does, with the console's manners mixed into the admin class."""
        admin_class = admin_class or admin.ModelAdmin
        if not admin_class.__module__.startswith(_OUR_ROOMS):
            return
        models = (
            [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        )
        for model in models:
            name_columns(model)
        mannered = type(
            admin_class.__name__,
            (ConsoleManners, admin_class),
            {"__module__": admin_class.__module__, "__doc__": admin_class.__doc__},
        )
        super().register(models, mannered, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Only an active operator with an open session, which a second factor began."""
        user = request.user
        if not (user.is_active and getattr(user, "is_staff", False)):
            return False
        is_verified = getattr(user, "is_verified", None)
        return bool(
            is_verified and is_verified() and getattr(request, "operator_session", None) is not None
        )

    def admin_view(  # type: ignore[override]
        self, view: Callable[..., HttpResponse], cacheable: bool = False
    ) -> Callable[..., HttpResponse]:
        """Django's guard, and a line on the audit log for any change that left none itself."""
        guarded = super().admin_view(view, cacheable)

        def audited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = guarded(request, *args, **kwargs)
            is_change = request.method in _CHANGING and response.status_code < 400
            if (
                is_change
                and request.user.is_authenticated
                and not getattr(request, "audit_count", 0)
            ):
                facts = {"path": request.path, "status": response.status_code}
                audit.record_deed(request, audit.Deed("submitted", after=facts))
            return response

        audited.__dict__.update(guarded.__dict__)
        return update_wrapper(audited, guarded)  # Marks such as csrf_exempt stay on it.

    def get_urls(self) -> list[URLPattern | URLResolver]:
        ours = [
            path("verify", never_cache(factor.verify), name="verify"),
            path("enrol", never_cache(factor.enrol), name="enrol"),
            path("leave", never_cache(factor.leave), name="leave"),
            path("liability", self.admin_view(liability.liability), name="liability"),
            path("liability.csv", self.admin_view(liability.liability_csv), name="liability_csv"),
            path("books/check", self.admin_view(board.check_books), name="check_books"),
            path(
                "members/<str:public_id>/timeline",
                self.admin_view(members.timeline),
                name="member_timeline",
            ),
            path(
                "members/<str:public_id>/unmask",
                self.admin_view(members.unmask),
                name="member_unmask",
            ),
            path("step-up", self.admin_view(factor.step_up), name="step_up"),
        ]
        return [*ours, *super().get_urls()]

    def index(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The board above the list of tables."""
        return super().index(request, {**board.board_facts(request), **(extra_context or {})})

    @method_decorator(never_cache)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The password, then the page for the second factor."""
        facts = {"ended": request.GET.get("ended", ""), **(extra_context or {})}
        if request.method == "GET" and _is_half_way(request):
            return _to_second_factor(request)
        response = super().login(request, facts)
        if response.status_code == 302 and _is_half_way(request):
            request.session["operator_password_at"] = clock.now().timestamp()
            return _to_second_factor(request)
        return response

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sign out, end the session's row, and clear what the browser kept."""
        user = request.user
        if request.method == "POST" and isinstance(user, User):
            audit.record_deed(request, audit.Deed("signed_out"))
            sessions.end_sessions(user, ending=sessions.Ending.SIGNED_OUT, now=clock.now())
        response = super().logout(request, extra_context)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


def _is_half_way(request: HttpRequest) -> bool:
    user = request.user
    is_operator = user.is_authenticated and getattr(user, "is_staff", False)
    return bool(is_operator and getattr(request, "operator_session", None) is None)


def _to_second_factor(request: HttpRequest) -> HttpResponseRedirect:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    query = f"?{urlencode({'next': wanted})}" if wanted else ""
    return HttpResponseRedirect(f"{reverse('admin:verify')}{query}")
