"""What the pages of this room's buttons share: one form, one service, one sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join

from zone.core.errors import ZoneError


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a button leads when it made another row: a sentence, and that row's key."""

    said: str
    key: Any


@dataclass(frozen=True, slots=True)
class Verb:
    """A button on a row's page that asks for something first: its name, words, right and form."""

    name: str
    label: Any
    permission: str
    form: type[forms.Form]
    run: Callable[[HttpRequest, Any, dict[str, Any]], str | Elsewhere]
    initial: Callable[[Any], dict[str, Any]] = lambda row: {}


@dataclass(frozen=True, slots=True)
class Page:
    """A button that leads to a page with a manner of its own: its name, words, right and view."""

    name: str
    label: Any
    permission: str
    view: Callable[[Any, HttpRequest, Any], HttpResponse]
    is_act: bool = False  # Whether something may be changed there.


def actor_of(request: HttpRequest) -> str:
    return f"operator:{request.user.get_username()}"


def each_row(
    request: HttpRequest, rows: QuerySet[Any], act: Callable[[Any], object], done: str
) -> None:
    """Call a service for every chosen row; say what was done, and name each row that was refused."""
    refused: list[tuple[str, str]] = []
    count = 0
    for row in rows:
        try:
            act(row)
        except ZoneError as refusal:
            refused.append((str(row), str(refusal)))
        else:
            count += 1
    if count:
        messages.success(request, done % {"count": count})
    if refused:
        messages.error(request, format_html_join(" · ", "{}: {}", refused))


class VerbsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin page with buttons of its own. Each answers a GET with a form and a POST by acting."""

    verbs: tuple[Verb, ...] = ()
    pages: tuple[Page, ...] = ()
    hidden_pages: tuple[Page, ...] = ()  # Parts of other pages, without a button.
    change_form_template = "admin/benefits/change_form.html"

    def may_act_on(self, request: HttpRequest, key: Any) -> bool:
        """Whether this row is the operator's to change at all; the console knows who has which."""
        return True

    def form_of(self, request: HttpRequest, verb: Verb) -> type[forms.Form]:
        """A button's form; the console keeps it to the operator's wallets."""
        return verb.form

    def get_urls(self) -> list[URLPattern]:
        ours = [
            path(
                f"<path:object_id>/{verb.name}/",
                self.admin_site.admin_view(self._page(verb)),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{verb.name}",
            )
            for verb in self.verbs
        ]
        ours += [
            path(
                f"<path:object_id>/{page.name}/",
                self.admin_site.admin_view(self._open(page)),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{page.name}",
            )
            for page in (*self.pages, *self.hidden_pages)
        ]
        return ours + super().get_urls()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        prefix = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        may_act = self.may_act_on(request, object_id)
        doors: list[Page | Verb] = [page for page in self.pages if may_act or not page.is_act]
        buttons = [
            (reverse(f"{prefix}_{verb.name}", args=[object_id]), verb.label)
            for verb in [*doors, *(self.verbs if may_act else ())]
            if request.user.has_perm(verb.permission)  # type: ignore[union-attr]
        ]
        context = {"verbs": buttons, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def _open(self, page: Page) -> Callable[..., HttpResponse]:
        def opened(request: HttpRequest, object_id: str) -> HttpResponse:
            row: Model | None = self.get_object(request, object_id)
            if row is None:
                raise Http404
            if not request.user.has_perm(page.permission):  # type: ignore[union-attr]
                raise PermissionDenied
            if page.is_act and not self.may_act_on(request, row.pk):
                raise PermissionDenied
            return page.view(self, request, row)

        return opened

    def _page(self, verb: Verb) -> Callable[..., HttpResponse]:
        def page(request: HttpRequest, object_id: str) -> HttpResponse:
            row: Model | None = self.get_object(request, object_id)
            if row is None:
                raise Http404
            if not request.user.has_perm(verb.permission):  # type: ignore[union-attr]
                raise PermissionDenied
            if not self.may_act_on(request, row.pk):
                raise PermissionDenied
            is_post, status = request.method == "POST", 200
            form_class = self.form_of(request, verb)
            form = (
                form_class(request.POST, request.FILES)
                if is_post
                else form_class(initial=verb.initial(row))
            )
            if is_post and form.is_valid():
                try:
                    made = verb.run(request, row, form.cleaned_data)
                except ZoneError as refusal:
                    form.add_error(None, str(refusal))
                    status = refusal.http_status
                else:
                    if not isinstance(made, Elsewhere):
                        made = Elsewhere(made, object_id)
                    messages.success(request, made.said)
                    change = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
                    return HttpResponseRedirect(reverse(change, args=[made.key]))
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "original": row,
                "title": verb.label,
                "form": form,
            }
            return TemplateResponse(request, "admin/benefits/verb.html", context, status=status)

        return page


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows beside the page's own that nobody edits here."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
