"""Looking at a benefit as one member at one instant: why not, what they see, what is missing.

Nothing here writes. What a member would see is made inside a read-only transaction, so that even a
mistake of ours could not.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext_lazy

from benefits import queries
from benefits.models import Benefit
from benefits.services.readiness import list_findings
from benefits.views.offer import claim_context
from credits.queries import get_balance
from zone.core.clock import database_now
from zone.members.models import Member

WIDTHS = (320, 390, 768, 1280)
_SCRIPT = re.compile(rb"<script\b.*?</script>", re.DOTALL)


class LookForm(forms.Form):
    """Who looks, and when. Instants are UTC, like every instant of the console."""

    member = forms.CharField(label=gettext_lazy("Member id"), max_length=30, strip=True)
    at = forms.DateTimeField(
        label=gettext_lazy("At (UTC, empty: now)"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=settings.LANGUAGES, required=False, initial="en"
    )
    width = forms.TypedChoiceField(
        label=gettext_lazy("Width"), coerce=int, initial=390, required=False,
        choices=[(width, f"{width} px") for width in WIDTHS],
    )  # fmt: skip

    def __init__(self, *args: Any, members: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.members = members

    def clean_member(self) -> Member:
        """Only members in the operator's own scope can be looked through."""
        public_id = self.cleaned_data["member"]
        member: Member | None = (
            self.members.filter(public_id=public_id).select_related("wallet").first()
        )
        if member is None:
            raise forms.ValidationError(gettext_lazy("There is no such member."))
        return member


@dataclass(frozen=True, slots=True)
class Look:
    """A form that was understood."""

    member: Member
    now: datetime
    language: str
    width: int


def _form(model_admin: Any, request: HttpRequest) -> LookForm:
    # The console's own list of members, which knows the operator's scope.
    members = model_admin.admin_site.get_model_admin(Member).get_queryset(request)
    asked = None
    if "member" in request.GET:
        asked = request.GET.copy()
        asked.setdefault("language", get_language() or "en")
        asked.setdefault("width", str(WIDTHS[1]))
    return LookForm(asked, members=members)


def _look(form: LookForm) -> Look | None:
    if not form.is_bound or not form.is_valid():
        return None
    at = form.cleaned_data["at"]
    return Look(
        member=form.cleaned_data["member"],
        now=at.astimezone(UTC) if at else database_now(),
        language=form.cleaned_data["language"] or "en",
        width=form.cleaned_data["width"] or WIDTHS[1],
    )


def open_why(model_admin: Any, request: HttpRequest, benefit: Benefit) -> HttpResponse:
    """What a claim of this member would be told, and each condition with its own answer."""
    form = _form(model_admin, request)
    look = _look(form)
    why = None
    if look is not None:
        why = queries.explain(benefit, look.member, now=look.now)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": benefit,
        "title": gettext_lazy("Why not this member"),
        "form": form,
        "look": look,
        "why": why,
        # What a member bought or owns is for those who may read members.
        "shows_values": request.user.has_perm("members.view_member"),  # type: ignore[union-attr]
        "fields": ("member", "at"),
    }
    return TemplateResponse(request, "admin/benefits/why.html", context)


def open_preview(model_admin: Any, request: HttpRequest, benefit: Benefit) -> HttpResponse:
    """The page of one benefit as a member would see it, in a frame of a device's width."""
    form = _form(model_admin, request)
    look = _look(form)
    address = ""
    if look is not None:
        name = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_preview-frame"
        asked = {
            "member": look.member.public_id,
            "at": f"{look.now:%Y-%m-%dT%H:%M:%S}",
            "language": look.language,
        }
        address = f"{reverse(name, args=[benefit.pk])}?{urlencode(asked)}"
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": benefit,
        "title": gettext_lazy("As a member sees it"),
        "form": form,
        "look": look,
        "address": address,
    }
    page = TemplateResponse(request, "admin/benefits/preview.html", context)
    page._csp_replace = {"frame-src": ["'self'"]}  # type: ignore[attr-defined]
    return page


def open_frame(model_admin: Any, request: HttpRequest, benefit: Benefit) -> HttpResponse:
    """The member's page itself: no script runs in it, no form of it goes anywhere."""
    look = _look(_form(model_admin, request))
    if look is None:
        raise Http404
    # The frame's own request: from here on it is the member who looks, in their language and zone.
    request.member = look.member  # type: ignore[attr-defined]
    request.LANGUAGE_CODE = look.language  # type: ignore[attr-defined]
    with (
        translation.override(look.language),
        timezone.override(ZoneInfo(look.member.time_zone)),
        transaction.atomic(),
    ):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        card = queries.read_card(benefit, look.member, now=look.now, language=look.language)
        available = get_balance(look.member).available
        context = {**claim_context(card, available=available), "tab": "benefits", "now": look.now}
        page = render(request, "benefits/detail.html", context)
    page.content = _SCRIPT.sub(b"", page.content)  # None would run: the browser need not complain.
    page._csp_replace = {  # type: ignore[attr-defined]
        "frame-ancestors": ["'self'"], "form-action": ["'none'"], "script-src": ["'none'"],
    }  # fmt: skip
    page["X-Frame-Options"] = "SAMEORIGIN"
    return page


def open_readiness(model_admin: Any, request: HttpRequest, benefit: Benefit) -> HttpResponse:
    """Everything that is missing before members can be let at it."""
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": benefit,
        "title": gettext_lazy("What is missing"),
        "findings": list_findings(benefit, now=database_now()),
    }
    return TemplateResponse(request, "admin/benefits/readiness.html", context)
